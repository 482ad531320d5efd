//! Several instances with one outbox.

use std::collections::HashSet;

use super::{app_with, arrive, emails_are, send_to};
use crate::support::smtp_sink::{Fault, Received, SmtpSink, Stage};
use crate::support::{Db, TestApp, on_both_databases};

on_both_databases! {
    async fn each_email_is_sent_by_exactly_one_instance(db: Db) {
        let sink = SmtpSink::start().await;
        let mut first = TestApp::start(db).await;
        for n in 0..24 {
            first.registers("Acme", &format!("admin{n}@acme.example")).await;
        }
        // All three see every e-mail waiting.
        first.restart_configured(|config| send_to(config, &sink)).await;
        let (second, third) = tokio::join!(first.second_instance(), first.second_instance());
        for n in 24..30 {
            let instance = [&first, &second, &third][n % 3];
            instance.registers("Acme", &format!("admin{n}@acme.example")).await;
        }
        emails_are(&first, "sent_at is not null and attempts = 1", 30).await;
        arrive(&sink, 30).await;
        let ids: HashSet<String> = sink.received().iter().map(Received::message_id).collect();
        assert_eq!(ids.len(), 30);
    }

    async fn another_instance_finishes_an_email_when_the_lease_ends(db: Db) {
        let sink = SmtpSink::start().await;
        let mut first = app_with(db, &sink).await;
        let second = first.second_instance().await;
        sink.fails(Fault::Hangs(Stage::Recipient));
        first.registers("Acme", "ada@acme.example").await;
        sink.hangs(1).await;
        // Shutdown waits for it, but not long enough.
        first.stop().await;
        second.registers("Acme", "bob@acme.example").await;
        arrive(&sink, 1).await;
        second.advance(chrono::TimeDelta::minutes(2));
        second.registers("Acme", "eve@acme.example").await;
        arrive(&sink, 3).await;
        emails_are(&second, "sent_at is not null", 3).await;
    }
}
