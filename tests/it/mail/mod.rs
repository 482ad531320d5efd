//! Letters on their way to a mail server that is not always well.

mod delivery;
mod faults;
mod instances;
mod mailbox;
mod server;

use hallpass::config::Config;
use hallpass::domain::{Email, MailSender, MailServer, MailTls};

use crate::support::smtp_sink::SmtpSink;
use crate::support::{Db, TestApp, eventually};

/// A program that sends its letters to this server.
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

/// Waits until so many mails were taken.
async fn arrive(sink: &SmtpSink, mails: usize) {
    eventually(&format!("{mails} mails have arrived"), async || {
        sink.taken().len() >= mails
    })
    .await;
    assert_eq!(sink.taken().len(), mails);
}

/// Waits until so many rows of the outbox are as the condition says.
async fn emails_are(app: &TestApp, condition: &str, count: i64) {
    let select = format!("select count(*) from outbox where {condition}");
    eventually(&format!("{count} e-mails are {condition}"), async || {
        app.db.count(&select).await == count
    })
    .await;
}

/// Why letters were not taken, in the order of the alphabet.
async fn reasons(app: &TestApp) -> Vec<String> {
    let select =
        "select last_error as v from outbox where last_error is not null order by last_error";
    app.db.values(select).await.into_iter().flatten().collect()
}
