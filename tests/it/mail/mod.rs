//! Sending e-mails to a mail server that may fail.

mod delivery;
mod faults;
mod instances;
mod mailbox;
mod server;

use hallpass::config::Config;
use hallpass::domain::{Email, MailSender, MailServer, MailTls};

use crate::support::smtp_sink::SmtpSink;
use crate::support::{Db, TestApp, eventually};

/// A program that sends its e-mails to this server.
async fn app_with(db: Db, sink: &SmtpSink) -> TestApp {
    TestApp::configured(db, |config| send_to(config, sink)).await
}

fn send_to(config: &mut Config, sink: &SmtpSink) {
    config.mail.server = Some(server(sink, MailTls::Never));
    config.mail.sender = Some(MailSender {
        name: Some("Hallpass".to_owned()),
        address: Email::parse("no-reply@hallpass.example").unwrap(),
    });
}

fn server(sink: &SmtpSink, tls: MailTls) -> MailServer {
    MailServer {
        host: sink.address.ip().to_string(),
        port: sink.address.port(),
        tls,
        login: None,
        authorities: None,
    }
}

/// Waits until so many e-mails have been received.
async fn arrive(sink: &SmtpSink, mails: usize) {
    eventually(&format!("{mails} e-mails have arrived"), async || {
        sink.received().len() >= mails
    })
    .await;
    assert_eq!(sink.received().len(), mails);
}

/// Waits until so many rows of the outbox meet the condition.
async fn emails_are(app: &TestApp, condition: &str, count: i64) {
    let select = format!("select count(*) from outbox where {condition}");
    eventually(&format!("{count} e-mails are {condition}"), async || {
        app.db.count(&select).await == count
    })
    .await;
}

/// Why e-mails were not accepted, in alphabetical order.
async fn reasons(app: &TestApp) -> Vec<String> {
    let select =
        "select last_error as v from outbox where last_error is not null order by last_error";
    app.db.values(select).await.into_iter().flatten().collect()
}
