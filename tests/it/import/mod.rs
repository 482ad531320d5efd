//! `hallpass import`, as operators run it, beside a server.

mod again;
mod conflicts;
mod input;
mod interrupted;
mod people;
mod undo;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::process::{hallpass_on, stderr};
use crate::support::{Db, TestApp, scratch};

/// A team with a tree of managers, of whom the lowest come first, one by an address in another case.
const TEAM: &str = "id,email,name,role,boss,company,verified
u3,cleo@acme.example,Cleo,Staff,BOB@acme.example,Acme Inc,true
u2,bob@acme.example,Bob,Lead,ada@acme.example,Acme Inc,false
u1,ada@acme.example,Ada Lovelace,Boss,,Acme Inc,true
u4,dan@acme.example,Dan,Staff,bob@acme.example,Acme Inc,true
";

const MAPPING: &str = r#"
source = "acme-app"
[person]
external_id = "id"
email = "email"
verified = "verified"
name = "name"
created = { from = "created", optional = true }
disabled = { from = "disabled", optional = true }
password = { from = "password", scheme = "bcrypt", optional = true }
[membership]
organization = { from = "company", create = true }
role = { from = "role", map = { Boss = "admin", Lead = "manager", "*" = "employee" } }
manager = { from = "boss", by = "email" }
[slack]
user = { from = "slack_user", optional = true }
team = { from = "slack_team", optional = true }
[totp]
secret = { from = "totp", encoding = "base32", optional = true }
[recovery]
codes = { from = "codes", optional = true }
"#;

/// Files for a run.
struct Files(PathBuf);

impl Files {
    fn new(people: &str) -> Self {
        Self::with(people, MAPPING)
    }

    fn with(people: &str, mapping: &str) -> Self {
        let files = Self(scratch::fresh_directory("import"));
        files.write("people.csv", people);
        files.write("map.toml", mapping);
        files
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// The command with these files and more arguments.
    fn command(&self, db: &Db, more: &[&str]) -> Command {
        let (people, map) = (self.path("people.csv"), self.path("map.toml"));
        let arguments = [&["import", &people, "--map", &map], more].concat();
        hallpass_on(db, &arguments)
    }

    fn run(&self, db: &Db, more: &[&str]) -> Output {
        self.command(db, more).output().unwrap()
    }

    /// Imports, expects the exit code, and returns what is printed as JSON.
    #[track_caller]
    fn import(&self, db: &Db, code: i32, more: &[&str]) -> Value {
        let output = self.run(db, &[more, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Runs another command, expects the exit code, and returns what is printed as JSON.
#[track_caller]
fn command(db: &Db, code: i32, arguments: &[&str]) -> Value {
    let output = hallpass_on(db, &[arguments, &["--json"]].concat())
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {}",
        stderr(&output)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Created, updated, unchanged, refused.
fn counts(printed: &Value) -> [u64; 4] {
    ["created", "updated", "unchanged", "refused"]
        .map(|count| printed["summary"][count].as_u64().unwrap())
}

/// The codes of groups, with their rows.
fn groups(printed: &Value) -> Vec<(String, Vec<u64>)> {
    let groups = printed["summary"]["groups"].as_array().unwrap();
    let group = |group: &Value| {
        let rows = group["rows"].as_array().unwrap();
        let rows = rows.iter().map(|row| row.as_u64().unwrap()).collect();
        (group["code"].as_str().unwrap().to_owned(), rows)
    };
    groups.iter().map(group).collect()
}

/// Whoever has an address, and who their manager is, by address.
async fn managers(app: &TestApp) -> Vec<String> {
    let mut found: Vec<String> = app
        .db
        .values(
            "select person.email || ' < ' || coalesce(boss.email, '-') || ' ' || m.role as v
             from memberships as m join users as person on person.id = m.user_id
             left join users as boss on boss.id = m.manager_id",
        )
        .await
        .into_iter()
        .flatten()
        .collect();
    found.sort();
    found
}
