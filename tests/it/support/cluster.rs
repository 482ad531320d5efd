//! A private, temporary PostgreSQL cluster made with the installed binaries.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio_postgres::NoTls;

/// A server of our own. It stops, and its files are deleted, when this value or this process ends.
pub struct Cluster {
    pub port: u16,
    pub directory: PathBuf,
    keeper: Mutex<Keeper>,
}

/// A shell that starts and stops the server on command, and cleans up at the end of its input,
/// which it reaches even when this process is killed.
struct Keeper {
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    process: Child,
}

const KEEPER: &str = r#"
trap "" HUP INT TERM
directory=$1; shift
server=
everybody() { echo "$server" $(cat "/proc/$server/task/$server/children"); }
while read -r order; do
    case $order in
        start) "$@" >>"$directory/log" 2>&1 & server=$! ;;
        stop) kill -INT "$server"; wait "$server"; server= ;;
        quit) kill -QUIT "$server"; wait "$server"; server= ;;
        crash)
            orphans=$(everybody)
            kill -KILL "$server"; wait "$server"; server=
            for orphan in $orphans; do while kill -0 "$orphan" 2>/dev/null; do sleep 0.02; done; done ;;
        freeze) kill -STOP $(everybody) ;;
        thaw) kill -CONT $(everybody) ;;
    esac
    echo "$order"
done
if [ -n "$server" ]; then kill -CONT $(everybody); kill -QUIT "$server"; wait "$server"; fi
rm -rf "$directory"
"#;

