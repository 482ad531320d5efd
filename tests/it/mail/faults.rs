//! Mail servers that fail in many ways: no e-mail is lost, and none is duplicated more than once.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use hallpass::ports::Clock;

use super::{app_with, arrive, emails_are, reasons};
use crate::support::smtp_sink::{Fault, Received, STAGES, SmtpSink, Stage};
use crate::support::{Db, TestApp, on_both_databases};

/// The condition of an e-mail after so many attempts and with none in progress, whose lease would end later.
fn failed(app: &TestApp, attempts: u32) -> String {
    let soon = (app.clock.now() + TimeDelta::seconds(100)).timestamp_micros();
    let soon = match app.db {
        Db::Sqlite { .. } => soon.to_string(),
        Db::Postgres { .. } => format!("to_timestamp({soon} / 1000000.0)"),
    };
    format!("attempts = {attempts} and next_attempt_at < {soon}")
}

/// More than the pause after a first attempt.
const A_PAUSE: TimeDelta = TimeDelta::seconds(10);

on_both_databases! {
    async fn an_outage_of_ten_minutes_loses_and_duplicates_no_email(db: Db) {
        let mut sink = SmtpSink::start().await;
        sink.closes().await;
        let app = app_with(db, &sink).await;
        for n in 0..5 {
            app.registers("Acme", &format!("admin{n}@acme.example")).await;
        }
        for (attempts, minutes) in [(1, 1), (2, 4), (3, 5)] {
            emails_are(&app, &failed(&app, attempts), 5).await;
            app.advance(TimeDelta::minutes(minutes));
        }
        sink.opens().await;
        app.advance(TimeDelta::minutes(20));
        arrive(&sink, 5).await;
        emails_are(&app, "sent_at is not null", 5).await;
        let ids: HashSet<String> = sink.received().iter().map(Received::message_id).collect();
        assert_eq!(ids.len(), 5);
        for why in reasons(&app).await {
            assert!(why.starts_with("the connection failed at the greeting: Connection refused"), "{why}");
        }
    }

    async fn every_temporary_failure_is_retried(db: Db) {
        let sink = SmtpSink::start().await;
        let app = app_with(db, &sink).await;
        let stages = STAGES.iter().filter(|stage| **stage != Stage::Goodbye);
        for (n, &stage) in (1..).zip(stages) {
            sink.fails(Fault::Replies(stage, "451 4.3.0 <ada@acme.example> later"));
            app.registers("Acme", &format!("early{n}@acme.example")).await;
            emails_are(&app, "last_error is not null", n).await;
            app.advance(A_PAUSE);
            // Writing another e-mail wakes the worker.
            app.registers("Acme", &format!("late{n}@acme.example")).await;
            arrive(&sink, usize::try_from(2 * n).unwrap()).await;
        }
        for why in reasons(&app).await {
            assert!(why.starts_with("the server answered 451 4.3.0 to "), "{why}");
        }
        emails_are(&app, "sent_at is not null", 12).await;
    }

    async fn a_permanent_failure_is_given_up_at_once(db: Db) {
        let sink = SmtpSink::start().await;
        let app = app_with(db, &sink).await;
        for (n, stage) in (1..).zip([Stage::Recipient, Stage::Data, Stage::Mail]) {
            sink.fails(Fault::Replies(stage, "550 5.1.1 <ada@acme.example> is unknown"));
            app.registers("Acme", &format!("early{n}@acme.example")).await;
            emails_are(&app, "given_up_at is not null and attempts = 1", n).await;
        }
        let whys = reasons(&app).await;
        assert_eq!(whys, ["DATA", "RCPT TO", "the mail"].map(|to| format!("the server answered 550 5.1.1 to {to}")));
        app.advance(TimeDelta::hours(1));
        app.registers("Acme", "last@acme.example").await;
        arrive(&sink, 1).await;
        assert_eq!(sink.received()[0].to, "last@acme.example");
    }

    async fn a_server_that_rejects_us_rather_than_the_email_is_retried(db: Db) {
        let sink = SmtpSink::start().await;
        let app = app_with(db, &sink).await;
        let refusals = [
            (Stage::Greeting, "554 5.3.2 no service"),
            (Stage::Hello, "550 5.7.1 not you"),
            (Stage::Sender, "550 5.7.1 not from there"),
            (Stage::Recipient, "530 5.7.0 authentication required"),
        ];
        for (n, (stage, answer)) in (1..).zip(refusals) {
            sink.fails(Fault::Replies(stage, answer));
            app.registers("Acme", &format!("early{n}@acme.example")).await;
            emails_are(&app, "last_error is not null and given_up_at is null", n).await;
        }
        app.advance(A_PAUSE);
        app.registers("Acme", "last@acme.example").await;
        arrive(&sink, 5).await;
    }

    async fn a_connection_that_ends_early_causes_one_retry(db: Db) {
        let sink = SmtpSink::start().await;
        let app = app_with(db, &sink).await;
        let stages = STAGES.iter().filter(|stage| **stage != Stage::Goodbye);
        let cuts = stages.map(|&stage| Fault::Disconnects(stage)).chain([Fault::DisconnectsMidway]);
        for (n, cut) in (1..).zip(cuts) {
            sink.fails(cut);
            app.registers("Acme", &format!("early{n}@acme.example")).await;
            emails_are(&app, "last_error is not null", n).await;
            app.advance(A_PAUSE);
            app.registers("Acme", &format!("late{n}@acme.example")).await;
            arrive(&sink, usize::try_from(2 * n).unwrap()).await;
        }
    }

    async fn a_failed_quit_causes_no_duplicate(db: Db) {
        let sink = SmtpSink::start().await;
        let app = app_with(db, &sink).await;
        for (n, fault) in (1..).zip([
            Fault::Disconnects(Stage::Goodbye),
            Fault::Replies(Stage::Goodbye, "421 too late"),
            Fault::Hangs(Stage::Goodbye),
        ]) {
            sink.fails(fault);
            app.registers("Acme", &format!("admin{n}@acme.example")).await;
            emails_are(&app, "sent_at is not null and attempts = 1", n).await;
        }
        arrive(&sink, 3).await;
        assert_eq!(sink.faults_left(), 0);
    }

    async fn an_unacknowledged_email_is_sent_at_most_twice_under_one_message_id(db: Db) {
        let sink = SmtpSink::start().await;
        let app = app_with(db, &sink).await;
        sink.fails(Fault::AcceptsAndDisconnects);
        app.registers("Acme", "early@acme.example").await;
        emails_are(&app, "last_error is not null", 1).await;
        app.advance(A_PAUSE);
        app.registers("Acme", "late@acme.example").await;
        arrive(&sink, 3).await;
        emails_are(&app, "sent_at is not null", 2).await;
        let mut copies: HashMap<String, Vec<String>> = HashMap::new();
        for mail in sink.received() {
            copies.entry(mail.message_id()).or_default().push(mail.text);
        }
        let mut counts: Vec<usize> = copies.values().map(Vec::len).collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 2]);
        // Byte for byte, so that duplicates can be detected.
        assert!(copies.values().all(|texts| texts.iter().all(|text| *text == texts[0])));
    }
}
