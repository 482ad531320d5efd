//! The installed PgBouncer, in front of a PostgreSQL cluster of the tests.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::cluster::{as_user, free_port, owner_of_files};
use super::{Db, eventually};

/// A pooler of our own. It stops, and its files are deleted, when this value or this process ends.
pub struct PgBouncer {
    port: u16,
    keeper: Child,
}

/// Stops the pooler at the end of the input, which comes even when this process is killed.
const KEEPER: &str = r#"
trap "" HUP INT TERM
directory=$1; shift
"$@" >>"$directory/log" 2>&1 & pooler=$!
read -r end
kill -KILL "$pooler"; wait "$pooler"
rm -rf "$directory"
"#;

impl PgBouncer {
    /// Starts one in front of the server of this database, with these lines in its section `[pgbouncer]`. `None`
    /// without PgBouncer, with a message.
    ///
    /// # Panics
    /// Without PgBouncer when `CI=true`, where a skipped test is a failure.
    pub async fn start(db: &Db, lines: &str) -> Option<Self> {
        let Some(program) = installed() else {
            let missing = "PgBouncer is not installed (no pgbouncer in PATH or /usr/sbin)";
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "{missing}, and CI=true: install it, e.g. apt-get install pgbouncer"
            );
            eprintln!("\n*** {missing}: THIS TEST IS SKIPPED ***\n");
            return None;
        };
        let directory = tempfile::Builder::new()
            .prefix("hallpass-pgbouncer-")
            .tempdir()
            .unwrap()
            .keep();
        let (uid, gid) = owner_of_files(&directory);
        let settings = directory.join("pgbouncer.ini");
        let (server, port) = (port_of(db), free_port());
        fs::write(
            &settings,
            format!(
                "[databases]\n* = host=127.0.0.1 port={server} user=postgres\n\
                 [pgbouncer]\n{lines}\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
                 auth_type = any\nadmin_users = postgres\n"
            ),
        )
        .unwrap();
        chown(&directory, Some(uid), Some(gid)).unwrap();
        chown(&settings, Some(uid), Some(gid)).unwrap();
        let keeper = as_user(Command::new("sh"), uid, gid)
            .args(["-c", KEEPER, "keeper"])
            .arg(&directory)
            .arg(program)
            .arg(&settings)
            .current_dir(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for the tests; the shell notices their end.
            .process_group(0)
            .spawn()
            .expect("every Unix has sh");
        let pooler = Self { port, keeper };
        eventually("PgBouncer listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
        })
        .await;
        Some(pooler)
    }

    /// The URL of this database through the pooler.
    pub fn url(&self, db: &Db) -> String {
        db.url()
            .replace(&format!(":{}/", port_of(db)), &format!(":{}/", self.port))
    }

    /// Has it open new connections to the server, which take the settings of the role as they are now.
    pub async fn reconnect(&self) {
        let console = format!("postgres://postgres@127.0.0.1:{}/pgbouncer", self.port);
        Db::Postgres { url: console }.execute("RECONNECT").await;
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn port_of(db: &Db) -> u16 {
    url::Url::parse(&db.url()).unwrap().port().unwrap()
}

/// On the PATH, else where Debian has it.
fn installed() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&on_path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|directory| directory.join("pgbouncer"))
        .find(|program| program.exists())
}
