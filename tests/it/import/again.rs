//! A second run: the same one if nothing has changed, and never over what a person changed here.

use serde_json::json;

use super::{Files, TEAM, counts, groups, managers};
use crate::support::{Db, TestApp, on_both_databases};

/// How many rows there are in what a run may write.
async fn rows(db: &Db) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "users",
        "memberships",
        "external_ids",
        "audit",
        "changes",
        "outbox",
    ] {
        counts.push(db.count(&format!("select count(*) from {table}")).await);
    }
    counts
}

on_both_databases! {
    async fn a_run_without_news_writes_nothing_about_people(app: TestApp) {
        let files = Files::new(TEAM);
        files.import(&app.db, 0, &["--yes"]);
        let before = rows(&app.db).await;
        let printed = files.import(&app.db, 0, &["--yes"]);
        assert_eq!(counts(&printed), [0, 0, 4, 0]);
        assert_eq!(rows(&app.db).await, before);
    }

    async fn what_has_changed_in_the_source_is_taken_over(app: TestApp) {
        let files = Files::new(TEAM);
        files.import(&app.db, 0, &["--yes"]);
        files.write("people.csv", &TEAM
            .replace("Cleo,Staff,BOB@acme.example", "Cleopatra,Lead,ada@acme.example")
            .replace("dan@acme.example,Dan", "daniel@acme.example,Dan"));
        let printed = files.import(&app.db, 0, &["--yes"]);
        assert_eq!(counts(&printed), [0, 2, 2, 0]);
        assert_eq!(managers(&app).await, [
            "ada@acme.example < - admin",
            "bob@acme.example < ada@acme.example manager",
            "cleo@acme.example < ada@acme.example manager",
            "daniel@acme.example < bob@acme.example employee",
        ]);
        let name = "select name as v from users where email = 'cleo@acme.example'";
        assert_eq!(app.db.values(name).await, [Some("Cleopatra".to_owned())]);
        let heard = "select count(*) from changes where kind = 'person_changed'";
        assert_eq!(app.db.count(heard).await, 2);
    }

    async fn what_a_person_changed_here_is_kept(app: TestApp) {
        let files = Files::new(TEAM);
        files.import(&app.db, 0, &["--yes"]);
        app.db.execute("update users set name = 'Bobby' where email = 'bob@acme.example'").await;
        app.db.execute("update users set email = 'own@acme.example' where email = 'dan@acme.example'").await;
        let changed = TEAM.replace(",Bob,", ",Robert,").replace("dan@acme.example", "daniel@acme.example");
        files.write("people.csv", &changed);
        let printed = files.import(&app.db, 0, &["--yes"]);
        assert_eq!(counts(&printed), [0, 0, 4, 0]);
        let mut kept: Vec<String> = groups(&printed).into_iter().map(|(code, _)| code).collect();
        kept.sort();
        assert_eq!(kept, ["kept_email", "kept_name"]);
        let own = "select count(*) from users where name = 'Bobby' or email = 'own@acme.example'";
        assert_eq!(app.db.count(own).await, 2);
        // The next run says nothing of it any more.
        let printed = files.import(&app.db, 0, &["--yes"]);
        assert_eq!((counts(&printed), groups(&printed)), ([0, 0, 4, 0], vec![]));
    }

    async fn a_password_that_was_set_here_is_never_replaced(app: TestApp) {
        let with = |hash: &str| format!(
            "id,email,name,role,boss,company,verified,password\n\
             u1,ada@acme.example,Ada,Boss,,Acme,true,$2b$05$abcdefghijklmnopqrstuu{hash}\n"
        );
        let [one, two, three] = ["A", "B", "C"].map(|letter| letter.repeat(30) + "O");
        let files = Files::new(&with(&one));
        files.import(&app.db, 0, &["--yes"]);
        files.write("people.csv", &with(&two));
        assert_eq!(counts(&files.import(&app.db, 0, &["--yes"])), [0, 1, 0, 0]);
        let stored = format!("select count(*) from users where password_hash like '%{two}'");
        assert_eq!(app.db.count(&stored).await, 1);
        super::people::sets_password(&app, "ada@acme.example");
        files.write("people.csv", &with(&three));
        let printed = files.import(&app.db, 0, &["--yes"]);
        assert_eq!((counts(&printed), groups(&printed)), ([0, 0, 1, 0], vec![("kept_password".to_owned(), vec![2])]));
        app.logs_in("ada@acme.example", crate::support::PASSWORD).await;
    }

    async fn an_organization_that_was_renamed_here_is_found_again(app: TestApp) {
        let files = Files::new(TEAM);
        files.import(&app.db, 0, &["--yes"]);
        super::people::sets_password(&app, "ada@acme.example");
        let ada = app.logs_in("ada@acme.example", crate::support::PASSWORD).await;
        ada.sets_rules(&json!({"name": "Acme Limited", "slug": "limited"})).await;
        files.write("people.csv", &format!("{TEAM}u9,eve@acme.example,Eve,Staff,,Acme Inc,true\n"));
        let printed = files.import(&app.db, 0, &["--yes"]);
        assert_eq!((counts(&printed), &printed["summary"]["organizations"]), ([1, 0, 4, 0], &json!(0)));
        assert_eq!(ada.sees().await.len(), 5);
    }
}
