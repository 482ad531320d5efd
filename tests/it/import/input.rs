//! What is wrong with files is found before anything is written.

use super::{Files, MAPPING, TEAM, counts, groups};
use crate::process::stderr;
use crate::support::{TestApp, on_both_databases};

on_both_databases! {
    async fn a_dry_run_says_what_would_come_of_it_and_writes_nothing(app: TestApp) {
        let files = Files::new(TEAM);
        let printed = files.import(&app.db, 0, &["--dry-run"]);
        assert_eq!((counts(&printed), &printed["dryRun"]), ([4, 0, 0, 0], &true.into()));
        files.write("people.csv", &format!("{TEAM}u5,not an address,Eve,Staff,,Acme Inc,true\n"));
        let printed = files.import(&app.db, 3, &["--dry-run"]);
        assert_eq!((counts(&printed), groups(&printed)), ([4, 0, 0, 1], vec![("unusable_email".to_owned(), vec![6])]));
        for table in ["users", "organizations", "external_ids", "imports", "audit"] {
            assert_eq!(app.db.count(&format!("select count(*) from {table}")).await, 0, "{table}");
        }
    }

    async fn nothing_is_imported_without_a_yes(app: TestApp) {
        let output = Files::new(TEAM).run(&app.db, &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("--yes"), "{}", stderr(&output));
        assert_eq!(app.db.count("select count(*) from users").await, 0);
    }

    async fn a_source_that_is_not_what_it_should_be_imports_nobody(app: TestApp) {
        let unwritable = ["--yes", "--report", "/proc/report.ndjson"];
        let short = format!("{TEAM}u5,eve@acme.example,Eve\n");
        for (people, mapping, more, words) in [
            (TEAM, MAPPING, &unwritable[..], &["/proc/report.ndjson"][..]),
            (&short, MAPPING, &["--yes"], &["people.csv", "row 6"]),
            ("id,email,name,role,boss,company,verified\n", MAPPING, &["--yes"], &["0 people"]),
            (TEAM, &MAPPING.replace(", \"*\" = \"employee\"", ""), &["--yes"], &["\"Staff\"", "row 2"]),
            (TEAM, &MAPPING.replace("from = \"company\"", "from = \"compani\""), &["--yes"], &["compani", "company"]),
            (TEAM, &MAPPING.replace("[person]", "[persons]"), &["--yes"], &["persons"]),
        ] {
            let output = Files::with(people, mapping).run(&app.db, more);
            assert_eq!(output.status.code(), Some(65), "{}", stderr(&output));
            for word in words {
                assert!(stderr(&output).contains(word), "no {word} in {}", stderr(&output));
            }
            assert_eq!(app.db.count("select count(*) from users").await, 0);
            assert_eq!(app.db.count("select count(*) from imports").await, 0);
        }
    }

    async fn a_password_that_would_cost_too_much_is_left_out_and_its_owner_taken(app: TestApp) {
        let people = "id,email,name,role,boss,company,verified,password\n\
            u1,ada@acme.example,Ada,Boss,,Acme,true,$2b$31$abcdefghijklmnopqrstuup/ZY04k2B1Bm4VIaz/HAyydzYFroJPO\n\
            u2,bob@acme.example,Bob,Staff,,Acme,true,!\n";
        let printed = Files::new(people).import(&app.db, 65, &["--yes"]);
        assert_eq!(counts(&printed), [2, 0, 0, 0]);
        assert_eq!(groups(&printed), [("password_too_expensive".to_owned(), vec![2])]);
        let with = "select count(*) from users where password_hash is not null";
        assert_eq!(app.db.count(with).await, 0);
    }

    async fn a_manager_who_is_unknown_is_left_out_and_reported(app: TestApp) {
        let people = TEAM.replace("BOB@acme.example", "zed@acme.example");
        let printed = Files::new(&people).import(&app.db, 65, &["--yes"]);
        assert_eq!((counts(&printed), groups(&printed)), ([4, 0, 0, 0], vec![("unknown_manager".to_owned(), vec![2])]));
    }
}
