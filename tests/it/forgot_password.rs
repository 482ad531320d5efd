//! Requesting a password reset e-mail, which reveals nothing about accounts.

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::domain::EmailMessage;
use hallpass::service::operations::purge::purge;
use serde_json::json;

use crate::support::{Db, OTHER_PASSWORD, PASSWORD, SlackApp, TestApp, on_both_databases};

const ADA: &str = "ada@acme.example";
const UNKNOWN: &str = "unknown@acme.example";

on_both_databases! {
    async fn a_request_sends_a_reset_link(app: TestApp) {
        app.registers("Acme", ADA).await;
        let answer = app.forgets_password("ADA@Acme.Example").await;
        assert_eq!(answer.expect(200), json!({"success": true}));
        let mut emails = app.emails_to(ADA).await;
        emails.retain(|message| message.kind() == "reset_password");
        let [EmailMessage::ResetPassword { name, token }] = emails.as_slice() else {
            panic!("{emails:?}")
        };
        assert_eq!(name, "Ada Byron");
        assert_eq!(token.len(), 43);
    }

    async fn the_answer_is_the_same_for_every_address(app: SlackApp) {
        app.registers("Acme", ADA).await;
        app.registers("Gamma", "disabled@gamma.example").await;
        app.disables("disabled@gamma.example").await;
        app.signs_in("member").await;
        let known = app.forgets_password(ADA).await;
        for address in [UNKNOWN, "disabled@gamma.example", "edsger@example.com"] {
            let answer = app.forgets_password(address).await;
            assert_eq!(answer.as_bytes(), known.as_bytes(), "{address}");
        }
        assert!(app.emails_to(UNKNOWN).await.is_empty());
        assert!(app.emails_to("disabled@gamma.example").await.iter().all(|message| message.kind() != "reset_password"));
        // This account has no password yet; the e-mail lets its owner set a first one.
        assert_eq!(app.emails_to("edsger@example.com").await.len(), 1);
    }

    async fn an_unknown_address_writes_as_much_as_a_known_one(app: TestApp) {
        app.registers("Acme", ADA).await;
        app.advance(TimeDelta::hours(2));
        let mut written = Vec::new();
        for address in [ADA, UNKNOWN] {
            for path in ["/api/auth/forgot-password", "/api/auth/resend-verification"] {
                let before = rows(&app).await;
                app.post(path).json(&json!({"email": address})).await.expect(200);
                let after = rows(&app).await;
                written.push([after[0] - before[0], after[1] - before[1], after[2] - before[2]]);
            }
        }
        // The second e-mail to a known address replaces the token of the first.
        assert_eq!(written, [[1, 1, 1], [1, 1, 0], [1, 1, 1], [1, 1, 1]]);
        let readable = format!(
            "select count(*) from outbox where recipient = '{UNKNOWN}'
             and (letter is not null or next_attempt_at is not null)"
        );
        assert_eq!(app.db.count(&readable).await, 0);
    }

    async fn a_fourth_reset_email_within_half_an_hour_is_silently_not_sent(app: TestApp) {
        app.registers("Acme", ADA).await;
        let first = app.forgets_password(ADA).await;
        for _ in 0..4 {
            app.advance(TimeDelta::minutes(7));
            let answer = app.forgets_password(ADA).await;
            assert_eq!(answer.as_bytes(), first.as_bytes());
        }
        assert_eq!(count_resets(&app).await, 3);
        app.advance(TimeDelta::minutes(2));
        app.forgets_password(ADA).await.expect(200);
        assert_eq!(count_resets(&app).await, 4);
    }

    async fn a_reset_is_sent_once_the_last_link_has_expired(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", ADA).await;
        for hour in 1..=3 {
            for _ in 0..3 {
                app.forgets_password(ADA).await.expect(200);
            }
            let last = app.mailed_token(ADA, "reset_password").await;
            app.advance(TimeDelta::minutes(30));
            app.resets_password(&last, PASSWORD).await.refused(400, "Invalid or expired token");
            app.forgets_password(ADA).await.expect(200);
            assert_eq!(count_resets(&app).await, 4 * hour);
            app.advance(TimeDelta::minutes(30));
        }
        app.forgets_password(ADA).await.expect(200);
        let token = app.mailed_token(ADA, "reset_password").await;
        app.resets_password(&token, OTHER_PASSWORD).await.expect(200);
    }

    async fn changing_the_password_lifts_the_limit_of_resets_ten_times_only(db: Db) {
        let app = TestApp::limited(db).await;
        let ada = app.signs_up_verified("Acme", ADA).await;
        let (mut old, mut new) = (PASSWORD, OTHER_PASSWORD);
        for _ in 0..15 {
            app.advance(TimeDelta::seconds(1));
            app.forgets_password(ADA).await.expect(200);
            ada.changes_password(old, new).await.expect(200);
            (old, new) = (new, old);
        }
        assert_eq!(count_resets(&app).await, 10);
        app.advance(TimeDelta::minutes(30));
        app.forgets_password(ADA).await.expect(200);
        assert_eq!(count_resets(&app).await, 11);
    }

    async fn a_used_link_counts_towards_no_limit(app: TestApp) {
        app.registers("Acme", ADA).await;
        for n in 0..3 {
            app.advance(TimeDelta::seconds(n));
            app.forgets_password(ADA).await.expect(200);
        }
        let token = app.mailed_token(ADA, "reset_password").await;
        app.resets_password(&token, OTHER_PASSWORD).await.expect(200);
        app.forgets_password(ADA).await.expect(200);
        assert_eq!(count_resets(&app).await, 4);
        // That link is good now, so the limit holds again.
        app.forgets_password(ADA).await.expect(200);
        assert_eq!(count_resets(&app).await, 4);
    }

    async fn the_holder_of_an_unverified_account_cannot_renew_the_limit(app: TestApp) {
        let squatter = app.signs_up("Acme", ADA).await;
        for n in 0..3 {
            app.forgets_password(ADA).await.expect(200);
            let words = [PASSWORD, OTHER_PASSWORD];
            squatter.changes_password(words[n % 2], words[(n + 1) % 2]).await.expect(200);
        }
        app.forgets_password(ADA).await.expect(200);
        assert_eq!(count_resets(&app).await, 3);
    }

    async fn an_email_that_was_given_up_counts_towards_no_limit(app: TestApp) {
        app.registers("Acme", ADA).await;
        for _ in 0..3 {
            app.forgets_password(ADA).await.expect(200);
        }
        let give_up = "update outbox set given_up_at = created_at, letter = null, next_attempt_at = null";
        app.db.execute(give_up).await;
        app.forgets_password(ADA).await.expect(200);
        assert_eq!(count_resets(&app).await, 1);
    }

    async fn strangers_cannot_use_up_the_emails_of_a_new_address(db: Db) {
        let app = TestApp::limited(db).await;
        let grace = app.signs_up_verified("Acme", "grace@acme.example").await;
        let stranger = async |address: &str| {
            for _ in 0..4 {
                app.forgets_password(address).await.expect(200);
                app.resends_verification(address).await.expect(200);
            }
        };
        stranger(ADA).await;
        stranger(UNKNOWN).await;
        app.registers("Beta", ADA).await;
        assert_eq!(kinds_to(&app, ADA).await, ["verify_email"]);
        app.resends_verification(ADA).await.expect(200);
        app.forgets_password(ADA).await.expect(200);
        assert_eq!(kinds_to(&app, ADA).await, ["reset_password", "verify_email", "verify_email"]);
        grace.invites(UNKNOWN, "employee").await.expect(201);
        assert_eq!(kinds_to(&app, UNKNOWN).await, ["invitation"]);
        stranger(ADA).await;
        grace.invites(ADA, "employee").await.expect(201);
        app.mailed_token(ADA, "invitation").await;
    }

    async fn an_earlier_account_uses_up_no_emails_of_the_next_one(app: TestApp) {
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        let squatter = app.joins(eve.organization_id(), ADA).await;
        for _ in 0..4 {
            app.forgets_password(ADA).await.expect(200);
            app.resends_verification(ADA).await.expect(200);
        }
        eve.delete(&format!("/api/users/{}", squatter.id())).await.expect(200);
        let before = kinds_to(&app, ADA).await.len();
        app.registers("Acme", ADA).await;
        app.resends_verification(ADA).await.expect(200);
        app.forgets_password(ADA).await.expect(200);
        assert_eq!(kinds_to(&app, ADA).await.len(), before + 3);
    }

    async fn a_suppressed_email_writes_as_much_as_a_sent_one(app: TestApp) {
        app.registers("Acme", ADA).await;
        for address in [ADA, UNKNOWN] {
            for _ in 0..3 {
                app.forgets_password(address).await.expect(200);
            }
            for _ in 0..2 {
                let before = rows(&app).await;
                app.forgets_password(address).await.expect(200);
                assert_eq!(rows(&app).await, before.map(|rows| rows + 1), "{address}");
            }
        }
    }

    async fn decoy_rows_are_deleted(app: TestApp) {
        app.registers("Acme", ADA).await;
        app.forgets_password(UNKNOWN).await.expect(200);
        app.advance(TimeDelta::minutes(59));
        let operator_app = app.operator_app().await;
        purge(operator_app.services()).await;
        assert_eq!(app.db.count("select count(*) from outbox").await, 2);
        app.advance(TimeDelta::minutes(1));
        purge(operator_app.services()).await;
        assert_eq!(app.db.count("select count(*) from outbox").await, 1);
        assert_eq!(app.emails_to(ADA).await.len(), 1);
    }

    async fn a_suppressed_email_leaves_the_last_link_valid(app: TestApp) {
        app.registers("Acme", ADA).await;
        app.advance(TimeDelta::hours(2));
        for _ in 0..3 {
            app.advance(TimeDelta::seconds(1));
            app.forgets_password(ADA).await.expect(200);
        }
        let last = app.mailed_token(ADA, "reset_password").await;
        app.forgets_password(ADA).await.expect(200);
        app.resets_password(&last, OTHER_PASSWORD).await.expect(200);
    }

    async fn requests_to_verify_and_to_reset_are_limited_separately(app: TestApp) {
        app.registers("Acme", ADA).await;
        for _ in 0..4 {
            app.resends_verification(ADA).await.expect(200);
        }
        // The first is of the registration.
        assert_eq!(kinds_to(&app, ADA).await, ["verify_email"; 4]);
        app.forgets_password(ADA).await.expect(200);
        assert_eq!(count_resets(&app).await, 1);
        let refused =
            "select count(*) from audit where action = 'user.verification_requested' and outcome = 'refused'";
        assert_eq!(app.db.count(refused).await, 1);
    }

    async fn of_twenty_concurrent_requests_three_send_an_email(app: TestApp) {
        app.registers("Acme", ADA).await;
        app.advance(TimeDelta::hours(2));
        join_all((0..20).map(|_| app.forgets_password(ADA))).await;
        assert_eq!(count_resets(&app).await, 3);
        let tokens =
            "select count(*) from one_time_tokens where purpose = 'reset_password' and user_id is not null";
        assert_eq!(app.db.count(tokens).await, 1);
    }

    async fn each_request_leaves_one_audit_row_whether_or_not_the_account_exists(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        for (address, subject) in [(ADA, format!("= {}", app.db.id(ada.id()))), (UNKNOWN, "is null".to_owned())] {
            app.forgets_password(address).await.expect(200);
            let rows = format!(
                "select count(*) from audit where action = 'user.password_reset_requested' and outcome = 'ok'
                 and subject_id {subject}"
            );
            assert_eq!(app.db.count(&rows).await, 1, "{address}");
        }
        assert_eq!(app.db.count("select count(*) from audit where action = 'user.password_reset_requested'").await, 2);
    }

    async fn an_invalid_address_is_an_error_of_its_field(app: TestApp) {
        for path in ["/api/auth/forgot-password", "/api/auth/resend-verification"] {
            for body in [
                json!({}),
                json!({"email": "ada"}),
                json!({"email": ["ada@acme.example"]}),
                json!({"email": "a@b.de\r\nbcc: x@y.de"}),
            ] {
                app.post(path).json(&body).await.refused_fields(&["email"]);
            }
            app.post(path).json(&json!({"email": ADA, "returnUrl": "https://evil.example"}))
                .await.refused_fields(&["returnUrl"]);
        }
        assert_eq!(app.db.count("select count(*) from outbox").await, 0);
    }

    async fn links_ignore_the_host_header(app: TestApp) {
        app.registers("Acme", ADA).await;
        app.post("/api/auth/forgot-password")
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .json(&json!({"email": ADA}))
            .await
            .expect(200);
        let emails = app.emails_to(ADA).await;
        assert!(!serde_json::to_string(&emails).unwrap().contains("evil"), "{emails:?}");
        assert_eq!(count_resets(&app).await, 1);
    }

    async fn only_a_hash_of_the_token_is_stored(app: TestApp) {
        app.registers("Acme", ADA).await;
        app.forgets_password(ADA).await.expect(200);
        let token = app.mailed_token(ADA, "reset_password").await;
        for column in ["hash", "payload"] {
            for text in app.db.values(&format!("select {column} as v from one_time_tokens")).await {
                assert!(!text.unwrap().contains(&token));
            }
        }
        for message in app.db.values("select letter as v from outbox").await {
            assert!(!message.unwrap().contains(&token));
        }
    }
}

/// The kinds of the unsent e-mails to an address, sorted.
async fn kinds_to(app: &TestApp, address: &str) -> Vec<&'static str> {
    let emails = app.emails_to(address).await;
    let mut kinds: Vec<_> = emails.iter().map(EmailMessage::kind).collect();
    kinds.sort_unstable();
    kinds
}

async fn count_resets(app: &TestApp) -> usize {
    let emails = app.emails_to(ADA).await;
    emails
        .iter()
        .filter(|message| message.kind() == "reset_password")
        .count()
}

/// Row counts of the three tables that a request writes to.
async fn rows(app: &TestApp) -> [i64; 3] {
    [
        app.db.count("select count(*) from audit").await,
        app.db.count("select count(*) from outbox").await,
        app.db.count("select count(*) from one_time_tokens").await,
    ]
}
