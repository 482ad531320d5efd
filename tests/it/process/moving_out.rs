//! Everybody in a file for another system, and the pages that say how.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::process::{hallpass_on, stderr};
use crate::support::{Db, OTHER_SECRET, SECRET, TestApp, on_both_databases, scratch};

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn exports(db: &Db, arguments: &[&str]) -> Vec<Value> {
    let output = hallpass_on(db, &[&["export"], arguments].concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    lines(&String::from_utf8(output.stdout).unwrap())
}

fn of<'a>(lines: &'a [Value], email: &str) -> &'a Value {
    lines.iter().find(|line| line["email"] == email).unwrap()
}

on_both_databases! {
    async fn an_export_has_everybody_with_all_that_others_need(app: TestApp) {
        let ada = app.signs_up_verified("Acme, Inc.", "ada@acme.example").await;
        let bob = app.joins_invited(&ada, "bob@acme.example", "employee").await;
        let place = json!({"managerId": ada.id()});
        ada.patch(&format!("/api/users/{}", bob.id())).json(&place).await.expect(200);
        app.signs_up("Beta", "eve@beta.example").await;
        app.disables("eve@beta.example").await;
        let bobs_id = app.db.id(bob.id());
        app.db
            .execute(&format!(
                "insert into identities (provider, team_id, external_id, user_id, created_at, is_workspace_admin, id)
                 select 'slack', 'T1', 'U1', id, created_at, false, id from users where id = {bobs_id};
                 insert into external_ids (source, external_id, user_id, imported_at, fingerprint)
                 select 'old-app', '42', id, created_at, '' from users where id = {bobs_id}"
            ))
            .await;
        let authenticator = bob.enrols(&app).await;

        let people = exports(&app.db, &[]);
        assert_eq!(people.len(), 3);
        let line = of(&people, "bob@acme.example");
        assert_eq!(line["id"], bob.id());
        assert_eq!(line["external_ids"], json!([{"source": "old-app", "external_id": "42"}]));
        assert!(line["email_verified_at"].is_string() && line["created_at"].is_string(), "{line}");
        assert_eq!((&line["name"], &line["disabled_at"]), (&json!("Grace Hopper"), &Value::Null));
        assert_eq!(line["slack"], json!([{"team": "T1", "user": "U1"}]));
        let membership = &line["memberships"][0];
        assert_eq!(membership["organization"], "acme-inc");
        assert_eq!(membership["organization_name"], "Acme, Inc.");
        assert_eq!((&membership["role"], &membership["manager"]), (&json!("employee"), &json!(ada.id())));
        assert!(of(&people, "eve@beta.example")["disabled_at"].is_string());
        for line in &people {
            for secret in ["password_hash", "totp", "recovery_code_hashes"] {
                assert!(line.get(secret).is_none(), "{line}");
            }
        }

        let file = scratch::fresh_path("people.ndjson");
        let path = file.to_str().unwrap();
        assert!(exports(&app.db, &[path, "--with-secrets"]).is_empty());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let people = lines(&fs::read_to_string(&file).unwrap());
        let line = of(&people, "bob@acme.example");
        assert!(line["password_hash"].as_str().unwrap().starts_with("$2"), "{line}");
        assert_eq!(line["recovery_code_hashes"].as_array().unwrap().len(), authenticator.recovery_codes.len());
        let shown = hallpass::crypto::totp::Secret::from_base32(line["totp"].as_str().unwrap()).unwrap();
        let step = hallpass::crypto::totp::step_at(hallpass::ports::Clock::now(&*app.clock));
        assert_eq!(shown.code(step).to_string(), authenticator.code(&app));
        assert_eq!(of(&people, "ada@acme.example")["totp"], Value::Null);

        // A file is never overwritten, and none is left of an export that failed.
        let again = hallpass_on(&app.db, &["export", path]).output().unwrap();
        assert_eq!(again.status.code(), Some(1), "{}", stderr(&again));
        let other = scratch::fresh_path("other.ndjson");
        let mut command = hallpass_on(&app.db, &["export", other.to_str().unwrap(), "--with-secrets"]);
        let lost = command.env("JWT_SECRET", OTHER_SECRET).output().unwrap();
        assert_eq!(lost.status.code(), Some(78), "{}", stderr(&lost));
        assert!(stderr(&lost).contains(bob.id()) && stderr(&lost).contains("JWT_SECRET"));
        assert!(!other.exists());
        let rows = "select count(*) from audit where action = 'user.exported' and subject_id is null";
        assert_eq!(app.db.count(rows).await, 3);
    }

    async fn an_export_of_many_pages_has_everybody_once(db: Db) {
        assert!(hallpass_on(&db, &["migrate"]).output().unwrap().status.success());
        let numbers = match &db {
            Db::Sqlite { .. } => {
                "with recursive n (i) as (select 1 union all select i + 1 from n where i < 1201)
                 insert into users (id, email, name, created_at, updated_at)
                 select unhex(printf('%032x', i)), 'p' || i || '@acme.example', 'P ' || i, 1, 1 from n"
            }
            Db::Postgres { .. } => {
                "insert into users (id, email, name, created_at, updated_at)
                 select lpad(to_hex(i), 32, '0')::uuid, 'p' || i || '@acme.example', 'P ' || i, now(), now()
                 from generate_series(1, 1201) as i"
            }
        };
        db.execute(numbers).await;
        let mut ids: Vec<String> = exports(&db, &[]).iter().map(|line| line["id"].to_string()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1201);
    }
}

/// Runs the commands of a section, one after the other, in this directory.
fn runs_the_commands_of((page, heading): (&str, &str), db: &Db, directory: &Path) {
    let section = page.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let block = section
        .split("```sh\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let run = hallpass_on(db, &[]);
    let program = Path::new(run.get_program());
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let output = Command::new("sh")
        .args(["-e", "-c", block])
        .env_clear()
        .env("PATH", path)
        .env("BCRYPT_COST", "10")
        .env("JWT_SECRET", SECRET)
        .env("DATABASE_URL", db.url())
        .env(
            "NEW_DATABASE_URL",
            format!("sqlite:{}", directory.join("new.db").display()),
        )
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{block}: {}", stderr(&output));
}

#[actix_web::test]
async fn the_commands_of_the_pages_work() {
    let mut app = TestApp::start(Db::sqlite()).await;
    app.signs_up("Acme", "ada@example.com").await;
    let backup = include_str!("../../../docs/backup-and-restore.md");
    let directory = scratch::fresh_directory("pages");
    let run = |page, db: &Db| runs_the_commands_of(page, db, &directory);
    run((backup, "Back up"), &app.db);
    let moving = include_str!("../../../docs/moving-out.md");
    run((moving, "Everybody as a file"), &app.db);
    run((moving, "To another database"), &app.db);
    app.stop().await;
    run((backup, "Restore"), &app.db);
}
