//! Backups while a server runs, what they need, and the way back.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection, sql_query};
use serde_json::{Value, json};

use crate::process::{Server, hallpass, hallpass_on, stderr};
use crate::support::actors::organization_body;
use crate::support::{Db, OTHER_SECRET, SECRET, TestApp, eventually, on_both_databases, scratch};

fn path(db: &Db) -> &Path {
    let Db::Sqlite { path } = db else {
        panic!("{db:?}")
    };
    path
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn run(db: &Db, arguments: &[&str]) -> Output {
    hallpass_on(db, arguments).output().unwrap()
}

fn succeeds(db: &Db, arguments: &[&str]) -> Value {
    let output = run(db, &[arguments, &["--json"]].concat());
    assert_eq!(
        output.status.code(),
        Some(0),
        "{arguments:?}: {}",
        stderr(&output)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs a command that fails, with all of these words in its message.
fn refused(mut command: Command, code: i32, words: &[&str]) {
    let output = command.output().unwrap();
    let why = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{why}");
    for word in words {
        assert!(why.contains(word), "no {word:?} in {why}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A database with Ada, her session, and the token of that session.
async fn with_ada() -> (Db, String) {
    let db = Db::sqlite();
    let mut server = Server::start(&db).await;
    let token = server.signs_up("acme").await;
    server.signal("TERM");
    assert_eq!(server.exit_code().await, Some(0), "{}", server.output());
    (db, token)
}

#[actix_web::test]
async fn a_backup_of_a_running_server_holds_what_is_only_in_the_wal() {
    let db = Db::sqlite();
    let server = Server::start(&db).await;
    let token = server.signs_up("acme").await;
    assert!(fs::metadata(beside(path(&db), "-wal")).unwrap().len() > 0);
    let file = scratch::fresh_path("backup.db");
    let made = succeeds(&db, &["backup", text(&file)]);
    assert_eq!(made["file"], text(&file));
    assert_eq!(made["bytes"], fs::metadata(&file).unwrap().len());
    assert_eq!(made["keys"][0]["sessions"], 1, "{made}");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // One file, and no other was left.
    let folder = fs::read_dir(file.parent().unwrap()).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let left: Vec<_> = folder
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|other| other.starts_with(&name) && *other != name)
        .collect();
    assert_eq!(left, Vec::<String>::new());
    // The server has gone on.
    server
        .client
        .get("/api/auth/me")
        .bearer(&token)
        .await
        .expect(200);

    let verified = succeeds(&db, &["backup", "verify", text(&file)]);
    assert_eq!(
        (&verified["people"], &verified["organizations"]),
        (&json!(1), &json!(1))
    );
    assert!(verified["tokenOf"].is_string(), "{verified}");
    assert_eq!(verified["lost"], json!({"keys": [], "emails": 0}));

    let restored = Db::sqlite();
    succeeds(&restored, &["restore", text(&file)]);
    let server = Server::start(&restored).await;
    server
        .client
        .get("/api/auth/me")
        .bearer(&token)
        .await
        .expect(200);
    server.signs_in("acme").await;
}

#[actix_web::test]
async fn writers_go_on_while_a_backup_is_made() {
    let db = Db::sqlite();
    let server = Server::start(&db).await;
    server.signs_up("acme").await;
    // Some hundred megabytes, so that it takes a while.
    db.execute(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 200000)
         insert into audit (id, at, action, outcome, request_id)
         select randomblob(16), i, 'session.created', 'ok', hex(randomblob(300)) from n",
    )
    .await;
    let file = scratch::fresh_path("backup.db");
    let mut backup = hallpass_on(&db, &["backup", text(&file)]).spawn().unwrap();
    let mut written = 0;
    while backup.try_wait().unwrap().is_none() {
        let body = organization_body("Beta", &format!("admin{written}@beta.example"));
        server
            .client
            .post("/api/auth/register")
            .json(&body)
            .await
            .expect(201);
        written += 1;
    }
    assert!(backup.wait().unwrap().success());
    eprintln!("{written} organizations were registered meanwhile");
    assert!(written > 0);
    let verified = succeeds(&db, &["backup", "verify", text(&file)]);
    let people = verified["people"].as_i64().unwrap();
    assert_eq!(verified["people"], verified["organizations"]);
    assert!((1..=written + 1).contains(&people), "{people} of {written}");
}

#[actix_web::test]
async fn a_copy_of_a_stopped_servers_file_is_whole() {
    let (db, token) = with_ada().await;
    let copy = Db::sqlite();
    fs::copy(path(&db), path(&copy)).unwrap();
    let server = Server::start(&copy).await;
    server
        .client
        .get("/api/auth/me")
        .bearer(&token)
        .await
        .expect(200);
}

/// A connection in the middle of a read.
fn reading(db: &Db) -> SqliteConnection {
    let mut reader = SqliteConnection::establish(text(path(db))).unwrap();
    reader.batch_execute("begin").unwrap();
    sql_query("select count(*) from users")
        .execute(&mut reader)
        .unwrap();
    reader
}

#[actix_web::test]
async fn a_copy_is_whole_also_where_somebody_reads_at_the_stop() {
    let db = Db::sqlite();
    let mut server = Server::start(&db).await;
    let mut reader = reading(&db);
    let token = server.signs_up("acme").await;
    server.signal("TERM");
    // It is waited for.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    reader.batch_execute("commit").unwrap();
    assert_eq!(server.exit_code().await, Some(0), "{}", server.output());
    let copy = Db::sqlite();
    fs::copy(path(&db), path(&copy)).unwrap();
    let server = Server::start(&copy).await;
    server
        .client
        .get("/api/auth/me")
        .bearer(&token)
        .await
        .expect(200);
}

#[actix_web::test]
async fn a_stop_says_that_a_copy_would_lack_something() {
    let db = Db::sqlite();
    let mut server = Server::start(&db).await;
    let reader = reading(&db);
    server.signs_up("acme").await;
    server.signal("TERM");
    assert_eq!(server.exit_code().await, Some(0), "{}", server.output());
    assert!(
        server.output().contains("hallpass backup"),
        "{}",
        server.output()
    );
    // Nothing is lost: both files together are the database.
    drop(reader);
    assert_eq!(db.count("select count(*) from users").await, 1);
}

#[actix_web::test]
async fn a_backup_never_overwrites_and_says_what_is_in_the_way() {
    let (db, _) = with_ada().await;
    let existing = scratch::fresh_path("backup.db");
    fs::write(&existing, "mine").unwrap();
    refused(
        hallpass_on(&db, &["backup", text(&existing)]),
        1,
        &["exists already"],
    );
    assert_eq!(fs::read(&existing).unwrap(), b"mine");

    let nowhere = scratch::fresh_path("nowhere").join("backup.db");
    refused(
        hallpass_on(&db, &["backup", text(&nowhere)]),
        1,
        &["folder", "nowhere"],
    );

    let file = scratch::fresh_path("backup.db");
    fs::write(beside(&file, ".secrets"), "mine").unwrap();
    let with_secret = ["backup", text(&file), "--with-secret"];
    refused(
        hallpass_on(&db, &with_secret),
        1,
        &[".secrets exists already"],
    );
    assert!(!file.exists());

    refused(
        hallpass_on(&Db::sqlite(), &["backup", text(&file)]),
        66,
        &["DATABASE_URL"],
    );
    refused(hallpass(&["backup"]), 2, &["FILE"]);
}

#[actix_web::test]
async fn a_backup_onto_a_full_disk_leaves_nothing() {
    let (db, _) = with_ada().await;
    let file = scratch::fresh_path("backup.db");
    let full = hallpass_on(&db, &["backup", text(&file)]);
    let mut shell = Command::new("sh");
    // Writing beyond the limit is then an error, as on a full disk, and not a signal.
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""])
        .arg(full.get_program())
        .args(full.get_args())
        .env_clear()
        .envs(
            full.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    let output = shell.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains(text(&file)), "{}", stderr(&output));
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let folder = fs::read_dir(file.parent().unwrap()).unwrap();
    let left = folder.filter(|entry| {
        let entry = entry.as_ref().unwrap().file_name();
        entry.to_str().unwrap().starts_with(&name)
    });
    assert_eq!(left.count(), 0);
}

#[actix_web::test]
async fn the_secrets_are_a_file_of_their_own_that_a_server_can_use() {
    let (db, token) = with_ada().await;
    let file = scratch::fresh_path("backup.db");
    let made = succeeds(&db, &["backup", text(&file), "--with-secret"]);
    let secrets = beside(&file, ".secrets");
    assert_eq!(made["secrets"], text(&secrets));
    assert_eq!(
        fs::metadata(&secrets).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let written = fs::read_to_string(&secrets).unwrap();
    assert!(written.contains(SECRET), "{written}");
    assert!(
        !fs::read(&file)
            .unwrap()
            .windows(SECRET.len())
            .any(|it| it == SECRET.as_bytes())
    );

    let restored = Db::sqlite();
    succeeds(&restored, &["restore", text(&file)]);
    let mut command = hallpass_on(&restored, &["serve"]);
    command.env_remove("JWT_SECRET");
    fs::copy(&secrets, command.get_current_dir().unwrap().join(".env")).unwrap();
    let server = Server::run(command).await;
    server
        .client
        .get("/api/auth/me")
        .bearer(&token)
        .await
        .expect(200);
}

#[actix_web::test]
async fn a_restore_replaces_only_when_told_and_keeps_what_was_there() {
    let (db, token) = with_ada().await;
    let file = scratch::fresh_path("backup.db");
    succeeds(&db, &["backup", text(&file)]);
    let mut server = Server::start(&db).await;
    server.signs_up("beta").await;
    refused(hallpass_on(&db, &["restore", text(&file)]), 1, &["--force"]);
    let forced = ["restore", text(&file), "--force"];
    refused(
        hallpass_on(&db, &forced),
        1,
        &["in use", "stop every server"],
    );
    assert_eq!(db.count("select count(*) from users").await, 2);
    server.signal("KILL");
    server.exit_code().await;
    assert!(fs::metadata(beside(path(&db), "-wal")).unwrap().len() > 0);

    let restored = succeeds(&db, &forced);
    let replaced = PathBuf::from(restored["replaced"].as_str().unwrap());
    assert!(text(&replaced).starts_with(&format!("{}.replaced-", text(path(&db)))));
    assert!(!beside(path(&db), "-wal").exists());
    assert_eq!(db.count("select count(*) from users").await, 1);
    let replaced = Db::Sqlite { path: replaced };
    assert_eq!(replaced.count("select count(*) from users").await, 2);
    let server = Server::start(&db).await;
    server
        .client
        .get("/api/auth/me")
        .bearer(&token)
        .await
        .expect(200);
}

#[actix_web::test]
async fn what_is_no_good_backup_is_refused_and_nothing_is_lost() {
    let (db, _) = with_ada().await;
    let good = scratch::fresh_path("good.db");
    succeeds(&db, &["backup", text(&good)]);
    let other = |change: &str| {
        let path = scratch::fresh_path("other.db");
        fs::copy(&good, &path).unwrap();
        SqliteConnection::establish(text(&path))
            .unwrap()
            .batch_execute(change)
            .unwrap();
        path
    };
    let cut = scratch::fresh_path("cut.db");
    let whole = fs::read(&good).unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let stub = scratch::fresh_path("stub.db");
    fs::write(&stub, &whole[..100]).unwrap();
    let letter = scratch::fresh_path("letter.txt");
    fs::write(
        &letter,
        "Dear Ada, this is no database, and long enough to be taken for one at first.",
    )
    .unwrap();
    let empty = scratch::fresh_path("empty.db");
    File::create(&empty).unwrap();
    let foreign = scratch::fresh_path("foreign.db");
    let mut connection = SqliteConnection::establish(text(&foreign)).unwrap();
    connection
        .batch_execute("create table cats (name text)")
        .unwrap();
    let newer = other("insert into __diesel_schema_migrations (version) values ('29990101000000')");
    let orphan = other(
        "pragma foreign_keys = off; insert into recovery_codes (user_id, hash) values (x'00', 'h')",
    );
    for (file, code, words) in [
        (&cut, 65, &["cut off"][..]),
        (&stub, 65, &["cut off"]),
        (&letter, 65, &["is not a SQLite database"]),
        (&empty, 65, &["holds no database of Hallpass"]),
        (&foreign, 65, &["holds no database of Hallpass"]),
        (&newer, 65, &["29990101000000", "does not know"]),
        (&orphan, 65, &["recovery_codes refer to rows of users"]),
        (&scratch::fresh_path("none.db"), 66, &["cannot be read"]),
    ] {
        for command in [
            &["backup", "verify", text(file)][..],
            &["restore", text(file), "--force"],
        ] {
            refused(
                hallpass_on(&db, command),
                code,
                &[words, &[text(file)]].concat(),
            );
        }
    }
    assert_eq!(db.count("select count(*) from users").await, 1);
    let replaced = fs::read_dir(path(&db).parent().unwrap()).unwrap();
    let name = format!("{}.", path(&db).file_name().unwrap().to_str().unwrap());
    let left = replaced.filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_str()
            .unwrap()
            .starts_with(&name)
    });
    assert_eq!(left.count(), 0);
}

#[actix_web::test]
async fn an_older_schema_is_backed_up_as_it_is_and_migrated_when_restored() {
    let (db, token) = with_ada().await;
    db.execute(
        "drop table signing_keys;
         delete from __diesel_schema_migrations where version = '20261201000400'",
    )
    .await;
    let file = scratch::fresh_path("backup.db");
    succeeds(&db, &["backup", text(&file)]);
    let count = "select count(*) from sqlite_master where name = 'signing_keys'";
    assert_eq!(db.count(count).await, 0);
    assert_eq!(Db::Sqlite { path: file.clone() }.count(count).await, 0);
    let verified = succeeds(&db, &["backup", "verify", text(&file)]);
    assert_eq!(
        verified["migrations"],
        json!(["2026-12-01-000400_signing_keys"])
    );
    let restored = Db::sqlite();
    succeeds(&restored, &["restore", text(&file)]);
    let server = Server::start(&restored).await;
    server
        .client
        .get("/api/auth/me")
        .bearer(&token)
        .await
        .expect(200);

    db.execute("insert into __diesel_schema_migrations (version) values ('29990101000000')")
        .await;
    succeeds(&db, &["backup", text(&scratch::fresh_path("newer.db"))]);
}

#[actix_web::test]
async fn secrets_that_do_not_fit_are_named_by_what_is_lost() {
    let (db, token) = with_ada().await;
    let file = scratch::fresh_path("backup.db");
    let kid = succeeds(&db, &["backup", text(&file)])["keys"][0]["kid"].clone();
    let kid = kid.as_str().unwrap();
    let with_other = |arguments: &[&str], db: &Db| {
        let mut command = hallpass_on(db, arguments);
        command.env("JWT_SECRET", OTHER_SECRET);
        command
    };
    let words = [kid, "sessions: 1", "JWT_SECRET"];
    refused(
        with_other(&["backup", "verify", text(&file)], &db),
        78,
        &words,
    );
    let restored = Db::sqlite();
    let restore = ["restore", text(&file)];
    refused(
        with_other(&restore, &restored),
        78,
        &[&words[..], &["--without-keys"]].concat(),
    );
    assert!(!path(&restored).exists());
    let restore = ["restore", text(&file), "--without-keys"];
    assert!(
        with_other(&restore, &restored)
            .output()
            .unwrap()
            .status
            .success()
    );
    let server = Server::run(with_other(&["serve"], &restored)).await;
    server
        .client
        .get("/api/auth/me")
        .bearer(&token)
        .await
        .refused(401, "Invalid token");
    eventually("the log names the key", async || {
        server.output().contains(kid)
    })
    .await;
    drop(server);
    let doctor = with_other(&["doctor", "--json"], &restored)
        .output()
        .unwrap();
    let doctor: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    assert_eq!(doctor["lost"]["keys"][0]["kid"], kid);
    assert_eq!(doctor["lost"]["keys"][0]["sessions"], 1);
    // With both, nobody loses anything.
    let mut both = hallpass_on(&db, &["backup", "verify", text(&file)]);
    both.env("JWT_SECRET", format!("{OTHER_SECRET},{SECRET}"));
    assert_eq!(both.output().unwrap().status.code(), Some(0));
}

on_both_databases! {
    async fn what_is_lost_with_a_key_is_counted(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.enrols(&app).await;
        let hook = json!({"url": "https://example.com/hook"});
        ada.post("/api/webhooks").json(&hook).await.expect(201);
        let doctor = |secret: &str| {
            let mut command = hallpass_on(&app.db, &["doctor", "--json"]);
            let output = command.env("JWT_SECRET", secret).output().unwrap();
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            report["lost"].clone()
        };
        let nothing = json!({"keys": [], "emails": 0});
        assert_eq!(doctor(SECRET), nothing);
        assert_eq!(doctor(&format!("{OTHER_SECRET},{SECRET}")), nothing);
        let lost = doctor(OTHER_SECRET);
        let key = &lost["keys"][0];
        assert_eq!((&key["authenticators"], &key["webhooks"]), (&json!(1), &json!(1)), "{lost}");
        assert!(lost["emails"].as_i64().unwrap() > 0, "{lost}");
        // Encrypted again with another key by a server that has both.
        let mut both = app;
        both.restart_configured(|config| {
            config.tokens.secrets = vec![OTHER_SECRET.into(), SECRET.into()];
        })
        .await;
        let rows = |table: &str| format!("select count(distinct kid) from {table}");
        eventually("authenticators are sealed again", async || {
            let kid = "select kid as v from totp union select kid as v from webhooks";
            both.db.values(kid).await.len() == 1 && both.db.count(&rows("signing_keys")).await == 2
        })
        .await;
        let output = hallpass_on(&both.db, &["doctor", "--json"]).env("JWT_SECRET", OTHER_SECRET).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        for key in report["lost"]["keys"].as_array().unwrap() {
            assert_eq!((&key["authenticators"], &key["webhooks"]), (&json!(0), &json!(0)), "{report}");
        }
    }
}

#[actix_web::test]
async fn no_secret_is_generated_beside_a_database_that_needs_another() {
    let (db, _) = with_ada().await;
    for command in ["serve", "migrate", "dev"] {
        let mut command = hallpass_on(&db, &[command]);
        command.env_remove("JWT_SECRET").env("PORT", "0");
        refused(command, 78, &["JWT_SECRET", "sessions: 1", ".jwt-secret"]);
        assert!(!beside(path(&db), ".jwt-secret").exists());
    }
    // One that nobody has used needs none.
    let unused = Db::sqlite();
    assert!(run(&unused, &["migrate"]).status.success());
    let mut command = hallpass_on(&unused, &["migrate"]);
    command.env_remove("JWT_SECRET");
    assert!(command.output().unwrap().status.success());
    assert!(beside(path(&unused), ".jwt-secret").exists());
}

#[actix_web::test]
async fn on_postgresql_the_tool_for_it_is_named_without_the_password() {
    let db = Db::Postgres {
        url: "postgres://hallpass:open-sesame@db.example:5433/hallpass".to_owned(),
    };
    let output = run(&db, &["backup", "/backup/it's.dump"]);
    let why = stderr(&output);
    assert_eq!(output.status.code(), Some(64), "{why}");
    assert!(!why.contains("open-sesame"), "{why}");
    for word in [
        r"pg_dump --format=custom --file='/backup/it'\''s.dump' 'postgres://hallpass@db.example:5433/hallpass'",
        "JWT_SECRET",
        "JWT_SIGNING_KEY",
    ] {
        assert!(why.contains(word), "no {word} in {why}");
    }
    refused(
        hallpass_on(&db, &["restore", "/backup/x.dump"]),
        64,
        &["pg_restore"],
    );
}
