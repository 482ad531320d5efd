//! Starting a sign-in with Slack, and refused return URLs.

use url::Url;

use crate::support::slack::{CHALLENGE, RETURN_URL};
use crate::support::{Db, SlackApp, TestApp, on_both_databases};

on_both_databases! {
    async fn the_authorization_url_has_callback_state_and_parameters(app: SlackApp) {
        let authorization = app.asks_for_url(RETURN_URL, &[]).await.expect(200);
        assert_eq!(authorization.as_object().unwrap().len(), 4, "{authorization}");
        assert_eq!(authorization["type"], "signin");
        assert_eq!(authorization["callbackUrl"], "http://localhost/api/auth/slack/callback");
        let url = authorization["url"].as_str().unwrap();
        assert!(url.contains("/oauth/v2/authorize?client_id="), "{url}");
        let url: Url = url.parse().unwrap();
        let parameter = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        assert_eq!(parameter("state").as_deref(), authorization["state"].as_str());
        assert_eq!(parameter("redirect_uri").as_deref(), authorization["callbackUrl"].as_str());
        assert_eq!(parameter("user_scope").as_deref(), Some("users:read,users:read.email"));
        assert_eq!(parameter("scope"), None);
        assert_eq!(parameter("code_challenge"), None);
        assert_eq!(parameter("nonce"), None);
    }

    async fn openid_connect_always_sends_a_nonce(db: Db) {
        let app = SlackApp::oidc(db).await;
        let (one, two) = (app.begins().await, app.begins().await);
        let nonce = |url: &Url| url.query_pairs().find(|(n, _)| n == "nonce").unwrap().1.into_owned();
        assert!(!nonce(&one).is_empty());
        assert_ne!(nonce(&one), nonce(&two));
        assert!(one.path().ends_with("/openid/connect/authorize"), "{one}");
    }

    async fn the_host_header_changes_nothing(app: SlackApp) {
        let path = "/api/auth/slack/url?returnUrl=https://app.example/auth";
        let authorization = app.get(path)
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "https")
            .await
            .expect(200);
        assert_eq!(authorization["callbackUrl"], "http://localhost/api/auth/slack/callback");
        assert!(!authorization.to_string().contains("evil"));
    }

    async fn a_refused_return_url_names_the_setting(app: SlackApp) {
        for evil in ["https://evil.example/", "//evil.example", "https://app.example/authx", "https:app.example/auth",
            "https://app.example@evil.example/auth", "https://app.example/auth/../admin", "javascript:alert(1)", r"/\evil.example", "https://app.example/auth\r\nx: y"] {
            for answer in [app.asks_for_url(evil, &[]).await, app.starts(evil, &[]).await] {
                answer.refused_fields(&["returnUrl"]);
                let message = answer.json()["details"][0]["message"].as_str().unwrap().to_owned();
                assert!(message.contains(evil) && message.contains("ALLOWED_RETURN_URLS"), "{message}");
                assert!(answer.header("location").is_none());
            }
        }
        app.asks_for_url("https://app.example/auth/deep?x=y", &[]).await.expect(200);
    }

    async fn a_browser_with_a_refused_return_url_sees_a_page(app: SlackApp) {
        let answer = app.get("/api/auth/slack/start?returnUrl=https://evil.example/%3Cb%3E")
            .header("accept", "text/html,*/*;q=0.8")
            .await;
        answer.is_page(400, "validation_failed");
        let page = answer.text();
        assert!(page.contains("ALLOWED_RETURN_URLS") && page.contains("evil.example"), "{page}");
        assert!(!page.contains("href=\"https:&#x2f;&#x2f;evil"), "{page}");
    }

    async fn a_missing_or_repeated_parameter_is_refused(app: SlackApp) {
        app.get("/api/auth/slack/url").await.refused_fields(&["returnUrl"]);
        app.asks_for_url(RETURN_URL, &[("returnUrl", RETURN_URL)]).await.refused_fields(&["returnUrl"]);
        app.asks_for_url(RETURN_URL, &[("codeChallenge", "short")]).await.refused_fields(&["codeChallenge"]);
        app.asks_for_url(RETURN_URL, &[("team", "T 1")]).await.refused_fields(&["team"]);
        // An empty setting must not allow more than intended.
        for name in ["codeChallenge", "team"] {
            app.asks_for_url(RETURN_URL, &[(name, "")]).await.refused_fields(&[name]);
            app.starts(RETURN_URL, &[(name, "")]).await.refused_fields(&[name]);
        }
    }

    async fn a_custom_scheme_needs_a_code_challenge(app: SlackApp) {
        let mobile = "com.example.app://signed-in";
        app.asks_for_url(mobile, &[]).await.refused_fields(&["codeChallenge"]);
        app.asks_for_url(mobile, &[("codeChallenge", CHALLENGE)]).await.expect(200);
    }

    async fn the_start_endpoint_binds_the_browser_and_redirects_to_slack(app: SlackApp) {
        let answer = app.starts(RETURN_URL, &[]).await;
        assert_eq!(answer.status, 302);
        assert!(answer.header("location").unwrap().contains("/dev/slack/oauth/v2/authorize?client_id="));
        let cookie = answer.header("set-cookie").unwrap();
        for part in ["hallpass-slack=", "; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=600"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }

    async fn without_a_slack_app_every_endpoint_says_so(app: TestApp) {
        for path in [
            "/api/auth/slack/url?returnUrl=https://app.example/auth",
            "/api/auth/slack/start?returnUrl=https://app.example/auth",
        ] {
            app.get(path).await.refused(501, "Sign-in with Slack is not set up");
        }
        app.get("/api/auth/slack/callback?code=a&state=b").await.is_page(501, "slack_not_set_up");
        app.get("/dev/slack").await.refused(404, "Not Found");
    }
}
