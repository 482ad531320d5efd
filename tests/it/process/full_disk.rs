//! A SQLite file that cannot grow, or is locked by another process for a while.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::process::{Server, hallpass_on, stderr};
use crate::support::actors::organization_body;
use crate::support::{Answer, Db, PASSWORD, TestApp, eventually, scratch};

#[actix_web::test]
async fn sign_ins_continue_when_no_file_may_grow() {
    let db = Db::sqlite();
    // Writing beyond the limit is then an error, as on a full disk, and not a signal.
    let server = Server::run(ignoring_the_signal(&serving(&db))).await;
    let token = server.signs_up("acme").await;
    let path = path(&db);
    space_is_reserved(&path).await;

    let longest = [path.clone(), format!("{path}-wal"), format!("{path}-shm")]
        .map(|file| fs::metadata(file).map_or(0, |file| file.len()))
        .into_iter()
        .max()
        .unwrap();
    server.limits_its_files(&longest.to_string());
    sign_in_more_often_than_the_wal_holds(&server).await;
    for n in 0..3 {
        let body = organization_body("Later", &format!("admin{n}@later.example"));
        server
            .client
            .post("/api/auth/register")
            .json(&body)
            .await
            .expect(201);
    }
    server
        .client
        .get("/api/auth/me")
        .bearer(&token)
        .await
        .expect(200);
    server
        .client
        .post("/api/auth/refresh")
        .bearer(&token)
        .await
        .expect(200);
    assert!(fs::metadata(&path).unwrap().len() <= longest);
    assert_eq!(
        db.count("select count(*) from sessions").await,
        1 + SIGN_INS
    );
}

#[actix_web::test]
async fn a_full_disk_answers_writes_with_503_and_serves_reads() {
    let db = Db::sqlite();
    let server = Server::run(ignoring_the_signal(&serving(&db))).await;
    let token = server.signs_up("acme").await;
    // Less than the current size: no write succeeds.
    server.limits_its_files("4096");
    signs_in(&server).await.refused(503, "Service unavailable");
    let logout = server.client.post("/api/auth/logout").bearer(&token).await;
    logout.refused(503, "Service unavailable");
    server
        .client
        .get("/api/auth/me")
        .bearer(&token)
        .await
        .expect(200);
    server
        .client
        .post("/api/auth/refresh")
        .bearer(&token)
        .await
        .expect(200);
    server.client.get("/readyz").await.expect(200);

    server.limits_its_files("unlimited");
    eventually("there is space again", async || {
        signs_in(&server).await.status == 200
    })
    .await;
    server
        .client
        .get("/api/auth/me")
        .bearer(&token)
        .await
        .expect(200);
}

