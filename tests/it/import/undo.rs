//! The way back, for whoever has not signed in yet.

use super::{Files, TEAM, command};
use crate::support::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    async fn an_undo_removes_everybody_and_their_organization(app: TestApp) {
        let other = app.signs_up("Other", "zoe@other.example").await;
        Files::new(TEAM).import(&app.db, 0, &["--yes"]);
        let runs = command(&app.db, 0, &["import", "status"]);
        let id = runs[0]["id"].as_str().unwrap();
        let undone = command(&app.db, 0, &["import", "undo", id, "--yes"]);
        assert_eq!((&undone["removed"], &undone["removedOrganizations"]), (&4.into(), &1.into()));
        assert_eq!(app.db.count("select count(*) from users").await, 1);
        assert_eq!(app.db.count("select count(*) from organizations").await, 1);
        assert_eq!(app.db.count("select count(*) from external_ids").await, 0);
        other.me().await.expect(200);
        command_fails(&app, &["import", "undo", id, "--yes"], "undone already");
        command_fails(&app, &["import", "resume", id], "nothing to resume");
        // Then it can be imported again.
        Files::new(TEAM).import(&app.db, 0, &["--yes"]);
    }

    async fn whoever_has_signed_in_stays_and_so_does_their_admin(app: TestApp) {
        Files::new(TEAM).import(&app.db, 0, &["--yes"]);
        super::people::sets_password(&app, "bob@acme.example");
        let bob = app.logs_in("bob@acme.example", PASSWORD).await;
        let runs = command(&app.db, 0, &["import", "status"]);
        let id = runs[0]["id"].as_str().unwrap();
        let undone = command(&app.db, 0, &["import", "undo", id, "--yes"]);
        assert_eq!((&undone["removed"], &undone["removedOrganizations"]), (&2.into(), &0.into()));
        let kept = undone["kept"].as_array().unwrap();
        let mut kept: Vec<_> = kept.iter().map(|it| (it["externalId"].as_str().unwrap(), it["why"].as_str().unwrap())).collect();
        kept.sort_unstable();
        assert_eq!(kept, [("u1", "only_admin"), ("u2", "signed_in")]);
        bob.me().await.expect(200);
    }
}

fn command_fails(app: &TestApp, arguments: &[&str], words: &str) {
    let output = crate::process::hallpass_on(&app.db, arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(65), "{arguments:?}");
    assert!(
        crate::process::stderr(&output).contains(words),
        "{}",
        crate::process::stderr(&output)
    );
}
