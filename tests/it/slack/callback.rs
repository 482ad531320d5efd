//! The callback from Slack: state, browser binding, delivery of the token, and errors.

use chrono::TimeDelta;
use hallpass::domain::{AllowedReturnUrl, TokenDelivery};
use hallpass::sandbox::slack::Endpoint;
use reqwest::Method;
use url::Url;

use crate::limits::limited;
use crate::support::slack::{CHALLENGE, RETURN_URL, Returned, use_sandbox};
use crate::support::{Db, OTHER_SECRET, SECRET, SlackApp, TestApp, on_both_databases};

on_both_databases! {
    async fn junk_callbacks_of_one_address_make_thirty_calls_to_slack(db: Db) {
        let app = SlackApp(TestApp::with_slack(db, |config| {
            use_sandbox(config);
            limited(config);
        }).await);
        let from = |path: &str, address: &str| app.get(path).header("x-forwarded-for", address);
        let mut refused = String::new();
        for n in 0..400 {
            let callback = junk(&app).await;
            let answer = from(&callback, "192.0.2.1").await;
            if n < 30 {
                Returned::of(answer).failed_with("sign_in_expired");
            } else {
                answer.is_page(429, "too_many_requests");
                answer.limited_by("\"slack\";q=30;w=60", 2);
                refused = callback;
            }
        }
        assert_eq!(app.slack().calls(Endpoint::OauthAccess), 30);
        assert_eq!(app.db.count("select count(*) from slack_states").await, 30);
        let json = from(&refused, "192.0.2.1").header("accept", "application/json").await;
        json.refused(429, "Too many requests");
        // Everyone else signs in, and so does the refused one a little later.
        let callback = app.callback_of("owner").await;
        Returned::of(from(&callback, "192.0.2.2").await).token();
        let callback = app.callback_of("member").await;
        assert_eq!(from(&callback, "192.0.2.1").await.status, 429);
        app.advance(TimeDelta::seconds(2));
        Returned::of(from(&callback, "192.0.2.1").await).token();
    }

    async fn what_can_be_refused_without_slack_makes_no_call(db: Db) {
        let app = SlackApp(TestApp::with_slack(db, |config| {
            use_sandbox(config);
            limited(config);
        }).await);
        let used = app.callback_of("owner").await;
        app.follows(&used).await.token();
        let calls = app.slack().calls(Endpoint::OauthAccess);
        let state = junk(&app).await.split("state=").nth(1).unwrap().to_owned();
        for path in [
            "/api/auth/slack/callback?code=junk".to_owned(),
            "/api/auth/slack/callback?code=junk&state=junk".to_owned(),
            format!("/api/auth/slack/callback?state={state}"),
            format!("/api/auth/slack/callback?error=access_denied&state={state}"),
        ] {
            for _ in 0..31 {
                assert_ne!(app.get(&path).await.status, 429, "{path}");
            }
        }
        app.get(&used).await.is_page(400, "sign_in_expired");
        assert_eq!(app.slack().calls(Endpoint::OauthAccess), calls);
    }

    async fn the_token_comes_in_the_fragment_with_the_state(app: SlackApp) {
        let authorization = app.asks_for_url("https://app.example/auth/deep?x=y", &[]).await.expect(200);
        let url: Url = authorization["url"].as_str().unwrap().parse().unwrap();
        let callback = app.consents(&url, "owner").await;
        let returned = app.follows(&callback).await;
        assert_eq!(returned.url, "https://app.example/auth/deep");
        assert_eq!(returned.query.len(), 1);
        assert_eq!(returned.fragment["expiresIn"], "604800");
        assert_eq!(returned.fragment["state"], authorization["state"].as_str().unwrap());
        assert_eq!(returned.fragment.len(), 3);
        assert_eq!(returned.answer.header("referrer-policy"), Some("no-referrer"));
        let me = app.me(returned.token()).await;
        assert_eq!(me["email"], "katherine@example.com");
    }

    async fn the_token_can_also_come_in_the_query_or_a_cookie(db: Db) {
        let app = SlackApp::configured(db, |slack| slack.token_delivery = TokenDelivery::Query).await;
        let returned = app.arrives("owner").await;
        assert!(returned.fragment.is_empty());
        app.me(&returned.query["token"]).await;
        assert_eq!(returned.query["expiresIn"], "604800");
        assert!(returned.query.contains_key("state"));
    }

    async fn a_cookie_is_set_only_in_the_browser_that_started(db: Db) {
        let app = SlackApp::configured(db, |slack| slack.token_delivery = TokenDelivery::Cookie).await;
        let asked = app.asks_for_url(RETURN_URL, &[]).await;
        let cookie = asked.cookie().to_owned();
        let authorization: Url = asked.expect(200)["url"].as_str().unwrap().parse().unwrap();
        let callback = app.consents(&authorization, "owner").await;
        app.get(&callback).await.is_page(400, "sign_in_expired");
        let returned = Returned::of(app.get(&callback).header("cookie", &cookie).await);
        assert!(returned.fragment.is_empty() && returned.query.len() == 1, "{:?}", returned.query);
        let session = returned.answer.header("set-cookie").unwrap();
        let (name, rest) = session.split_once('=').unwrap();
        assert_eq!(name, "next-auth.session-token");
        assert!(rest.ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax"), "{rest}");
        app.me(rest.split(';').next().unwrap()).await;
    }

    async fn a_browser_bound_flow_completes_only_in_that_browser(app: SlackApp) {
        let started = app.starts(RETURN_URL, &[]).await;
        let cookie = started.cookie().to_owned();
        let authorization: Url = started.header("location").unwrap().parse().unwrap();
        let callback = app.consents(&authorization, "owner").await;
        let other = app.starts(RETURN_URL, &[]).await.cookie().to_owned();
        app.get(&callback).await.is_page(400, "sign_in_expired");
        app.get(&callback).header("cookie", &other).await.is_page(400, "sign_in_expired");
        app.get(&callback).header("cookie", "hallpass-slack=").await.is_page(400, "sign_in_expired");
        assert_eq!(app.slack().calls(Endpoint::OauthAccess), 0);
        let returned = Returned::of(app.get(&callback).header("cookie", &format!("a=b; {cookie}")).await);
        app.me(returned.token()).await;
    }

    async fn two_tabs_of_one_browser_sign_in_at_once(app: SlackApp) {
        let first = app.starts(RETURN_URL, &[]).await;
        let cookie = first.cookie().to_owned();
        let path = format!("/api/auth/slack/start?returnUrl={RETURN_URL}");
        let second = app.get(&path).header("cookie", &cookie).await;
        assert_eq!(second.cookie(), cookie);
        for tab in [first, second] {
            let authorization: Url = tab.header("location").unwrap().parse().unwrap();
            let callback = app.consents(&authorization, "owner").await;
            Returned::of(app.get(&callback).header("cookie", &cookie).await).token();
        }
    }

    async fn a_state_works_once_and_a_reload_offers_to_start_again(app: SlackApp) {
        let started = app.starts(RETURN_URL, &[]).await;
        let cookie = started.cookie().to_owned();
        let authorization: Url = started.header("location").unwrap().parse().unwrap();
        let callback = app.consents(&authorization, "owner").await;
        Returned::of(app.get(&callback).header("cookie", &cookie).await).token();
        let reload = app.get(&callback).header("cookie", &cookie).await;
        reload.is_page(400, "sign_in_expired");
        let page = reload.text();
        assert!(page.contains("Start again"), "{page}");
        let link = "/api/auth/slack/start?returnUrl=https%3A%2F%2Fapp.example%2Fauth";
        assert!(page.replace("&#x2f;", "/").contains(link), "{page}");
        assert_eq!(app.slack().calls(Endpoint::OauthAccess), 1);
        app.get(&callback)
            .header("cookie", &cookie)
            .header("accept", "application/json")
            .await
            .refused(400, "Sign-in expired");
    }

    async fn a_state_expires_after_ten_minutes(app: SlackApp) {
        let in_time = app.callback_of("owner").await;
        app.advance(TimeDelta::seconds(599));
        app.follows(&in_time).await.token();
        let late = app.callback_of("owner").await;
        app.advance(TimeDelta::minutes(10));
        app.get(&late).await.is_page(400, "sign_in_expired");
    }

    async fn an_unknown_state_redirects_nowhere(app: SlackApp) {
        let token = app.arrives("owner").await.token().to_owned();
        let callback = app.callback_of("owner").await;
        let (before, state) = callback.rsplit_once("state=").unwrap();
        let mut changed = state.to_owned();
        let other = if &state[20..21] == "A" { "B" } else { "A" };
        changed.replace_range(20..21, other);
        for bad in ["", "x", &state[1..], &format!("{state}A"), &token, &changed] {
            let answer = app.get(&format!("{before}state={bad}")).await;
            answer.is_page(400, "sign_in_expired");
            assert!(answer.text().contains("Start again"));
        }
        app.get("/api/auth/slack/callback").await.is_page(400, "sign_in_expired");
        app.get("/api/auth/slack/callback?code=abc").await.is_page(400, "sign_in_expired");
        assert_eq!(app.slack().calls(Endpoint::OauthAccess), 1);
        // And a state is not accepted as a token.
        app.get("/api/auth/me").bearer(state).await.refused(401, "Invalid token");
        app.follows(&callback).await.token();
    }

    async fn a_state_survives_rotation_of_the_signing_secret(db: Db) {
        let mut app = SlackApp::start(db).await;
        let callback = app.callback_of("owner").await;
        app.0.restart_configured(|config| {
            config.tokens.secrets = vec![OTHER_SECRET.into(), SECRET.into()];
        }).await;
        app.follows(&callback).await.token();
        let callback = app.callback_of("owner").await;
        app.0.restart_configured(|config| config.tokens.secrets = vec![SECRET.into()]).await;
        app.get(&callback).await.is_page(400, "sign_in_expired");
    }

    async fn a_return_url_is_checked_again_at_the_end(db: Db) {
        let mut app = SlackApp::start(db).await;
        let callback = app.callback_of("owner").await;
        app.0.restart_configured(|config| {
            config.accounts.allowed_return_urls = vec![AllowedReturnUrl::parse("https://other.example").unwrap()];
        }).await;
        let answer = app.get(&callback).await;
        answer.is_page(400, "sign_in_expired");
        assert!(!answer.text().contains("app.example"), "{}", answer.text());
        assert_eq!(app.db.count("select count(*) from users").await, 0);
    }

    async fn repeated_parameters_are_refused(app: SlackApp) {
        let callback = app.callback_of("owner").await;
        for more in ["code=x", "state=x", "error=access_denied&error=x", "c%6fde=x"] {
            app.get(&format!("{callback}&{more}")).await.is_page(400, "sign_in_expired");
        }
        assert_eq!(app.slack().calls(Endpoint::OauthAccess), 0);
        app.follows(&callback).await.token();
    }

    async fn a_prefetch_uses_nothing_up(app: SlackApp) {
        let callback = app.callback_of("owner").await;
        for (name, value) in [
            ("sec-purpose", "prefetch"),
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "prefetch"),
            ("x-moz", "prefetch"),
        ] {
            let answer = app.get(&callback).header(name, value).await;
            assert_eq!(answer.status, 204, "{name}");
        }
        let head = app.client.call(Method::HEAD, &callback).await;
        assert_eq!(head.status, 204);
        app.post(&callback).await.refused(405, "Method Not Allowed");
        assert_eq!(app.slack().calls(Endpoint::OauthAccess), 0);
        app.follows(&callback).await.token();
    }

    async fn a_person_who_cancels_sees_so_and_may_try_again(app: SlackApp) {
        let authorization = app.begins().await;
        let cancelled = app.consents(&authorization, "deny").await;
        app.follows(&cancelled).await.failed_with("access_denied");
        let callback = app.consents(&authorization, "owner").await;
        app.follows(&callback).await.token();
    }

    async fn a_cancellation_without_a_state_is_a_page(app: SlackApp) {
        let answer = app.get("/api/auth/slack/callback?error=access_denied").await;
        answer.is_page(403, "access_denied");
        assert!(answer.text().contains("Start again"));
        app.get("/api/auth/slack/callback?error=access_denied&error_description=%3Cb%3Eevil")
            .await
            .is_page(403, "access_denied");
    }

    async fn without_a_state_only_access_denied_is_believed(app: SlackApp) {
        for word in ["evil", "internal_error", "invalid_scope", "account_inactive", "Access_Denied", ""] {
            let answer = app.get(&format!("/api/auth/slack/callback?error={word}")).await;
            answer.is_page(400, "sign_in_expired");
            assert!(answer.text().contains("Start again") && !answer.text().contains("evil"));
        }
        app.get("/api/auth/slack/callback?error=access_denied").await.is_page(403, "access_denied");
        // With an unknown state not even that.
        app.get("/api/auth/slack/callback?error=access_denied&state=x").await.is_page(400, "sign_in_expired");
    }

    async fn slacks_error_texts_are_never_echoed(app: SlackApp) {
        let authorization = app.begins().await;
        let state = authorization.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        for (word, ours) in [("invalid_scope", "slack_misconfigured"), ("evil%23%26word", "slack_unavailable")] {
            let path = format!("/api/auth/slack/callback?error={word}&error_description=evilword&state={state}");
            let returned = app.follows(&path).await;
            returned.failed_with(ours);
            assert!(!returned.answer.header("location").unwrap().contains("evil"));
        }
        app.follows(&format!("/api/auth/slack/callback?state={state}")).await.failed_with("sign_in_expired");
    }

    async fn a_client_that_waits_for_a_code_finds_errors_in_the_query(app: SlackApp) {
        let authorization = app.asks_for_url(RETURN_URL, &[("codeChallenge", CHALLENGE)]).await.expect(200);
        let authorization: Url = authorization["url"].as_str().unwrap().parse().unwrap();
        let cancelled = app.consents(&authorization, "deny").await;
        let returned = app.follows(&cancelled).await;
        assert_eq!(returned.query["error"], "access_denied");
        assert!(returned.query.contains_key("state") && returned.fragment.is_empty());
    }

    async fn only_the_requested_workspace_is_accepted(app: SlackApp) {
        let callback = async |team: &str| {
            let authorization = app.asks_for_url(RETURN_URL, &[("team", team)]).await.expect(200);
            let authorization: Url = authorization["url"].as_str().unwrap().parse().unwrap();
            assert!(authorization.query().unwrap().contains(&format!("team={team}")));
            app.consents(&authorization, "owner").await
        };
        let (wrong, right) = (callback("T0SIDEPROJ").await, callback("T0NUMBERS").await);
        app.follows(&wrong).await.failed_with("not_allowed");
        assert_eq!(app.db.count("select count(*) from users").await, 0);
        app.follows(&right).await.token();
    }
}

/// A callback with a good state and a code that Slack does not know.
async fn junk(app: &SlackApp) -> String {
    let asked = app.asks_for_url(RETURN_URL, &[]).await.expect(200);
    format!(
        "/api/auth/slack/callback?code=junk&state={}",
        asked["state"].as_str().unwrap()
    )
}

#[actix_web::test]
async fn all_addresses_together_make_600_calls_to_slack_a_minute() {
    let app = TestApp::with_slack(Db::sqlite(), |config| {
        use_sandbox(config);
        limited(config);
    });
    let app = SlackApp(app.await);
    let mut refused = 0;
    for n in 0..21 * 30 {
        let callback = junk(&app).await;
        let address = format!("192.0.2.{}", n / 30);
        let answer = app.get(&callback).header("x-forwarded-for", &address).await;
        if answer.status == 429 {
            answer.limited_by("\"slack_together\";q=600;w=60", 1);
            refused += 1;
        }
    }
    assert_eq!(refused, 30);
    assert_eq!(app.slack().calls(Endpoint::OauthAccess), 600);
}
