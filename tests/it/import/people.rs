//! What becomes of people, organizations, roles, managers and second factors.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::{Files, MAPPING, TEAM, counts, managers};
use crate::support::mfa::Authenticator;
use crate::support::{PASSWORD, TestApp, on_both_databases};

/// bcrypt of [`PASSWORD`] with cost 5, made with crypt(3) of glibc.
const BCRYPT: &str = "$2b$05$abcdefghijklmnopqrstuuT0ixUvKw2Mm0W1vkQDLaKNi72PwU4k6";

on_both_databases! {
    async fn a_team_comes_with_its_organization_roles_and_managers(app: TestApp) {
        let files = Files::new(TEAM);
        let printed = files.import(&app.db, 0, &["--yes"]);
        assert_eq!(counts(&printed), [4, 0, 0, 0]);
        assert_eq!(printed["summary"]["organizations"], 1);
        assert_eq!(managers(&app).await, [
            "ada@acme.example < - admin",
            "bob@acme.example < ada@acme.example manager",
            "cleo@acme.example < bob@acme.example employee",
            "dan@acme.example < bob@acme.example employee",
        ]);
        let lines = "select count(*) from reporting_lines";
        assert_eq!(app.db.count(lines).await, 4 + 1 + 2 + 2);
        let verified = "select email as v from users where email_verified_at is null";
        assert_eq!(app.db.values(verified).await, [Some("bob@acme.example".to_owned())]);
        let slugs = "select slug as v from organizations";
        assert_eq!(app.db.values(slugs).await, [Some("acme-inc".to_owned())]);
        assert_eq!(app.db.count("select count(*) from outbox").await, 0);
        let logged = "select count(*) from audit where action = 'user.imported' and method = 'operator'
            and subject_id is not null and organization_id is not null";
        assert_eq!(app.db.count(logged).await, 4);
    }

    async fn an_id_that_is_a_uuid_is_kept_unless_somebody_has_it(app: TestApp) {
        let ada = app.signs_up("Other", "ada@other.example").await;
        let free = "0b7e4a52-3f0e-4c53-8b0e-6a1de3b1c001";
        let people = format!(
            "id,email,name,role,boss,company,verified\n\
             {free},bob@acme.example,Bob,Boss,,Acme,true\n\
             {},cleo@acme.example,Cleo,Staff,,Acme,true\n",
            ada.id()
        );
        Files::new(&people).import(&app.db, 0, &["--yes"]);
        let id = |email: &str| {
            let id = app.db.id(free);
            format!("select count(*) from users where email = '{email}' and id = {id}")
        };
        assert_eq!(app.db.count(&id("bob@acme.example")).await, 1);
        let both = "select count(*) from users where email in ('ada@other.example', 'cleo@acme.example')";
        assert_eq!(app.db.count(both).await, 2);
        let known = "select external_id as v from external_ids order by external_id";
        assert_eq!(app.db.values(known).await.len(), 2);
    }

    async fn a_report_has_ids_and_codes_and_only_its_owner_reads_it(app: TestApp) {
        let people = format!("{TEAM}u5,not an address,Eve,Staff,,Acme Inc,true\n");
        let files = Files::new(&people);
        let report = files.path("report.ndjson");
        files.import(&app.db, 65, &["--yes", "--report", &report]);
        let mode = fs::metadata(&report).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = fs::read_to_string(&report).unwrap();
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 5);
        for row in &rows {
            let keys: Vec<_> = row.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["row", "external_id", "id", "outcome", "code"]);
        }
        let refused: Vec<&Value> = rows.iter().filter(|row| row["outcome"] == "refused").collect();
        assert_eq!((refused.len(), &refused[0]["row"]), (1, &json!(6)));
        for secret in ["Lovelace", "@acme.example", "$2"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }

    async fn the_admin_of_an_imported_organization_administers_it(app: TestApp) {
        Files::new(TEAM).import(&app.db, 0, &["--yes"]);
        for email in ["ada@acme.example", "cleo@acme.example"] {
            sets_password(&app, email);
        }
        let ada = app.logs_in("ada@acme.example", PASSWORD).await;
        assert_eq!(ada.sees().await.len(), 4);
        let cleo = app.logs_in("cleo@acme.example", PASSWORD).await;
        let forbidden = cleo.changes(&ada, json!({"role": "employee"})).await;
        assert_ne!(forbidden.status, 200);
        ada.changes(&cleo, json!({"role": "manager"})).await.expect(200);
    }

    async fn an_imported_password_signs_in_with_its_second_factor(app: TestApp) {
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA";
        let people = format!(
            "id,email,name,role,boss,company,verified,password,totp,codes\n\
             u1,ada@acme.example,Ada,Boss,,Acme,true,{BCRYPT},{secret},\"aB3dE-xYz12,q7hz-mdx2\"\n"
        );
        let printed = Files::new(&people).import(&app.db, 0, &["--yes"]);
        assert_eq!(printed["summary"]["passwords"], json!({"bcrypt 5": 1}));
        let challenge = app.takes_first_step("ada@acme.example").await;
        let code = Authenticator::from_enrolment(&json!({"secret": secret})).code(&app);
        app.shows_code(&challenge, &code).await.expect(200);
        for typed in ["ab3dexyz12", "Q7HZ MDX2"] {
            let challenge = app.takes_first_step("ada@acme.example").await;
            app.shows_code(&challenge, typed).await.expect(200);
        }
        let challenge = app.takes_first_step("ada@acme.example").await;
        assert_eq!(app.shows_code(&challenge, "q7hzmdx2").await.status, 401);
    }

    async fn people_without_an_address_come_with_their_account_at_slack(app: TestApp) {
        let people = "id,email,name,role,boss,company,verified,slack_user,slack_team\n\
            u1,ada@acme.example,Ada,Boss,,Acme,true,U0123ABCD,T0123ABCD\n\
            u2,,Bob,Staff,,Acme,,U0123ABCE,T0123ABCD\n\
            u3,,Nobody,Staff,,Acme,,,\n";
        let printed = Files::new(people).import(&app.db, 65, &["--yes"]);
        assert_eq!(counts(&printed), [2, 0, 0, 1]);
        let linked = "select external_id as v from identities where team_id = 'T0123ABCD' order by external_id";
        assert_eq!(app.db.values(linked).await, [Some("U0123ABCD".to_owned()), Some("U0123ABCE".to_owned())]);
    }

    async fn an_organization_that_nobody_could_administer_is_refused(app: TestApp) {
        let people = "id,email,name,role,boss,company,verified,disabled\n\
            u1,ada@acme.example,Ada,Boss,,Acme,true,true\n\
            u2,bob@acme.example,Bob,Staff,,Acme,true,\n\
            u3,cleo@beta.example,Cleo,Boss,,Beta,true,\n";
        let printed = Files::new(people).import(&app.db, 65, &["--yes"]);
        assert_eq!(counts(&printed), [1, 0, 0, 2]);
        assert_eq!(super::groups(&printed), [("organization_without_admin".to_owned(), vec![2, 3])]);
        assert_eq!(app.db.count("select count(*) from organizations").await, 1);
    }

    async fn an_import_can_be_limited_to_an_organization_and_a_number(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let people = "id,email,name,role,boss,company,verified\n\
            u1,bob@acme.example,Bob,Staff,,acme,true\n\
            u2,cleo@beta.example,Cleo,Boss,,Beta,true\n\
            u3,dan@acme.example,Dan,Staff,,acme,true\n";
        let files = Files::new(people);
        let printed = files.import(&app.db, 0, &["--yes", "--only-org", "acme", "--limit", "2"]);
        assert_eq!((counts(&printed), &printed["summary"]["skipped"]), ([1, 0, 0, 0], &json!(1)));
        let printed = files.import(&app.db, 0, &["--yes", "--only-org", "acme"]);
        assert_eq!(counts(&printed), [1, 0, 1, 0]);
        assert_eq!(ada.sees().await.len(), 3);
    }
}

/// Has the operator set a password, so that the person can sign in whatever was imported.
pub(super) fn sets_password(app: &TestApp, email: &str) {
    let mut set = crate::process::hallpass_on(&app.db, &["user", "set-password", email]);
    let file = Files::with(PASSWORD, MAPPING);
    let done = set
        .args(["--password-file", &file.path("people.csv")])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", crate::process::stderr(&done));
}
