//! Addresses that belong to somebody here already.

use super::{Files, command, counts, groups};
use crate::process::stderr;
use crate::support::{TestApp, on_both_databases};

const PEOPLE: &str = "id,email,name,role,boss,company,verified
u1,boss@new.example,Boss,Boss,,New,true
u2,Ada@acme.example,Somebody else,Staff,boss@new.example,New,true
";

on_both_databases! {
    async fn an_account_that_was_here_is_left_alone(app: TestApp) {
        app.signs_up_verified("Acme", "ada@acme.example").await;
        let printed = Files::new(PEOPLE).import(&app.db, 65, &["--yes"]);
        assert_eq!(counts(&printed), [1, 0, 0, 1]);
        assert_eq!(groups(&printed), [("email_taken".to_owned(), vec![3])]);
        let name = "select count(*) from users where name = 'Somebody else'";
        assert_eq!(app.db.count(name).await, 0);
    }

    async fn an_account_is_linked_if_both_sides_have_verified_the_address(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let printed = Files::new(PEOPLE).import(&app.db, 0, &["--yes", "--on-conflict", "update"]);
        assert_eq!(counts(&printed), [1, 1, 0, 0]);
        let places = "select count(*) from memberships as m join users as u on u.id = m.user_id
            where u.email = 'ada@acme.example'";
        assert_eq!(app.db.count(places).await, 2);
        // The password is still theirs.
        ada.signs_in_again().await;
        let linked = "select count(*) from external_ids where run_id is null and external_id = 'u2'";
        assert_eq!(app.db.count(linked).await, 1);
        // An undo takes nothing from who was here.
        let runs = command(&app.db, 0, &["import", "status"]);
        command(&app.db, 0, &["import", "undo", runs[0]["id"].as_str().unwrap(), "--yes"]);
        ada.signs_in_again().await;
    }

    async fn an_address_that_is_not_verified_links_nobody(app: TestApp) {
        app.signs_up("Acme", "ada@acme.example").await;
        let update = ["--yes", "--on-conflict", "update"];
        let printed = Files::new(PEOPLE).import(&app.db, 65, &update);
        assert_eq!(groups(&printed), [("email_not_verified".to_owned(), vec![3])]);
        app.verifies_address("ada@acme.example").await;
        let unverified = PEOPLE.replace("boss@new.example,New,true", "boss@new.example,New,false");
        let printed = Files::new(&unverified).import(&app.db, 65, &update);
        assert_eq!(groups(&printed), [("email_not_verified".to_owned(), vec![3])]);
    }

    async fn a_run_that_is_to_stop_at_a_conflict_writes_nothing_of_the_batch(app: TestApp) {
        app.signs_up_verified("Acme", "ada@acme.example").await;
        let output = Files::new(PEOPLE).run(&app.db, &["--yes", "--on-conflict", "fail"]);
        assert_eq!(output.status.code(), Some(65));
        assert!(stderr(&output).contains("row 3"), "{}", stderr(&output));
        assert_eq!(app.db.count("select count(*) from external_ids").await, 0);
    }

    async fn two_people_of_a_source_are_never_merged(app: TestApp) {
        let files = Files::new(PEOPLE);
        files.import(&app.db, 0, &["--yes"]);
        let other = "id,email,name,role,boss,company,verified\nu7,ada@acme.example,Ada,Staff,,New,true\n";
        files.write("people.csv", other);
        let printed = files.import(&app.db, 65, &["--yes"]);
        assert_eq!(groups(&printed), [("email_twice".to_owned(), vec![2])]);
    }
}