impl Cluster {
    /// The cluster all tests of this process share, or `None` without PostgreSQL, with a message.
    ///
    /// # Panics
    /// Without PostgreSQL when `CI=true`, where a skipped test is a failure.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// A cluster for one test that stops it.
    pub fn start() -> Option<Self> {
        let Some(binaries) = installed_binaries() else {
            let missing = "PostgreSQL is not installed (no initdb in PATH or /usr/lib/postgresql)";
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "{missing}, and CI=true: install it, e.g. apt-get install postgresql"
            );
            eprintln!("\n*** {missing}: EVERY POSTGRESQL TEST IS SKIPPED ***\n");
            return None;
        };
        Some(Self::start_with(&binaries, initialize))
    }

    /// A hot standby of this cluster, which follows it until it is cut off.
    pub fn standby(&self) -> Self {
        let binaries = installed_binaries().unwrap();
        Self::start_with(&binaries, |binaries, directory, (uid, gid)| {
            let port = self.port.to_string();
            let done = as_user(Command::new(binaries.join("pg_basebackup")), uid, gid)
                .args(["--host=127.0.0.1", "--username=postgres", "--port", &port])
                .args([
                    "--write-recovery-conf",
                    "--checkpoint=fast",
                    "--no-sync",
                    "--pgdata",
                ])
                .arg(directory.join("data"))
                .current_dir(directory)
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "pg_basebackup failed:\n{errors}");
        })
    }

    /// Starts the server on the files that `fill` makes.
    fn start_with(binaries: &Path, fill: impl Fn(&Path, &Path, (u32, u32))) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("hallpass-postgres-")
            .tempdir()
            .unwrap()
            .keep();
        let owner = owner_of_files(&directory);
        chown(&directory, Some(owner.0), Some(owner.1)).unwrap();
        fill(binaries, &directory, owner);
        // A port that was free a moment ago may be taken now: try the next one.
        for _ in 0..5 {
            let port = free_port();
            let cluster = Self {
                port,
                directory: directory.clone(),
                keeper: Mutex::new(Keeper::spawn(binaries, &directory, port, owner)),
            };
            cluster.resume();
            if cluster.answers_within(Duration::from_secs(20)) {
                return cluster;
            }
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            assert!(
                log.contains("Address already in use"),
                "PostgreSQL did not start:\n{log}"
            );
            std::mem::forget(cluster);
        }
        panic!("no port stayed free long enough to start PostgreSQL");
    }

    /// Stops the server; clients are disconnected. Returns when it has stopped.
    pub fn stop(&self) {
        self.keeper.lock().unwrap().order("stop");
    }

    /// Ends the server with an immediate shutdown: clients are told, nothing is written.
    pub fn quit(&self) {
        self.keeper.lock().unwrap().order("quit");
    }

    /// Kills the server's main process with -9; the others follow it.
    pub fn crash(&self) {
        self.keeper.lock().unwrap().order("crash");
    }

    /// Suspends all its processes: connections stay open and silent, and the kernel still accepts new ones.
    /// Until `thaw`.
    pub fn freeze(&self) {
        self.keeper.lock().unwrap().order("freeze");
    }

    pub fn thaw(&self) {
        self.keeper.lock().unwrap().order("thaw");
    }

    /// Starts the server again with its data, on the same port. Does not wait until it answers.
    pub fn resume(&self) {
        self.keeper.lock().unwrap().order("start");
    }

    /// Restarts the server so that it also listens on this address of the machine, for one client.
    pub fn listen_also_on(&self, address: Ipv4Addr, client: Ipv4Addr) {
        let data = self.directory.join("data");
        let listen = format!("listen_addresses = '127.0.0.1,{address}'");
        append(&data.join("postgresql.conf"), &listen);
        append(
            &data.join("pg_hba.conf"),
            &format!("host all all {client}/32 trust"),
        );
        self.stop();
        self.resume();
        assert!(self.answers_within(Duration::from_secs(20)));
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn answers_within(&self, patience: Duration) -> bool {
        let url = self.url("postgres");
        let deadline = Instant::now() + patience;
        let asking = async move {
            while Instant::now() < deadline {
                if tokio_postgres::connect(&url, NoTls).await.is_ok() {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            false
        };
        // Whoever calls may itself be inside a runtime.
        let run = || {
            let mut runtime = Builder::new_current_thread();
            runtime.enable_all().build().unwrap().block_on(asking)
        };
        std::thread::spawn(run).join().unwrap()
    }
}

impl Keeper {
    fn spawn(binaries: &Path, directory: &Path, port: u16, (uid, gid): (u32, u32)) -> Self {
        let mut process = as_user(Command::new("sh"), uid, gid)
            .args(["-c", KEEPER, "keeper"])
            .arg(directory)
            .arg(binaries.join("postgres"))
            .arg("-D")
            .arg(directory.join("data"))
            .args(["-c", &format!("port={port}")])
            .args([
                "-c",
                &format!("unix_socket_directories={}", directory.display()),
            ])
            .args(["-c", "shared_buffers=64MB"])
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C is for the tests; the shell notices their end.
            .process_group(0)
            .spawn()
            .expect("every Unix has sh");
        Self {
            orders: process.stdin.take(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), order);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.process.wait();
    }
}

/// Where `initdb` and `postgres` are: on the PATH, else in the newest of Debian's directories.
fn installed_binaries() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    versions.sort_by_key(|path| {
        let version = path.file_name()?.to_str()?.parse::<u32>().ok()?;
        Some(std::cmp::Reverse(version))
    });
    std::env::split_paths(&on_path)
        .chain(versions.into_iter().map(|path| path.join("bin")))
        .find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        // PostgreSQL looks for its files next to the real binary.
        .and_then(|bin| {
            Some(
                fs::canonicalize(bin.join("postgres"))
                    .ok()?
                    .parent()?
                    .to_owned(),
            )
        })
}

/// This user; `postgres` or `nobody` for root, because the server refuses root.
pub(super) fn owner_of_files(ours: &Path) -> (u32, u32) {
    let metadata = fs::metadata(ours).unwrap();
    if metadata.uid() != 0 {
        return (metadata.uid(), metadata.gid());
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap();
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| {
            let account = accounts
                .lines()
                .find(|line| line.split(':').next() == Some(name))?;
            let mut fields = account.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        })
        .expect("PostgreSQL refuses root, and neither user postgres nor nobody exists")
}

pub(super) fn as_user(mut command: Command, uid: u32, gid: u32) -> Command {
    // Only root may change the user; anyone else is that user already.
    let we_are_root = fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0);
    if we_are_root {
        command.uid(uid).gid(gid);
    }
    command
}

fn initialize(binaries: &Path, directory: &Path, (uid, gid): (u32, u32)) {
    let done = as_user(Command::new(binaries.join("initdb")), uid, gid)
        .arg("--pgdata")
        .arg(directory.join("data"))
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
        .args(["--locale=C", "--no-sync", "--no-instructions"])
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "initdb failed:\n{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    // A test may set them otherwise, which arguments would forbid. Tests kill processes, never the machine, so nothing has
    // to reach the disk.
    let settings = "max_connections = 500\nlisten_addresses = '127.0.0.1'\nfsync = off";
    append(&directory.join("data/postgresql.conf"), settings);
}

fn append(file: &Path, line: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(file).unwrap();
    writeln!(file, "{line}").unwrap();
}

/// A TCP port on which nothing listens at this moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
