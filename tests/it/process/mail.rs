//! E-mail, and a process that ends during delivery.

use std::process::Command;

use serde_json::Value;

use crate::process::{Server, hallpass, hallpass_on, stderr, stdout};
use crate::support::actors::organization_body;
use crate::support::smtp_sink::{Fault, SmtpSink, Stage};
use crate::support::{Db, eventually, on_both_databases, scratch};

fn serve(db: &Db, sink: &SmtpSink) -> Command {
    let mut command = hallpass_on(db, &["serve"]);
    command
        .env("SMTP_URL", format!("smtp://{}", sink.address))
        .env("MAIL_FROM", "Hallpass <no-reply@hallpass.example>")
        .env("RUST_LOG", "trace");
    command
}

async fn registers(server: &Server, email: &str) {
    let body = organization_body("Acme", email);
    server
        .client
        .post("/api/auth/register")
        .json(&body)
        .await
        .expect(201);
}

/// As if the two-minute lease of a dead process had ended.
async fn lease_ends(db: &Db) {
    db.execute("update outbox set next_attempt_at = created_at where sent_at is null")
        .await;
}

on_both_databases! {
    async fn an_email_survives_a_kill_before_its_delivery(db: Db) {
        let sink = SmtpSink::start().await;
        sink.fails(Fault::Hangs(Stage::Recipient));
        let server = Server::run(serve(&db, &sink)).await;
        registers(&server, "ada@acme.example").await;
        sink.hangs(1).await;
        // Dropping it kills the process.
        drop(server);
        assert!(sink.received().is_empty());
        lease_ends(&db).await;
        let _server = Server::run(serve(&db, &sink)).await;
        eventually("the e-mail is sent", async || {
            db.count("select count(*) from outbox where sent_at is not null").await == 1
        })
        .await;
        assert_eq!(sink.received().len(), 1);
    }

    async fn a_kill_before_the_reply_duplicates_an_email_under_one_message_id(db: Db) {
        let sink = SmtpSink::start().await;
        // The message is accepted, and then the server stays silent.
        sink.fails(Fault::Hangs(Stage::Mail));
        let server = Server::run(serve(&db, &sink)).await;
        registers(&server, "ada@acme.example").await;
        sink.hangs(1).await;
        drop(server);
        lease_ends(&db).await;
        let _server = Server::run(serve(&db, &sink)).await;
        eventually("the e-mail is sent", async || {
            db.count("select count(*) from outbox where sent_at is not null").await == 1
        })
        .await;
        let [first, second] = sink.received().try_into().unwrap();
        assert_eq!(first.message_id(), second.message_id());
    }
}

#[actix_web::test]
async fn shutdown_lets_an_email_being_delivered_arrive() {
    let db = Db::sqlite();
    let sink = SmtpSink::start().await;
    sink.fails(Fault::Hangs(Stage::Mail));
    let mut server = Server::run(serve(&db, &sink)).await;
    registers(&server, "ada@acme.example").await;
    sink.hangs(1).await;
    server.signal("TERM");
    eventually("the server is stopping", async || {
        server
            .client
            .get("/readyz")
            .try_send()
            .await
            .map_or(true, |answer| answer.status == 503)
    })
    .await;
    sink.resumes();
    assert_eq!(server.exit_code().await, Some(0), "{}", server.output());
    assert_eq!(
        db.count("select count(*) from outbox where sent_at is not null")
            .await,
        1
    );
    assert_eq!(sink.received().len(), 1);
}

#[actix_web::test]
async fn no_part_of_an_email_is_in_the_log() {
    let sink = SmtpSink::start().await;
    let server = Server::run(serve(&Db::sqlite(), &sink)).await;
    sink.fails(Fault::Replies(
        Stage::Recipient,
        "451 4.2.1 <ada@acme.example> is full of Byron",
    ));
    registers(&server, "ada@acme.example").await;
    registers(&server, "bob@acme.example").await;
    eventually("one e-mail is sent and one is not", async || {
        let log = server.output();
        log.contains("e-mail sent") && log.contains("e-mail not sent yet")
    })
    .await;
    let log = server.output();
    let text = &sink.received()[0].text;
    let (_, link) = text.split_once("?token=").unwrap();
    let token = &link.replace("=\r\n", "")[..43];
    for secret in [token, "token=", "Byron", "@acme.example", "Confirm your"] {
        assert!(!log.contains(secret), "{secret} is in\n{log}");
    }
    assert!(
        log.contains("the server answered 451 4.2.1 to RCPT TO"),
        "{log}"
    );
}

#[actix_web::test]
async fn a_server_without_a_mail_server_names_the_missing_setting() {
    let server = Server::start(&Db::sqlite()).await;
    assert!(
        server.output().contains("SMTP_URL is not set"),
        "{}",
        server.output()
    );
}

#[test]
fn a_broken_template_is_named_with_its_line_at_startup() {
    let folder = scratch::fresh_directory("emails");
    std::fs::write(folder.join("verify_email.html"), "<p>Hello\n{{ name</p>").unwrap();
    let output = hallpass_on(&Db::sqlite(), &["serve"])
        .env("MAIL_TEMPLATES", &folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("MAIL_TEMPLATES: verify_email.html line 2: "),
        "{said}"
    );
}

#[actix_web::test]
async fn doctor_reports_the_outbox_and_creates_nothing() {
    let db = Db::sqlite();
    let doctor = || {
        let mut command = hallpass(&["doctor", "--json"]);
        let output = command.env("DATABASE_URL", db.url()).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
        found["mail"].clone()
    };
    assert!(doctor().is_null());
    let Db::Sqlite { path } = &db else {
        unreachable!()
    };
    assert!(!path.exists());
    let server = Server::start(&db).await;
    registers(&server, "ada@acme.example").await;
    let mail = doctor();
    assert_eq!((&mail["waiting"], &mail["givenUp"]), (&1.into(), &0.into()));
}

#[actix_web::test]
async fn dev_mode_shows_emails_on_a_page() {
    let mut command = hallpass(&["dev"]);
    command.env("DATABASE_URL", Db::sqlite().url());
    let server = Server::run(command).await;
    let get = |path: &str| server.client.get(&format!("/dev/mailbox{path}"));
    assert!(get("").await.text().contains("No e-mail yet"));
    get("/newest?to=ada@acme.example")
        .await
        .refused(404, "Not Found");
    get("/1").await.refused(404, "Not Found");

    let (newest, ()) = tokio::join!(
        get("/newest?to=Ada@acme.example&wait=30"),
        registers(&server, "ada@acme.example")
    );
    let newest = newest.expect(200);
    assert_eq!(newest["to"], "ada@acme.example");
    assert_eq!(newest["subject"], "Confirm your e-mail address");
    let link = newest["link"].as_str().unwrap();
    let start = format!("http://{}/verify-email?token=", server.client.address());
    assert!(link.starts_with(&start), "{link}");
    assert!(
        newest["html"]
            .as_str()
            .unwrap()
            .contains(&format!("href=\"{link}\""))
    );
    let number = newest["id"].as_u64().unwrap();
    get(&format!("/newest?after={number}"))
        .await
        .refused(404, "Not Found");

    let list = get("").await;
    assert!(list.text().contains("Confirm your e-mail address"));
    let page = get(&format!("/{number}")).await;
    for page in [&list, &page] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
    }
    assert!(
        page.text()
            .contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\"")
    );
    let html = get(&format!("/{number}/html")).await;
    let policy = html.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("sandbox"),
        "{policy}"
    );
    let source = get(&format!("/{number}/source")).await;
    assert!(source.text().contains("Auto-Submitted: auto-generated\r\n"));
}
