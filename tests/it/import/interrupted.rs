//! Runs that are stopped, killed, or begun twice.

use std::fmt::Write as _;
use std::process::Stdio;

use super::{Files, command};
use crate::process::stderr;
use crate::support::{TestApp, eventually, on_both_databases};

/// A tree with ten reports for each manager.
fn tree(people: i64) -> String {
    let mut text = "id,email,name,role,boss,company,verified\n".to_owned();
    for n in 0..people {
        let role = if n == 0 { "Boss" } else { "Staff" };
        let boss = if n == 0 {
            String::new()
        } else {
            format!("p{}@acme.example", (n - 1) / 10)
        };
        writeln!(
            text,
            "u{n},p{n}@acme.example,Person {n},{role},{boss},Acme,true"
        )
        .unwrap();
    }
    text
}

on_both_databases! {
    async fn a_run_that_is_killed_goes_on_where_it_was(app: TestApp) {
        const PEOPLE: i64 = 6_000;
        let files = Files::new(&tree(PEOPLE));
        let mut running = files.command(&app.db, &["--yes"]);
        let mut running = running.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let count = "select count(*) from external_ids";
        eventually("a batch is written", async || app.db.count(count).await > 0).await;
        running.kill().unwrap();
        running.wait().unwrap();
        let done = app.db.count(count).await;
        assert!(done < PEOPLE, "it was too fast to be killed");
        let rows_done = "select rows_done from imports";
        assert_eq!(app.db.count(rows_done).await, done, "half a batch");
        let headless = "select count(*) from users where not exists (
            select 1 from memberships where user_id = users.id)";
        assert_eq!(app.db.count(headless).await, 0);

        let other = files.run(&app.db, &["--yes"]);
        assert_eq!(other.status.code(), Some(65), "{}", stderr(&other));
        let runs = command(&app.db, 0, &["import", "status"]);
        assert_eq!((runs.as_array().unwrap().len(), &runs[0]["state"]), (1, &"running".into()));
        let id = runs[0]["id"].as_str().unwrap();
        let printed = command(&app.db, 0, &["import", "resume", id]);
        assert_eq!(printed["summary"]["created"], PEOPLE - done);
        assert_eq!(app.db.count(count).await, PEOPLE);
        assert_eq!(app.db.count("select count(distinct user_id) from external_ids").await, PEOPLE);
        let under_the_first = "select count(*) from reporting_lines as l join users as u on u.id = l.manager_id
            where u.email = 'p0@acme.example'";
        assert_eq!(app.db.count(under_the_first).await, PEOPLE);
        let runs = command(&app.db, 0, &["import", "status", id]);
        assert_eq!((&runs[0]["state"], &runs[0]["created"]), (&"finished".into(), &PEOPLE.into()));
    }

    async fn a_run_that_is_told_to_stop_ends_its_batch_and_can_be_resumed(app: TestApp) {
        const PEOPLE: i64 = 6_000;
        let files = Files::new(&tree(PEOPLE));
        let mut running = files.command(&app.db, &["--yes"]);
        let running = running.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let count = "select count(*) from external_ids";
        eventually("a batch is written", async || app.db.count(count).await > 0).await;
        let kill = format!("kill -INT {}", running.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let output = running.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        assert!(stderr(&output).contains("hallpass import resume"), "{}", stderr(&output));
        let runs = command(&app.db, 0, &["import", "status"]);
        assert_eq!(runs[0]["state"], "stopped");
        command(&app.db, 0, &["import", "resume", runs[0]["id"].as_str().unwrap()]);
        assert_eq!(app.db.count(count).await, PEOPLE);
    }

    async fn a_second_import_waits_for_the_first(app: TestApp) {
        let files = Files::new(&tree(3));
        files.import(&app.db, 0, &["--yes"]);
        let now = chrono::Utc::now();
        let at = match app.db.id("00000000-0000-0000-0000-000000000000").starts_with('x') {
            true => now.timestamp_micros().to_string(),
            false => format!("'{}'", now.to_rfc3339()),
        };
        let goes_on = format!("update imports set state = 'running', seen_at = {at}");
        app.db.execute(&goes_on).await;
        let output = files.run(&app.db, &["--yes"]);
        assert_eq!(output.status.code(), Some(65));
        assert!(stderr(&output).contains("is running"), "{}", stderr(&output));
    }
}
