//! What is sent, when, and how delivery ends.

use chrono::TimeDelta;
use hallpass::email_templates::Templates;
use hallpass::service::operations::purge::purge;
use serde_json::json;
use std::collections::BTreeMap;

use super::{app_with, arrive, emails_are, reasons, send_to};
use crate::support::smtp_sink::{Fault, SmtpSink, Stage};
use crate::support::{Db, OTHER_SECRET, TestApp, eventually, on_both_databases, organization_body};

on_both_databases! {
    async fn an_email_is_sent_as_soon_as_its_transaction_commits(db: Db) {
        let sink = SmtpSink::start().await;
        let app = app_with(db, &sink).await;
        app.registers("Acme", "ada@acme.example").await;
        arrive(&sink, 1).await;
        let mail = &sink.received()[0];
        assert_eq!((&*mail.from, &*mail.to), ("no-reply@hallpass.example", "ada@acme.example"));
        let header = |name| mail.header(name).unwrap();
        assert_eq!(header("From"), "Hallpass <no-reply@hallpass.example>");
        assert_eq!(header("To"), "ada@acme.example");
        assert_eq!(header("Subject"), "Confirm your e-mail address");
        assert_eq!(header("Date"), "Fri, 15 Jan 2027 12:00:00 +0000");
        assert_eq!(header("Auto-Submitted"), "auto-generated");
        let id = match app.db {
            Db::Sqlite { .. } => "lower(hex(id))",
            Db::Postgres { .. } => "replace(id::text, '-', '')",
        };
        let id = app.db.values(&format!("select {id} as v from outbox")).await;
        let message_id = mail.message_id().replace('-', "");
        assert_eq!(message_id, format!("<{}@localhost>", id[0].as_deref().unwrap()));
        // The content is deleted.
        emails_are(&app, "sent_at is not null and letter is null and next_attempt_at is null", 1).await;
    }

    async fn a_refused_request_sends_no_email(db: Db) {
        let sink = SmtpSink::start().await;
        let app = app_with(db, &sink).await;
        app.registers("Acme", "ada@acme.example").await;
        arrive(&sink, 1).await;
        let again = app.post("/api/auth/register").json(&organization_body("Beta", "ada@acme.example"));
        again.await.refused(409, "Email already registered");
        app.registers("Beta", "bob@acme.example").await;
        arrive(&sink, 2).await;
        assert_eq!(sink.received()[1].to, "bob@acme.example");
    }

    async fn a_link_starts_with_app_url_whatever_the_host_header_says(db: Db) {
        let sink = SmtpSink::start().await;
        let app = TestApp::configured(db, |config| {
            send_to(config, &sink);
            config.accounts.app_url = "https://app.example/id".parse().unwrap();
        })
        .await;
        app.post("/api/auth/register")
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .json(&organization_body("Acme", "ada@acme.example"))
            .await
            .expect(201);
        arrive(&sink, 1).await;
        let text = decoded(&sink.received()[0].text);
        assert!(text.contains("\nhttps://app.example/id/verify-email?token="), "{text}");
        assert!(!text.contains("evil.example"), "{text}");
    }

    async fn a_name_cannot_inject_headers_html_or_templates(db: Db) {
        let sink = SmtpSink::start().await;
        let app = app_with(db, &sink).await;
        app.registers("Acme", "ada@acme.example").await;
        arrive(&sink, 1).await;
        let mut body = organization_body("Acme", "eve@acme.example");
        body["firstName"] = json!("<img src=x>{{1337*1337}}${7*7}");
        body["lastName"] = json!("=0D=0ABcc:_eve@evil.example\u{202e}");
        app.post("/api/auth/register").json(&body).await.expect(201);
        arrive(&sink, 2).await;
        let [usual, evil] = sink.received().try_into().unwrap();
        assert_eq!(evil.header_names(), usual.header_names());
        let text = decoded(&evil.text);
        assert!(text.contains("&lt;img src=x&gt;{{1337*1337}}${7*7}"), "{text}");
        assert!(!text.contains("1787569") && !text.contains('\u{202e}'), "{text}");
        assert!(!text.contains("eve@evil.example"), "{text}");
    }

    async fn a_slow_mail_server_delays_no_request(db: Db) {
        let sink = SmtpSink::start().await;
        let app = app_with(db, &sink).await;
        for _ in 0..4 {
            sink.fails(Fault::Hangs(Stage::Recipient));
        }
        for n in 0..6 {
            app.registers("Acme", &format!("admin{n}@acme.example")).await;
        }
        // The maximum of concurrent deliveries is waiting, and the rest queue behind them.
        sink.hangs(4).await;
        assert_eq!(sink.connections(), 4);
        app.tries_to_log_in("admin5@acme.example", crate::support::PASSWORD).await.expect(200);
        assert_eq!(sink.received().len(), 0);
        sink.resumes();
        arrive(&sink, 6).await;
    }

    async fn a_reset_is_delivered_before_1500_waiting_invitations(db: Db) {
        let sink = SmtpSink::start().await;
        let mut app = TestApp::start(db).await;
        let eve = app.signs_up_verified("Evil", "eve@evil.example").await;
        app.registers("Acme", "ada@acme.example").await;
        eve.invites("stranger@other.example", "employee").await.expect(201);
        invitations_wait(&app, 1500).await;
        app.advance(TimeDelta::minutes(1));
        app.forgets_password("ada@acme.example").await.expect(200);
        app.restart_configured(|config| send_to(config, &sink)).await;
        eventually("invitations are delivered too", async || sink.received().len() > 100).await;
        // Four go out at the same time, and the first is not the first to arrive on every machine.
        let subjects: Vec<_> = sink.received()[..10].iter().map(|mail| mail.header("Subject").unwrap()).collect();
        assert!(subjects.contains(&"Reset your password".to_owned()), "{subjects:?}");
    }

    async fn slow_invitations_leave_a_slot_for_other_emails(db: Db) {
        let sink = SmtpSink::start().await;
        let mut app = TestApp::start(db).await;
        let eve = app.signs_up_verified("Evil", "eve@evil.example").await;
        app.db.execute("delete from outbox").await;
        eve.invites("stranger@other.example", "employee").await.expect(201);
        invitations_wait(&app, 40).await;
        for _ in 0..3 {
            sink.fails(Fault::Hangs(Stage::Recipient));
        }
        app.restart_configured(|config| send_to(config, &sink)).await;
        sink.hangs(3).await;
        app.forgets_password("eve@evil.example").await.expect(200);
        arrive(&sink, 1).await;
        assert_eq!(sink.received()[0].to, "eve@evil.example");
        // The slots of the invitations are filled again at once, not at the next look into the outbox.
        sink.resumes();
        arrive(&sink, 42).await;
    }

    async fn without_a_mail_server_emails_wait_until_there_is_one(db: Db) {
        let sink = SmtpSink::start().await;
        let mut app = TestApp::start(db).await;
        app.registers("Acme", "ada@acme.example").await;
        let checks = app.get("/readyz?verbose").await.expect(200);
        assert!(checks.to_string().contains("1 e-mail has waited for 0 s."), "{checks}");
        app.restart_configured(|config| send_to(config, &sink)).await;
        arrive(&sink, 1).await;
        emails_are(&app, "sent_at is not null", 1).await;
        let checks = app.get("/readyz?verbose").await.expect(200);
        assert!(checks.to_string().contains("No e-mail is waiting."), "{checks}");
    }

    async fn an_email_undelivered_for_seven_days_is_given_up_and_stays_visible(db: Db) {
        let mut sink = SmtpSink::start().await;
        sink.closes().await;
        let app = app_with(db, &sink).await;
        app.registers("Acme", "ada@acme.example").await;
        emails_are(&app, "last_error is not null", 1).await;
        app.advance(TimeDelta::days(7));
        emails_are(&app, "given_up_at is not null and letter is null and next_attempt_at is null", 1).await;
        assert_eq!(reasons(&app).await, ["no mail server took it for seven days"]);
        let checks = app.get("/readyz?verbose").await.expect(200);
        assert!(checks.to_string().contains("No e-mail is waiting; 1 from the last 30 days could not be sent."), "{checks}");
    }

    async fn an_email_sealed_under_a_removed_secret_is_given_up(db: Db) {
        let sink = SmtpSink::start().await;
        let mut app = TestApp::start(db).await;
        app.registers("Acme", "ada@acme.example").await;
        app.restart_configured(|config| {
            config.tokens.secrets = vec![OTHER_SECRET.into()];
            send_to(config, &sink);
        })
        .await;
        emails_are(&app, "given_up_at is not null", 1).await;
        assert_eq!(reasons(&app).await, ["no secret of JWT_SECRET opens it"]);
        assert_eq!(sink.connections(), 0);
    }

    async fn finished_emails_are_deleted_after_thirty_days(db: Db) {
        let sink = SmtpSink::start().await;
        let app = app_with(db, &sink).await;
        app.registers("Acme", "ada@acme.example").await;
        emails_are(&app, "sent_at is not null", 1).await;
        sink.fails(Fault::Replies(Stage::Recipient, "550 5.1.1 unknown"));
        app.registers("Acme", "bob@acme.example").await;
        emails_are(&app, "given_up_at is not null", 1).await;
        for (days, kept) in [(29, 2), (1, 0)] {
            app.advance(TimeDelta::days(days));
            purge(app.operator_app().await.services()).await;
            emails_are(&app, "true", kept).await;
        }
    }

    async fn an_operators_template_is_what_is_sent(db: Db) {
        let sink = SmtpSink::start().await;
        let own = "Subject: Willkommen, {{ name }}\n\n{{ link }}\n".to_owned();
        let app = TestApp::configured(db, |config| {
            send_to(config, &sink);
            config.mail.templates = Templates::with_own(BTreeMap::from([("verify_email.txt", own)])).unwrap();
        })
        .await;
        app.registers("Acme", "ada@acme.example").await;
        arrive(&sink, 1).await;
        assert_eq!(sink.received()[0].header("Subject").unwrap(), "Willkommen, Ada Byron");
    }
}

