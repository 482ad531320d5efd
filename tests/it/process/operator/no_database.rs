//! Where a command finds no database it creates nothing; where it finds one, it names it.

use std::fs;
use std::process::Command;

use super::{PASSWORD, run};
use crate::process::{hallpass, hallpass_on, stderr, stdout};
use crate::support::cluster::Cluster;
use crate::support::{Db, SECRET, on_both_databases, scratch};

/// Every command that needs a database and does not create one.
const COMMANDS: &[&str] = &[
    "import sessions /dev/null --source nextauth",
    "org create Acme",
    "org list",
    "org members acme",
    "org invite acme bob@acme.example",
    "org set-policy acme --join invite",
    "user create bob@acme.example --name Bob --organization acme",
    "user list",
    "user set-password bob@acme.example",
    "user reset-link bob@acme.example",
    "user verify bob@acme.example",
    "user set-email bob@acme.example eve@acme.example",
    "user disable bob@acme.example",
    "user export bob@acme.example",
    "user enable bob@acme.example",
    "user unlock bob@acme.example",
    "user reset-mfa bob@acme.example",
    "user set-role bob@acme.example admin --organization acme",
    "user join bob@acme.example --organization acme",
    "user move bob@acme.example --from acme --to beta",
    "user sessions list bob@acme.example",
    "user sessions end bob@acme.example --all",
    "import people.csv --preset nextauth --yes",
    "import status",
    "import undo 01997f0c-7d3a-7c55-9f0e-2f3f1f1d2b11 --yes",
    "import check 01997f0c-7d3a-7c55-9f0e-2f3f1f1d2b11",
    "import resume 01997f0c-7d3a-7c55-9f0e-2f3f1f1d2b11",
    "service add billing",
    "service list",
    "service remove billing",
    "export",
];

fn finds_none(command: Command, place: &str) {
    let output = run(command, PASSWORD);
    let why = stderr(&output);
    assert_eq!(output.status.code(), Some(66), "{why}");
    assert!(why.contains(place) && why.contains("DATABASE_URL"), "{why}");
    assert!(!why.contains("open-sesame"), "{why}");
    assert_eq!(stdout(&output), "");
}

#[test]
fn no_command_creates_a_sqlite_database() {
    for command in COMMANDS {
        let words: Vec<&str> = command.split(' ').collect();
        let mut command = hallpass(&words);
        let directory = command.get_current_dir().unwrap().to_owned();
        command.env("BCRYPT_COST", "10");
        finds_none(
            command,
            &directory.join("hallpass.db").display().to_string(),
        );
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0, "{words:?}");
    }
    // An empty file is no database either.
    let path = scratch::fresh_path("hallpass.db");
    fs::write(&path, "").unwrap();
    let db = Db::Sqlite { path: path.clone() };
    finds_none(hallpass_on(&db, &["user", "list"]), path.to_str().unwrap());
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[actix_web::test]
async fn no_command_creates_tables_in_postgresql() {
    let Some(empty) = Db::empty_postgres().await else {
        return;
    };
    let place = empty.url();
    let place = place.rsplit('/').next().unwrap().to_owned();
    let missing = Cluster::shared().unwrap().url("nowhere");
    let with_password = missing.replacen("@", ":open-sesame@", 1);
    for command in COMMANDS {
        let words: Vec<&str> = command.split(' ').collect();
        finds_none(hallpass_on(&empty, &words), &place);
        for url in [&missing, &with_password] {
            let db = Db::Postgres { url: url.clone() };
            finds_none(hallpass_on(&db, &words), "/nowhere");
        }
    }
    let tables = "select count(*) from pg_tables where schemaname = 'public'";
    assert_eq!(empty.count(tables).await, 0);
}

#[test]
fn no_command_makes_a_secret_of_its_own() {
    let db = Db::sqlite();
    assert!(
        hallpass_on(&db, &["migrate"])
            .output()
            .unwrap()
            .status
            .success()
    );
    let Db::Sqlite { path } = &db else {
        panic!("{db:?}")
    };
    let list = |secret: Option<&str>| {
        let mut command = hallpass_on(&db, &["user", "list"]);
        command.env_remove("JWT_SECRET");
        if let Some(secret) = secret {
            command.env("JWT_SECRET", secret);
        }
        command.output().unwrap()
    };
    let without = list(None);
    assert_eq!(without.status.code(), Some(78), "{}", stderr(&without));
    assert!(stderr(&without).contains("JWT_SECRET"));
    assert!(!path.with_extension("db.jwt-secret").exists());
    assert_eq!(list(Some(SECRET)).status.code(), Some(0));
}

on_both_databases! {
    async fn every_command_names_its_database_on_standard_error(db: Db) {
        let place = match &db {
            Db::Sqlite { path } => path.display().to_string(),
            Db::Postgres { url } => url.clone(),
        };
        for command in [&["migrate"][..], &["org", "create", "Acme"], &["org", "list"], &["doctor"]] {
            let output = hallpass_on(&db, &[command, &["--json"]].concat()).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{command:?}: {}", stderr(&output));
            assert_eq!(stderr(&output).trim_end(), format!("database: {place}"), "{command:?}");
            let _: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        }
    }
}
