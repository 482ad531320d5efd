//! The pages about moving in, with files that real producers wrote, and an import of what an export wrote.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::process::{hallpass_on, stderr};
use crate::support::{Db, PASSWORD, SECRET, TestApp, on_both_databases, scratch};

/// Pages with their commands: what stands between "```sh" and "```".
fn pages() -> Vec<(String, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = fs::read_dir(root.join("docs/moving-in")).unwrap();
    let mut pages: Vec<PathBuf> = pages.map(|page| page.unwrap().path()).collect();
    pages.sort();
    let commands = |page: &Path| {
        let text = fs::read_to_string(page).unwrap();
        let blocks = text.split("```sh\n").skip(1);
        blocks
            .map(|rest| rest.split("```").next().unwrap().to_owned())
            .collect()
    };
    pages
        .iter()
        .map(|page| {
            let name = page.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, commands(page))
        })
        .collect()
}

/// A copy of what a system has written, because SQLite writes beside the files that it reads.
fn files_of(system: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = root.join("crates/people-files/tests/sources").join(system);
    if !files.is_dir() {
        return None;
    }
    let copy = scratch::fresh_path(system);
    fs::create_dir(&copy).unwrap();
    for file in fs::read_dir(files).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
    }
    Some(copy)
}

/// The exit code, and what was printed.
fn runs(commands: &str, db: &Db, directory: &Path) -> (Option<i32>, String) {
    let run = hallpass_on(db, &[]);
    let program = Path::new(run.get_program()).parent().unwrap().display();
    let output = Command::new("sh")
        .args(["-e", "-c", commands])
        .env_clear()
        .env("PATH", format!("{program}:/usr/bin:/bin"))
        .env("BCRYPT_COST", "10")
        .env("JWT_SECRET", SECRET)
        .env("DATABASE_URL", db.url())
        .current_dir(directory)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    (output.status.code(), format!("{text}{}", stderr(&output)))
}

on_both_databases! {
    async fn the_commands_of_every_page_about_moving_in_do_what_they_say(db: Db) {
        assert!(hallpass_on(&db, &["migrate"]).output().unwrap().status.success());
        let mut count = 0;
        for (system, commands) in pages() {
            let Some(directory) = files_of(&system) else {
                continue;
            };
            assert!(!commands.is_empty(), "{system} has no commands");
            for commands in commands {
                for command in split(&commands) {
                    let (code, printed) = runs(&command, &db, &directory);
                    assert!(matches!(code, Some(0 | 3 | 65)), "{system}: {command}: {code:?} {printed}");
                    count += 1;
                }
            }
        }
        assert!(count > 20, "only {count} commands were run");
    }

    async fn who_was_exported_is_the_same_after_an_import(app: TestApp) {
        let ada = app.signs_up_verified("Acme, Inc.", "ada@acme.example").await;
        let bob = app.joins_invited(&ada, "bob@acme.example", "employee").await;
        let place = json!({"managerId": ada.id()});
        ada.patch(&format!("/api/users/{}", bob.id())).json(&place).await.expect(200);
        app.joins_invited(&ada, "eve@acme.example", "manager").await;
        app.disables("eve@acme.example").await;
        let authenticator = bob.enrols(&app).await;
        let first = exported(&app.db);

        let there = TestApp::start(app.db.fresh().await).await;
        let file = scratch::fresh_path("people.ndjson");
        fs::write(&file, first.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        let arguments = ["import", file.to_str().unwrap(), "--preset", "hallpass", "--yes"];
        let output = hallpass_on(&there.db, &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(what_comes_along(&exported(&there.db)), what_comes_along(&first));

        there.logs_in("ada@acme.example", PASSWORD).await.me().await.expect(200);
        let token = there.takes_first_step("bob@acme.example").await;
        there.shows_code(&token, &authenticator.code(&there)).await.expect(200);
    }
}

/// Lines of a block, with the settings that it exports before each command.
fn split(commands: &str) -> Vec<String> {
    let mut settings = String::new();
    let mut split = Vec::new();
    let joined = commands.replace("\\\n", " ");
    for line in joined
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        if line.starts_with("export ") {
            settings.push_str(&format!("{line}\n"));
        } else if !line.starts_with('#') {
            split.push(format!("{settings}{line}"));
        }
    }
    split
}

fn exported(db: &Db) -> Vec<Value> {
    let file = scratch::fresh_path("export.ndjson");
    let arguments = ["export", file.to_str().unwrap(), "--with-secrets"];
    let output = hallpass_on(db, &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Not recovery codes, which are hashed, nor the times of what happened. A password is another text until its owner signs
/// in.
fn what_comes_along(people: &[Value]) -> Vec<Value> {
    let membership = |it: &Value| {
        json!([
            it["organization"],
            it["organization_name"],
            it["role"],
            it["manager"]
        ])
    };
    let person = |it: &Value| {
        let memberships = it["memberships"].as_array().unwrap().iter();
        json!({
            "id": it["id"],
            "email": it["email"],
            "verified": it["email_verified_at"].is_string(),
            "names": [it["name"], it["first_name"], it["last_name"]],
            "disabled": it["disabled_at"].is_string(),
            "memberships": memberships.map(membership).collect::<Vec<_>>(),
            "slack": it["slack"],
            "totp": it["totp"],
            "password": it["password_hash"].is_string(),
        })
    };
    people.iter().map(person).collect()
}
