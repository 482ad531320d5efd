//! The commands that operators use.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::process::{Server, hallpass, hallpass_on, stderr, stdout};
use crate::support::{Db, OTHER_SECRET, PASSWORD, SECRET, eventually, on_both_databases, scratch};

on_both_databases! {
    async fn an_operator_creates_an_organization_and_people_who_can_sign_in(db: Db) {
        assert!(hallpass_on(&db, &["migrate"]).output().unwrap().status.success());
        let acme = succeeds(hallpass_on(&db, &["org", "create", "Acme", "--json"]));
        assert_eq!((&acme["name"], &acme["slug"]), (&json!("Acme"), &json!("acme")));
        let organizations = succeeds(hallpass_on(&db, &["org", "list", "--json"]));
        assert_eq!(organizations[0]["id"], acme["id"]);

        let ada = create_user(&db, "ada@acme.example", "admin");
        assert_eq!(ada.status.code(), Some(0), "{}", stderr(&ada));
        assert!(!stdout(&ada).contains(PASSWORD) && !stderr(&ada).contains(PASSWORD));
        let again = create_user(&db, "ADA@acme.example", "admin");
        assert_ne!(again.status.code(), Some(0));
        let people = succeeds(hallpass_on(&db, &["user", "list", "--json"]));
        assert_eq!(people.as_array().unwrap().len(), 1);
        assert_eq!(people[0]["email"], "ada@acme.example");

        let server = Server::start(&db).await;
        let login = json!({"email": "ada@acme.example", "password": PASSWORD});
        let answer = server.client.post("/api/auth/login").json(&login).await.expect(200);
        assert_eq!(answer["user"]["role"], "admin");
        assert_eq!(answer["user"]["organizationId"], acme["id"]);

        // A second process on the same database: the running server learns of it.
        let token = answer["accessToken"].as_str().unwrap();
        server.client.get("/api/auth/me").bearer(token).await.expect(200);
        assert!(create_user(&db, "grace@acme.example", "admin").status.success());
        let disabled = hallpass_on(&db, &["user", "disable", "ada@acme.example"]).output().unwrap();
        assert_eq!(disabled.status.code(), Some(0), "{}", stderr(&disabled));
        let took = eventually("the disabled account is refused", async || {
            server.client.get("/api/auth/me").bearer(token).await.status == 401
        })
        .await;
        eprintln!("`user disable` counts in the running server after {} ms", took.as_millis());
        server.client.post("/api/auth/login").json(&login).await.refused(401, "Invalid credentials");
        let unknown = hallpass_on(&db, &["user", "disable", "bob@acme.example"]).output().unwrap();
        assert_ne!(unknown.status.code(), Some(0));
    }

    async fn a_plan_lists_what_is_pending_and_applies_nothing(db: Db) {
        let empty = match db {
            Db::Sqlite { .. } => db,
            Db::Postgres { .. } => Db::empty_postgres().await.unwrap(),
        };
        let plan = ["migrate", "--plan", "--json"];
        let pending = succeeds(hallpass_on(&empty, &plan))["pending"].clone();
        assert_eq!(succeeds(hallpass_on(&empty, &plan))["pending"], pending);
        let names = |list: &Value| -> Vec<String> {
            let all = list.as_array().unwrap().iter();
            all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
        };
        let applied = succeeds(hallpass_on(&empty, &["migrate", "--json"]));
        let applied: Vec<&str> = applied["applied"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(names(&pending), applied);
        assert_eq!(succeeds(hallpass_on(&empty, &plan)), json!({"pending": []}));
    }

    async fn disabling_the_last_admin_requires_even_the_last_admin(db: Db) {
        succeeds(hallpass_on(&db, &["migrate", "--json"]));
        succeeds(hallpass_on(&db, &["org", "create", "Acme", "--json"]));
        for (email, role) in [("ada@acme.example", "admin"), ("bob@acme.example", "manager")] {
            assert!(create_user(&db, email, role).status.success());
        }
        let disable = ["user", "disable", "ada@acme.example"];
        let refused = hallpass_on(&db, &disable).output().unwrap();
        assert_eq!(refused.status.code(), Some(65), "{}", stderr(&refused));
        let why = stderr(&refused);
        assert!(why.contains("the last admin of Acme") && why.contains("--even-the-last-admin"), "{why}");
        let disabled = "select count(*) from users where disabled_at is not null";
        assert_eq!(db.count(disabled).await, 0);
        assert_eq!(db.count("select count(*) from audit where action = 'user.disabled'").await, 0);

        succeeds(hallpass_on(&db, &["user", "disable", "bob@acme.example", "--json"]));
        succeeds(hallpass_on(&db, &[&disable[..], &["--even-the-last-admin", "--json"]].concat()));
        assert_eq!(db.count(disabled).await, 2);
        // No one else was signed out.
        succeeds(hallpass_on(&db, &[&disable[..], &["--json"]].concat()));
    }
}

#[test]
fn doctor_reports_open_organizations_and_creates_no_database() {
    let db = Db::sqlite();
    let doctor = |db: &Db| succeeds(hallpass_on(db, &["doctor", "--json"]));
    assert_eq!(doctor(&db)["openOrganizations"], Value::Null);
    let Db::Sqlite { path } = &db else {
        panic!("{db:?}")
    };
    assert!(!path.exists());
    succeeds(hallpass_on(&db, &["migrate", "--json"]));
    succeeds(hallpass_on(&db, &["org", "create", "Acme", "--json"]));
    assert_eq!(doctor(&db)["openOrganizations"], 1);
    let mut closing = hallpass_on(&db, &["org", "create", "Beta", "--json"]);
    closing.env("DEFAULT_JOIN_POLICY", "invite");
    succeeds(closing);
    assert_eq!(doctor(&db)["openOrganizations"], 1);
}

#[test]
fn doctor_reports_that_no_proxy_is_trusted() {
    let doctor = |public_url: &str, proxies: &str| {
        let mut command = hallpass_on(&Db::sqlite(), &["doctor", "--json"]);
        command
            .env("PUBLIC_URL", public_url)
            .env("TRUSTED_PROXIES", proxies);
        succeeds(command)["lacksTrustedProxies"].clone()
    };
    assert_eq!(doctor("https://id.example", ""), true);
    assert_eq!(doctor("https://id.example", "10.0.0.0/8"), false);
    assert_eq!(doctor("http://id.example", ""), false);
    assert_eq!(doctor("https://id.example", "proxy"), Value::Null);
}

#[test]
fn doctor_reports_what_is_open_to_everyone() {
    let mut doctor = hallpass_on(&Db::sqlite(), &["doctor", "--json"]);
    doctor.env("REGISTRATION", "domain");
    doctor.env("REGISTRATION_DOMAINS", "acme.example");
    doctor.env("SLACK_WORKSPACES", "T1");
    let expected = json!({
        "registration": "domain",
        "organizationCreation": "open",
        "slackRegistration": "open",
        "slackOrganizationCreation": "open",
        "registrationDomains": ["acme.example"],
        "slackWorkspaces": ["T1"],
    });
    assert_eq!(succeeds(doctor)["selfService"], expected);
}

#[test]
fn a_generated_secret_is_accepted() {
    let secret = hallpass(&["secret", "generate"]).output().unwrap();
    assert_eq!(secret.status.code(), Some(0));
    let other = hallpass(&["secret", "generate"]).output().unwrap();
    assert_ne!(stdout(&secret), stdout(&other));
    let accepted = hallpass_on(&Db::sqlite(), &["migrate"])
        .env("JWT_SECRET", stdout(&secret).trim())
        .output()
        .unwrap();
    assert_eq!(accepted.status.code(), Some(0), "{}", stderr(&accepted));
}

#[test]
fn a_generated_signing_key_is_accepted_and_named() {
    let key = hallpass(&["secret", "generate", "--es256"])
        .output()
        .unwrap();
    assert_eq!(key.status.code(), Some(0), "{}", stderr(&key));
    let pem = stdout(&key);
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{pem}");
    let other = succeeds(hallpass(&["secret", "generate", "--es256", "--json"]));
    assert_ne!(other["signingKey"], pem.as_str());

    let directory = scratch::fresh_directory("keys");
    let file = directory.join("signing-key");
    std::fs::write(
        &file,
        format!("{}{pem}", other["signingKey"].as_str().unwrap()),
    )
    .unwrap();
    let kids = |accept: &str| {
        let mut command = hallpass_on(&Db::sqlite(), &["secret", "kid", "--json"]);
        command
            .env("JWT_SECRET", format!("{SECRET},{OTHER_SECRET}"))
            .env("JWT_SIGNING_KEY_FILE", &file)
            .env("JWT_ACCEPT_SHARED_SECRET", accept);
        succeeds(command)
    };
    let listed = kids("on");
    let uses = |listed: &Value| -> Vec<[Value; 4]> {
        let keys = listed.as_array().unwrap().iter();
        keys.map(|key| ["setting", "alg", "signs", "verifies"].map(|name| key[name].clone()))
            .collect()
    };
    let key = |signs: bool| {
        [
            json!("JWT_SIGNING_KEY"),
            json!("ES256"),
            json!(signs),
            json!(true),
        ]
    };
    let secret = |verifies: bool| {
        [
            json!("JWT_SECRET"),
            json!("HS256"),
            json!(false),
            json!(verifies),
        ]
    };
    assert_eq!(
        uses(&listed),
        [key(true), key(false), secret(true), secret(true)]
    );
    assert_eq!(
        uses(&kids("off")),
        [key(true), key(false), secret(false), secret(false)]
    );
    assert_eq!(listed[0]["kid"], other["kid"]);

    let mut without = hallpass_on(&Db::sqlite(), &["secret", "kid"]);
    without.env("JWT_SECRET", SECRET);
    let table = stdout(&without.output().unwrap());
    let row: Vec<&str> = table.lines().last().unwrap().split_whitespace().collect();
    assert_eq!(row[1..], ["HS256", "JWT_SECRET", "signs,", "verifies"]);
    assert_eq!(listed[2]["kid"], row[0]);
    for shown in [table, listed.to_string()] {
        assert!(
            !shown.contains(SECRET) && !shown.contains("PRIVATE"),
            "{shown}"
        );
    }
}

#[test]
fn kids_are_those_of_the_server_or_there_are_none() {
    // Another secret than the server's would have another kid.
    let none = hallpass(&["secret", "kid"]).output().unwrap();
    assert_eq!(none.status.code(), Some(78));
    assert!(stderr(&none).contains("JWT_SECRET"), "{}", stderr(&none));
    // A secret is made before there are settings, or while they are wrong.
    let mut generate = hallpass(&["secret", "generate"]);
    std::fs::write(generate.get_current_dir().unwrap().join(".env"), "nonsense").unwrap();
    assert_eq!(generate.output().unwrap().status.code(), Some(0));
}

#[test]
fn doctor_reports_that_the_secret_still_signs() {
    let key = hallpass(&["secret", "generate", "--es256"])
        .output()
        .unwrap();
    let doctor = |accept: &str, arguments: &[&str]| {
        let mut command = hallpass_on(&Db::sqlite(), arguments);
        command
            .env("JWT_SIGNING_KEY", stdout(&key))
            .env("JWT_ACCEPT_SHARED_SECRET", accept);
        command
    };
    let json = ["doctor", "--json"];
    assert_eq!(succeeds(doctor("on", &json))["sharedSecretSigns"], true);
    assert_eq!(succeeds(doctor("off", &json))["sharedSecretSigns"], false);
    let warning = "Tokens: JWT_ACCEPT_SHARED_SECRET is on: whoever has JWT_SECRET can still make access tokens.";
    for (accept, warns) in [("on", true), ("off", false)] {
        let report = stdout(&doctor(accept, &["doctor"]).output().unwrap());
        assert_eq!(report.contains(warning), warns, "{report}");
    }
}

#[test]
fn the_openapi_document_needs_no_server() {
    let document = succeeds(hallpass(&["openapi"]));
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
}

#[test]
fn every_command_explains_itself_with_an_example() {
    for command in EVERY_COMMAND {
        let help = hallpass(&[*command, &["--help"]].concat())
            .output()
            .unwrap();
        assert_eq!(help.status.code(), Some(0), "{command:?}");
        let example = format!("hallpass {}", command.join(" "));
        let uses = stdout(&help).matches(&example).count();
        assert!(
            uses >= 2,
            "no example with the usage of {example}:\n{}",
            stdout(&help)
        );
    }
    let unknown = hallpass(&["frobnicate"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2), "{}", stderr(&unknown));
}

/// Every command, by the words that call it.
const EVERY_COMMAND: &[&[&str]] = &[
    &["serve"],
    &["dev"],
    &["migrate"],
    &["backup"],
    &["backup", "verify"],
    &["restore"],
    &["copy"],
    &["export"],
    &["doctor"],
    &["import", "sessions"],
    &["org", "create"],
    &["org", "list"],
    &["org", "members"],
    &["org", "invite"],
    &["org", "set-policy"],
    &["user", "create"],
    &["user", "list"],
    &["user", "set-password"],
    &["user", "reset-link"],
    &["user", "verify"],
    &["user", "set-email"],
    &["user", "disable"],
    &["user", "export"],
    &["user", "enable"],
    &["user", "unlock"],
    &["user", "reset-mfa"],
    &["user", "set-role"],
    &["user", "join"],
    &["user", "move"],
    &["user", "sessions", "list"],
    &["user", "sessions", "end"],
    &["import"],
    &["import", "status"],
    &["import", "resume"],
    &["import", "undo"],
    &["import", "check"],
    &["import", "presets", "list"],
    &["import", "presets", "show"],
    &["service", "add"],
    &["service", "list"],
    &["service", "remove"],
    &["secret", "generate"],
    &["secret", "kid"],
    &["openapi"],
];

fn succeeds(mut command: Command) -> Value {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("not JSON: {}", stdout(&output)))
}