/// On a file system of its own, which only root can mount.
#[actix_web::test]
async fn sign_ins_continue_when_the_disk_is_full() {
    let disk = scratch::fresh_directory("disk");
    let db = Db::Sqlite {
        path: disk.join("hallpass.db"),
    };
    if !may_mount() {
        eprintln!("\n*** no disk of our own without root: A REALLY FULL DISK IS NOT TRIED ***\n");
        return;
    }
    let serve = serving(&db);
    let mut command = Command::new("unshare");
    command
        .args([
            "--mount",
            "sh",
            "-c",
            r#"mount -t tmpfs -o size=24m disk "$0" && exec "$@""#,
        ])
        .arg(&disk);
    let server = Server::run(same_as(&serve, command)).await;
    let token = server.signs_up("acme").await;
    // Through the process's own mounts, which end with it.
    let seen = format!("/proc/{}/root{}", server.process.id(), disk.display());
    let database = format!("{seen}/hallpass.db");
    space_is_reserved(&database).await;
    let filled = Command::new("sh")
        .args(["-c", r#"cat /dev/zero > "$0/filler""#, &seen])
        .output()
        .unwrap();
    assert!(!filled.status.success(), "the disk is full");

    sign_in_more_often_than_the_wal_holds(&server).await;
    server
        .client
        .get("/api/auth/me")
        .bearer(&token)
        .await
        .expect(200);
    fs::remove_file(format!("{seen}/filler")).unwrap();
    signs_in(&server).await.expect(200);
}

#[actix_web::test]
async fn a_file_locked_for_three_seconds_is_waited_for_and_for_longer_is_503() {
    let db = Db::sqlite();
    let app = TestApp::start(db.clone()).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let mut other = SqliteConnection::establish(&path(&db)).unwrap();
    other.batch_execute("pragma busy_timeout = 5000").unwrap();

    other.batch_execute("begin immediate").unwrap();
    let released = async {
        sleep(Duration::from_secs(3)).await;
        other.batch_execute("rollback").unwrap();
    };
    let (login, ()) = tokio::join!(app.tries_to_log_in(&ada.email, PASSWORD), released);
    login.expect(200);

    other.batch_execute("begin immediate").unwrap();
    let (first, second) = timeout(Duration::from_secs(30), async {
        tokio::join!(
            app.tries_to_log_in(&ada.email, PASSWORD),
            app.tries_to_log_in(&ada.email, PASSWORD)
        )
    })
    .await
    .expect("an answer within 30 seconds");
    for refused in [first, second] {
        assert_eq!(refused.status, 503, "{}", refused.text());
    }
    ada.me().await.expect(200);
    ada.refreshes().await.expect(200);
    other.batch_execute("rollback").unwrap();
    eventually("writes succeed again", async || {
        app.tries_to_log_in(&ada.email, PASSWORD).await.status == 200
    })
    .await;
}

#[actix_web::test]
async fn a_read_only_file_is_named_and_nothing_starts() {
    let db = Db::sqlite();
    assert!(
        hallpass_on(&db, &["migrate"])
            .output()
            .unwrap()
            .status
            .success()
    );
    // Root ignores file modes, but not a read-only mount.
    let we_are_root = fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0);
    for what in [
        PathBuf::from(path(&db)),
        Path::new(&path(&db)).parent().unwrap().to_owned(),
    ] {
        let serve = serving(&db);
        let output = if we_are_root && may_mount() {
            let mut command = Command::new("unshare");
            command
                .args(["--mount", "sh", "-c"])
                .arg(r#"mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@""#)
                .arg(&what);
            same_as(&serve, command).env("PORT", "0").output().unwrap()
        } else if we_are_root {
            eprintln!("\n*** we may not mount: NO FILE IS MADE READ-ONLY ***\n");
            return;
        } else if what.is_dir() {
            // Other processes write there.
            continue;
        } else {
            fs::set_permissions(&what, Permissions::from_mode(0o400)).unwrap();
            let mut serve = serve;
            serve.env("PORT", "0").output().unwrap()
        };
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(69), "{said}");
        assert!(said.contains("cannot open the SQLite file"), "{said}");
        assert!(said.contains("DATABASE_URL"), "{said}");
    }
}

/// With room for the sign-ins of one user.
fn serving(db: &Db) -> Command {
    let mut serve = hallpass_on(db, &["serve"]);
    serve.env("SESSIONS_PER_USER", "1000");
    serve
}

/// Each writes some eight pages of 4 KiB, and the WAL is checkpointed at a thousand.
const SIGN_INS: i64 = 160;

async fn sign_in_more_often_than_the_wal_holds(server: &Server) {
    for _ in 0..SIGN_INS / 8 {
        for answer in join_all((0..8).map(|_| signs_in(server))).await {
            answer.expect(200);
        }
    }
}

/// Whether this process may create a private mount namespace.
fn may_mount() -> bool {
    let mut alone = Command::new("unshare");
    alone.args(["--mount", "sh", "-c", "mount -t tmpfs trial /mnt"]);
    alone.output().is_ok_and(|done| done.status.success())
}

fn path(db: &Db) -> String {
    db.url().trim_start_matches("sqlite:").to_owned()
}

/// Disk space is reserved in the background, right after the start.
async fn space_is_reserved(path: &str) {
    let length = |file: String| fs::metadata(file).map_or(0, |file| file.len());
    eventually("space is reserved", async || {
        length(format!("{path}-wal")) > 4 << 20 && length(path.to_owned()) > 4 << 20
    })
    .await;
}

impl Server {
    /// No file of the process may grow beyond this; writing further is an error, as on a full disk.
    fn limits_its_files(&self, bytes: &str) {
        let limited = Command::new("prlimit")
            .arg(format!("--pid={}", self.process.id()))
            // The soft limit only, so that it can be raised again.
            .arg(format!("--fsize={bytes}:"))
            .status();
        assert!(limited.unwrap().success(), "prlimit is part of util-linux");
    }
}

async fn signs_in(server: &Server) -> Answer {
    let login = json!({"email": "ada@acme.example", "password": PASSWORD});
    server.client.post("/api/auth/login").json(&login).await
}

fn ignoring_the_signal(serve: &Command) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#]);
    same_as(serve, command)
}

/// `serve` with its environment and directory, run by `command`.
fn same_as(serve: &Command, mut command: Command) -> Command {
    command
        .arg(serve.get_program())
        .args(serve.get_args())
        .env_clear();
    // `sh` must find its tools.
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    for (name, value) in serve.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command.current_dir(serve.get_current_dir().unwrap());
    command
}
