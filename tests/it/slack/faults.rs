//! Failures at Slack.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::domain::slack::SlackFlow;
use hallpass::sandbox::slack::{Endpoint, Fault, Flaw};

use crate::support::{Db, SlackApp, on_both_databases};

on_both_databases! {
    async fn failures_at_slack_are_slack_unavailable_and_leave_nothing(app: SlackApp) {
        for endpoint in [Endpoint::OauthAccess, Endpoint::UsersInfo] {
            for fault in trouble() {
                app.fails(endpoint, fault.clone());
                let returned = app.arrives("owner").await;
                let error = returned.fragment.get("error").map(String::as_str);
                assert_eq!(error, Some("slack_unavailable"), "{endpoint} {fault:?}");
            }
        }
        assert_eq!(app.slack().calls(Endpoint::Elsewhere), 0);
        for table in ["users", "organizations", "sessions", "identities"] {
            assert_eq!(app.db.count(&format!("select count(*) from {table}")).await, 0, "{table}");
        }
        app.signs_in("owner").await;
    }

    async fn openid_connect_handles_the_same_failures(db: Db) {
        let app = SlackApp::oidc(db).await;
        for endpoint in [Endpoint::OpenIdToken, Endpoint::OpenIdKeys, Endpoint::OpenIdUserInfo] {
            for fault in trouble() {
                app.fails(endpoint, fault.clone());
                let returned = app.arrives("owner").await;
                let error = returned.fragment.get("error").map(String::as_str);
                assert_eq!(error, Some("slack_unavailable"), "{endpoint} {fault:?}");
            }
        }
        assert_eq!(app.slack().calls(Endpoint::Elsewhere), 0);
        assert_eq!(app.db.count("select count(*) from users").await, 0);
        app.signs_in("owner").await;
    }

    async fn slacks_refusals_map_to_our_error_codes(app: SlackApp) {
        for (slack, ours) in [
            ("invalid_code", "sign_in_expired"),
            ("code_already_used", "sign_in_expired"),
            ("invalid_client_id", "slack_misconfigured"),
            ("bad_client_secret", "slack_misconfigured"),
            ("bad_redirect_uri", "slack_misconfigured"),
            ("oauth_authorization_url_mismatch", "slack_misconfigured"),
            ("invalid_scope", "slack_misconfigured"),
            ("no_scopes", "slack_misconfigured"),
            ("ratelimited", "slack_unavailable"),
            ("internal_error", "slack_unavailable"),
            ("fatal_error", "slack_unavailable"),
            ("service_unavailable", "slack_unavailable"),
            ("request_timeout", "slack_unavailable"),
            ("something_new", "slack_unavailable"),
            ("access_denied", "not_allowed"),
            ("account_inactive", "not_allowed"),
            ("token_revoked", "not_allowed"),
            ("user_email_unverified", "not_allowed"),
            ("two_factor_setup_required", "not_allowed"),
            ("enterprise_is_restricted", "not_allowed"),
        ] {
            app.fails(Endpoint::OauthAccess, Fault::error(slack));
            app.arrives("owner").await.failed_with(ours);
        }
        app.fails(Endpoint::UsersInfo, Fault::error("account_inactive"));
        app.arrives("owner").await.failed_with("not_allowed");
        app.signs_in("owner").await;
    }

    async fn wrong_credentials_are_a_misconfiguration(db: Db) {
        let mut app = SlackApp::configured(db, |slack| slack.client_secret = "wrong".into()).await;
        app.arrives("owner").await.failed_with("slack_misconfigured");
        app.0.restart_configured(|config| {
            let slack = config.slack.as_mut().unwrap();
            slack.flow = SlackFlow::Oidc;
        }).await;
        app.arrives("owner").await.failed_with("slack_misconfigured");
    }

    async fn every_invalid_id_token_is_refused(db: Db) {
        let app = SlackApp::oidc(db).await;
        for flaw in [
            Flaw::WrongAudience,
            Flaw::WrongIssuer,
            Flaw::WrongNonce,
            Flaw::AlgNone,
            Flaw::Hs256,
            Flaw::Expired,
            Flaw::UnknownKid,
            Flaw::BadSignature,
        ] {
            app.fails(Endpoint::OpenIdToken, Fault::IdToken(flaw));
            let returned = app.arrives("owner").await;
            assert_eq!(returned.fragment.get("error").map(String::as_str), Some("slack_unavailable"), "{flaw:?}");
        }
        assert_eq!(app.db.count("select count(*) from users").await, 0);
        app.signs_in("owner").await;
    }

    async fn an_unknown_key_is_fetched_at_most_once_a_minute(db: Db) {
        let app = SlackApp::oidc(db).await;
        app.signs_in("owner").await;
        let unknown = async || {
            app.fails(Endpoint::OpenIdToken, Fault::IdToken(Flaw::UnknownKid));
            app.arrives("owner").await.failed_with("slack_unavailable");
            app.slack().calls(Endpoint::OpenIdKeys)
        };
        assert_eq!(unknown().await, 1);
        app.advance(TimeDelta::minutes(1));
        assert_eq!(unknown().await, 2);
        assert_eq!(unknown().await, 2);
        app.signs_in("owner").await;
    }

    async fn a_silent_slack_does_not_block_other_requests(app: SlackApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.slack().fail_next(Endpoint::OauthAccess, Fault::Silence, 20);
        let mut callbacks = Vec::new();
        for _ in 0..20 {
            callbacks.push(app.callback_of("owner").await);
        }
        let waiting = join_all(callbacks.iter().map(|callback| app.follows(callback)));
        let meanwhile = async {
            app.slack().has_been_called(Endpoint::OauthAccess, 20).await;
            for _ in 0..20 {
                ada.me().await.expect(200);
            }
            ada.refreshes().await.expect(200);
            app.logs_in(&ada.email, &ada.password).await;
            // All of them still wait, so nothing above waited for them.
            app.slack().clear_faults();
        };
        let (returned, ()) = tokio::join!(waiting, meanwhile);
        for returned in returned {
            returned.failed_with("slack_unavailable");
        }
        app.signs_in("owner").await;
    }
}