/// The password goes through standard input, because every user can read arguments.
fn create_user(db: &Db, email: &str, role: &str) -> Output {
    let mut process = hallpass_on(
        db,
        &[
            "user",
            "create",
            email,
            "--name",
            "Ada Byron",
            "--organization",
            "acme",
            "--role",
            role,
            "--json",
        ],
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    writeln!(process.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    process.wait_with_output().unwrap()
}

#[actix_web::test]
async fn the_commands_of_the_readme_set_up_a_server() {
    let db = Db::sqlite();
    let readme = include_str!("../../../README.md");
    let run_it = readme.split("\n## Run it\n").nth(1).unwrap();
    let block = run_it.split("```").nth(1).unwrap();
    let commands = block
        .lines()
        .filter_map(|line| line.strip_prefix("cargo run --release -- "));
    let (serve, set_up): (Vec<_>, Vec<_>) = commands.partition(|command| *command == "serve");
    assert_eq!((serve.len(), set_up.len()), (1, 4), "{block}");
    for command in set_up {
        let mut shell = Command::new("sh");
        let run = hallpass_on(&db, &[]);
        shell
            .args(["-c", &format!("\"$0\" {command}")])
            .arg(run.get_program())
            .envs(
                run.get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .current_dir(run.get_current_dir().unwrap());
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{command}: {}", stderr(&output));
    }
    let server = Server::start(&db).await;
    server.client.get("/readyz").await.expect(200);
    let people = succeeds(hallpass_on(&db, &["user", "list", "--json"]));
    assert_eq!(people.as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_plan_says_what_is_locked_and_how_many_rows_there_are() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    db.execute(
        "delete from __diesel_schema_migrations where version = '20261122230302';
         update pg_class set reltuples = 4000000 where oid = 'audit'::regclass",
    )
    .await;
    let plan = succeeds(hallpass_on(&db, &["migrate", "--plan", "--json"]));
    let index = &plan["pending"][0]["statements"][0];
    assert_eq!(
        plan["pending"][0]["name"],
        "2026-11-22-230302_audit_filters"
    );
    assert_eq!(index["table"], "audit");
    assert_eq!(index["rows"], 4_000_000);
    assert_eq!(index["lock"], "share: writes wait");
    assert_eq!(index["work"], "reads the whole table");
    let text = hallpass_on(&db, &["migrate", "--plan"]).output().unwrap();
    assert!(
        stdout(&text).contains("lock: share: writes wait; reads the whole table"),
        "{}",
        stdout(&text)
    );
}