#[actix_web::test]
async fn metrics_report_the_outbox() {
    let address = ([127, 0, 0, 1], crate::support::cluster::free_port()).into();
    let app = TestApp::configured(Db::sqlite(), |config| {
        config.server.metrics_addr = Some(address);
    })
    .await;
    app.registers("Acme", "ada@acme.example").await;
    app.advance(TimeDelta::seconds(40));
    let http = crate::support::client::builder().build().unwrap();
    let answer = http.get(format!("http://{address}/metrics")).send().await;
    let text = answer.unwrap().text().await.unwrap();
    for figure in [
        "hallpass_letters_waiting 1\n",
        "hallpass_letters_oldest_seconds 40\n",
        "hallpass_letters_given_up 0\n",
    ] {
        assert!(text.contains(figure), "{figure:?} is not in\n{text}");
    }
}

#[actix_web::test]
async fn shutdown_waits_briefly_for_emails_being_delivered() {
    let sink = SmtpSink::start().await;
    let mut app = app_with(Db::sqlite(), &sink).await;
    sink.fails(Fault::Hangs(Stage::Recipient));
    app.registers("Acme", "ada@acme.example").await;
    sink.hangs(1).await;
    let ((), ()) = tokio::join!(app.stop(), async { sink.resumes() });
    assert_eq!(sink.received().len(), 1);
    eventually("the outbox row is updated", async || {
        app.db
            .count("select count(*) from outbox where sent_at is not null")
            .await
            == 1
    })
    .await;
}