/// A whole sign-in has ten seconds, and then it is over.
#[actix_web::test]
async fn a_silent_slack_times_out() {
    let app = SlackApp::start(Db::sqlite()).await;
    app.slack()
        .fail_next(Endpoint::UsersInfo, Fault::Silence, 1);
    let callback = app.callback_of("owner").await;
    let returned = tokio::time::timeout(Duration::from_secs(20), app.follows(&callback)).await;
    returned.unwrap().failed_with("slack_unavailable");
}

#[actix_web::test]
async fn at_most_sixty_four_requests_wait_for_slack_and_more_are_refused() {
    let app = SlackApp::start(Db::sqlite()).await;
    let places = 64_u64;
    app.slack()
        .fail_next(Endpoint::OauthAccess, Fault::Silence, 64);
    let mut callbacks = Vec::new();
    for _ in 0..=places {
        callbacks.push(app.callback_of("owner").await);
    }
    let next = callbacks.pop().unwrap();
    let waiting = join_all(callbacks.iter().map(|callback| app.follows(callback)));
    let meanwhile = async {
        app.slack()
            .has_been_called(Endpoint::OauthAccess, places)
            .await;
        app.follows(&next).await.failed_with("slack_unavailable");
        assert_eq!(app.slack().calls(Endpoint::OauthAccess), places);
        app.slack().clear_faults();
    };
    tokio::join!(waiting, meanwhile);
    app.signs_in("owner").await;
}

fn trouble() -> Vec<Fault> {
    let mut trouble = vec![
        Fault::ServerError,
        Fault::Html,
        Fault::Truncated,
        Fault::NotOk,
        Fault::Redirect,
        Fault::Reset,
        Fault::Oversize,
        Fault::error("xoxp-something-that-looks-like-a-token"),
    ];
    for (retry_after, body) in [(true, true), (true, false), (false, true), (false, false)] {
        trouble.push(Fault::RateLimited { retry_after, body });
    }
    trouble
}