/// Adds copies of the invitation that waits.
async fn invitations_wait(app: &TestApp, count: usize) {
    let copies = match app.db {
        Db::Sqlite { .. } => format!(
            "with recursive n (n) as (select 1 union all select n + 1 from n where n < {count})
             insert into outbox (id, kind, recipient, letter, created_at, next_attempt_at, priority)
             select randomblob(16), kind, recipient, letter, created_at, next_attempt_at, priority
             from outbox, n where kind = 'invitation'"
        ),
        Db::Postgres { .. } => format!(
            "insert into outbox (id, kind, recipient, letter, created_at, next_attempt_at, priority)
             select gen_random_uuid(), kind, recipient, letter, created_at, next_attempt_at, priority
             from outbox, generate_series(1, {count}) where kind = 'invitation'"
        ),
    };
    app.db.execute(&copies).await;
}

/// The text of an e-mail with its quoted-printable parts decoded.
fn decoded(mail: &str) -> String {
    let unfolded = mail.replace("=\r\n", "").replace("\r\n", "\n");
    let mut bytes = Vec::new();
    let mut rest = unfolded.as_bytes();
    while let [first, more @ ..] = rest {
        let pair = more
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if *first == b'=' => {
                bytes.push(byte);
                rest = &more[2..];
            }
            _ => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
