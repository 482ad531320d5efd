//! Signing in for a session cookie.

use reqwest::Method;
use serde_json::json;

use crate::support::{Browser, Db, PASSWORD, SESSION_COOKIE, TestApp, on_both_databases};

const CALLBACK: &str = "/api/auth/callback/credentials";
const SIGNIN: &str = "/api/auth/signin/credentials";
const ERROR: &str = "http://localhost/api/auth/error?error=CredentialsSignin&provider=credentials";

on_both_databases! {
    async fn the_clients_form_sets_the_cookie_and_names_the_next_page(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        let token = browser.get("/api/auth/csrf").await.expect(200);
        // As `signIn('credentials', { email, password, redirect: false })` posts it.
        let answer = browser.post_form(CALLBACK, &[
            ("email", "ada@acme.example"),
            ("password", PASSWORD),
            ("redirect", "false"),
            ("csrfToken", token["csrfToken"].as_str().unwrap()),
            ("callbackUrl", "http://localhost/dashboard#top"),
            ("json", "true"),
        ]).await;
        assert_eq!(answer.expect(200), json!({"url": "http://localhost/dashboard#top"}));
        let cookie = answer.header("set-cookie").unwrap();
        for part in [
            "next-auth.session-token=",
            "; Path=/",
            "; Max-Age=604800",
            "; HttpOnly",
            "; SameSite=Lax",
        ] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let session = browser.session().await;
        assert_eq!(session["user"], ada.user);
        // The same token also works as a bearer token.
        let token = browser.cookie(SESSION_COOKIE).unwrap();
        let me = app.get("/api/auth/me").bearer(&token).await.expect(200);
        assert_eq!(me, ada.user);
    }

    async fn a_form_redirects_on_success_and_back_to_the_page_on_failure(app: TestApp) {
        app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        let right = [("email", "ada@acme.example"), ("password", PASSWORD), ("callbackUrl", "/dashboard")];
        let answer = browser.post_form(SIGNIN, &right).await;
        assert_eq!(answer.status, 302);
        assert_eq!(answer.header("location"), Some("http://localhost/dashboard"));
        assert!(browser.cookie(SESSION_COOKIE).is_some());

        let stranger = Browser::new(&app);
        let wrong = [("email", "ada@acme.example"), ("password", "wrong"), ("callbackUrl", "/dashboard")];
        let answer = stranger.post_form(SIGNIN, &wrong).await;
        assert_eq!(answer.status, 302);
        assert_eq!(
            answer.header("location"),
            Some("http://localhost/api/auth/signin?error=CredentialsSignin&callbackUrl=http%3A%2F%2Flocalhost%2Fdashboard")
        );
        assert_eq!(stranger.cookie(SESSION_COOKIE), None);
        let page = stranger.get("/api/auth/signin?error=CredentialsSignin&callbackUrl=/dashboard").await;
        assert!(page.text().contains("Incorrect e-mail address or password."), "{}", page.text());
    }

    async fn the_page_keeps_the_address_of_a_failed_sign_in_once(app: TestApp) {
        app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        let wrong = [("email", "ada@acme.example"), ("password", "wrong")];
        let answer = browser.post_form(SIGNIN, &wrong).await;
        let page = answer.header("location").unwrap().replace("http://localhost", "");
        assert!(!page.contains("ada"), "{page}");
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.ends_with("; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"), "{cookie}");
        let shown = browser.get(&page).await.text();
        assert!(shown.contains("value=\"ada@acme.example\""), "{shown}");
        assert!(!browser.get(&page).await.text().contains("ada@acme.example"));

        let evil = Browser::new(&app);
        let typed = [("email", "\"><script>@acme.example"), ("password", "wrong")];
        let answer = evil.post_form(SIGNIN, &typed).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (302, None));
        evil.set_cookie("hallpass-email", "Ij48c2NyaXB0PkBhY21lLmV4YW1wbGU");
        assert!(!evil.get(&page).await.text().contains("<script"));
        let json = app.post(SIGNIN).json(&json!({"email": "ada@acme.example", "password": "wrong"})).await;
        assert_eq!((json.status.as_u16(), json.header("set-cookie")), (401, None));
    }

    async fn unknown_wrong_and_disabled_get_one_answer(app: TestApp) {
        app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.signs_up("Bolt", "bob@bolt.example").await;
        app.db
            .execute(&format!(
                "update users set disabled_at = created_at where id = {}",
                app.db.id(bob.id())
            ))
            .await;
        let browser = Browser::new(&app);
        for (email, password) in [
            ("unknown@acme.example", PASSWORD),
            ("ada@acme.example", "Not-The-Password-1"),
            ("bob@bolt.example", PASSWORD),
            ("no address", PASSWORD),
            ("ada@acme.example", ""),
        ] {
            let answer = browser.signs_in(email, password).await;
            assert_eq!(answer.expect(401), json!({"url": ERROR}), "{email}");
            assert_eq!(answer.header("x-error-code"), Some("invalid_credentials"));
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert!(answer.header("set-cookie").is_none());
        }
        assert_eq!(browser.session().await, json!({}));
    }

    async fn each_sign_in_sets_a_new_cookie_and_keeps_other_sessions(app: TestApp) {
        app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        browser.signs_in("ada@acme.example", PASSWORD).await.expect(200);
        let first = browser.cookie(SESSION_COOKIE).unwrap();
        browser.signs_in("ada@acme.example", PASSWORD).await.expect(200);
        let second = browser.cookie(SESSION_COOKIE).unwrap();
        assert_ne!(first, second);
        for token in [first, second] {
            app.get("/api/auth/me").bearer(&token).await.expect(200);
        }
    }

    async fn a_script_without_cookies_posts_a_csrf_token_or_json(app: TestApp) {
        app.signs_up("Acme", "ada@acme.example").await;
        let token = app.get("/api/auth/csrf").await.expect(200);
        let token = token["csrfToken"].as_str().unwrap();
        let fields = [("email", "ada@acme.example"), ("password", PASSWORD)];
        let with = |token| [fields[0], fields[1], ("csrfToken", token)];
        for path in [SIGNIN, CALLBACK] {
            let answer = app.post(path).form(&with(token)).await;
            assert_eq!(answer.status, 302, "{}", answer.text());
            assert_eq!(answer.set_cookies()[0].0, SESSION_COOKIE);
            app.post(path).form(&fields).await.refused(403, "Cross-site request refused");
            app.post(path).form(&with("forged")).await.refused(403, "Cross-site request refused");

            let body = json!({"email": "ada@acme.example", "password": PASSWORD, "rememberMe": [1]});
            let answer = app.post(path).json(&body).await;
            assert_eq!(answer.status, 302, "{}", answer.text());
            assert_eq!(answer.header("location"), Some("http://localhost/"));
            assert_eq!(answer.set_cookies()[0].0, SESSION_COOKIE);
            let body = json!({"email": "ada@acme.example", "password": PASSWORD, "json": true});
            let answer = app.post(path).json(&body).await;
            assert_eq!(answer.expect(200), json!({"url": "http://localhost/"}));

            let body = json!({"email": "ada@acme.example", "password": "wrong"});
            app.post(path).json(&body).await.refused(401, "Invalid credentials");
            let body = json!({"email": "no address"});
            app.post(path).json(&body).await.refused_fields(&["email", "password"]);
        }
        app.advance(chrono::TimeDelta::hours(24));
        app.post(SIGNIN).form(&with(token)).await.refused(403, "Cross-site request refused");
    }

    async fn a_foreign_page_cannot_sign_anyone_in(app: TestApp) {
        app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        let token = browser.get("/api/auth/csrf").await.expect(200);
        let token = token["csrfToken"].as_str().unwrap().to_owned();
        let fields = [
            ("email", "ada@acme.example"),
            ("password", PASSWORD),
            ("csrfToken", token.as_str()),
        ];
        let json = json!({"email": "ada@acme.example", "password": PASSWORD, "csrfToken": token});
        for headers in [
            [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
            [("origin", "https://evil.example"), ("accept", "*/*")],
            [("sec-fetch-site", "cross-site"), ("accept", "*/*")],
            [("sec-fetch-site", "same-site"), ("accept", "*/*")],
            [("origin", "http://localhost"), ("sec-fetch-site", "cross-site")],
            [("origin", "null"), ("sec-fetch-site", "cross-site")],
        ] {
            let marked = |call: crate::support::client::Call| {
                headers.iter().fold(call, |call, (name, value)| call.header(name, value))
            };
            for path in [SIGNIN, CALLBACK] {
                let form = marked(browser.silent(Method::POST, path)).form(&fields).await;
                form.refused(403, "Cross-site request refused");
                assert_eq!(form.header("x-error-code"), Some("cross_site_request"));
                let answer = marked(browser.silent(Method::POST, path)).json(&json).await;
                answer.refused(403, "Cross-site request refused");
            }
            let login = json!({"email": "ada@acme.example", "password": PASSWORD});
            marked(app.post("/api/auth/login")).json(&login).await.refused(403, "Cross-site request refused");
            let login = json!({"name": "ada@acme.example", "password": PASSWORD});
            marked(app.post("/api/v1/login")).json(&login).await.refused(403, "Cross-site request refused");
        }
        // The matching successes: an allowed origin, and a client without an origin that has the CSRF token.
        let allowed = browser.silent(Method::POST, CALLBACK).header("origin", "https://app.example");
        let answer = allowed.header("sec-fetch-site", "cross-site").form(&fields[..2]).await;
        assert_eq!(answer.status, 302, "{}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        let old_browser = browser.silent(Method::POST, CALLBACK).form(&fields).await;
        assert_eq!(old_browser.status, 302, "{}", old_browser.text());
        let without_token = browser.silent(Method::POST, CALLBACK).form(&fields[..2]).await;
        without_token.refused(403, "Cross-site request refused");
        let without_token = browser.silent(Method::POST, CALLBACK)
            .json(&json!({"email": "ada@acme.example", "password": PASSWORD})).await;
        without_token.refused(403, "Cross-site request refused");
        // One of our CSRF tokens, but not this browser's.
        let other = app.get("/api/auth/csrf").await.expect(200);
        let other = [fields[0], fields[1], ("csrfToken", other["csrfToken"].as_str().unwrap())];
        let answer = browser.silent(Method::POST, CALLBACK).form(&other).await;
        answer.refused(403, "Cross-site request refused");
    }

    async fn the_second_factor_code_is_sent_with_the_password(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let authenticator = ada.enrols(&app).await;
        let browser = Browser::new(&app);
        let sign_in = async |password: &str, code: &str| {
            let fields = [("email", "ada@acme.example"), ("password", password), ("code", code), ("json", "true")];
            browser.post_form(CALLBACK, &fields).await
        };
        let failed = |answer: crate::support::Answer, error: &str, code: &str| {
            let url = format!("http://localhost/api/auth/error?error={error}&provider=credentials");
            assert_eq!(answer.expect(401), json!({"url": url}));
            assert_eq!(answer.header("x-error-code"), Some(code));
        };
        failed(sign_in(PASSWORD, "").await, "MfaRequired", "second_factor_required");
        failed(sign_in(PASSWORD, &authenticator.wrong_code(&app)).await, "InvalidCode", "invalid_code");
        failed(sign_in("wrong", &authenticator.code(&app)).await, "CredentialsSignin", "invalid_credentials");
        let body = json!({"email": "ada@acme.example", "password": PASSWORD});
        app.post(CALLBACK).json(&body).await.refused(401, "Second factor required");
        assert_eq!(browser.cookie(SESSION_COOKIE), None);
        let page = browser.get("/api/auth/signin?error=MfaRequired").await;
        assert!(page.text().contains(r#"name="code""#), "{}", page.text());

        let code = authenticator.code(&app);
        sign_in(PASSWORD, &code).await.expect(200);
        assert_eq!(browser.session().await["user"], ada.user);
        failed(sign_in(PASSWORD, &code).await, "InvalidCode", "invalid_code");
        for _ in 0..5 {
            failed(sign_in(PASSWORD, &authenticator.wrong_code(&app)).await, "InvalidCode", "invalid_code");
        }
        let answer = sign_in(PASSWORD, &authenticator.recovery_codes[0]).await;
        assert!(answer.expect(429)["url"].as_str().unwrap().contains("error=TooManyAttempts"));
        assert!(answer.header("retry-after").is_some());
    }

    async fn a_person_who_must_enrol_gets_no_cookie_and_loses_none(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        browser.signs_in("ada@acme.example", PASSWORD).await.expect(200);
        app.requires_mfa(ada.organization_id()).await;
        let other = Browser::new(&app);
        let answer = other.signs_in("ada@acme.example", PASSWORD).await;
        assert!(answer.expect(403)["url"].as_str().unwrap().contains("error=MfaEnrolmentRequired"));
        assert_eq!(other.cookie(SESSION_COOKIE), None);

        // An instance that has just learned of the rule. The person enrols with this cookie.
        let instance = app.second_instance().await;
        let elsewhere = Browser::new(&instance);
        elsewhere.set_cookie(SESSION_COOKIE, &browser.cookie(SESSION_COOKIE).unwrap());
        let answer = elsewhere.get("/api/auth/session").await;
        assert_eq!(answer.expect(200), json!({}));
        assert!(answer.header("set-cookie").is_none());
        elsewhere.call(Method::POST, "/api/auth/mfa/totp").await.expect(200);
        elsewhere.post_form("/api/auth/signout", &[("json", "true")]).await.expect(200);
        assert_eq!(elsewhere.cookie(SESSION_COOKIE), None);
    }

    async fn the_sign_in_page_offers_a_new_password_and_leads_to_the_application(db: Db) {
        let app = TestApp::configured(db, |config| {
            config.accounts.app_url = "https://app.example.net/home".parse().unwrap();
        })
        .await;
        app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        let page = browser.get("/api/auth/signin").await.text().replace("&#x2f;", "/");
        assert!(page.contains("<a href=\"http://localhost/reset-password\">Forgot your password?</a>"), "{page}");
        let onward = "https://app.example.net/home";
        assert!(page.contains(&format!("name=\"callbackUrl\" value=\"{onward}\"")), "{page}");
        let fields = [("email", "ada@acme.example"), ("password", PASSWORD), ("callbackUrl", onward)];
        let signed_in = browser.post_form("/api/auth/callback/credentials", &fields).await;
        assert_eq!(signed_in.header("location"), Some(onward));
        for elsewhere in ["https://app.example.net/", "https://app.example.net/homes", "https://app.example.net:8443/home"] {
            let fields = [("email", "ada@acme.example"), ("password", PASSWORD), ("callbackUrl", elsewhere)];
            let signed_in = browser.post_form("/api/auth/callback/credentials", &fields).await;
            assert_eq!(signed_in.header("location"), Some("http://localhost/"), "{elsewhere}");
        }
    }

    async fn the_sign_in_page_loads_nothing_and_shows_only_what_it_knows(app: TestApp) {
        let page = app
            .get("/api/auth/signin?error=%3Cscript%3Ealert(1)%3C/script%3E&callbackUrl=https://app.example/x")
            .await;
        assert_eq!(page.status, 200);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("form-action 'self' http://localhost https://app.example;"), "{policy}");
        assert!(!page.text().contains("<script"), "{}", page.text());
        assert!(page.text().contains("https:&#x2f;&#x2f;app.example&#x2f;x"), "{}", page.text());
        let answer = app.get("/api/auth/error?error=CredentialsSignin").await;
        assert_eq!(answer.status, 302);
        assert_eq!(
            answer.header("location"),
            Some("http://localhost/api/auth/signin?error=CredentialsSignin")
        );
        let page = app.get("/api/auth/signout").await;
        let action = "action=\"signout\"";
        assert!(page.text().contains(action), "{}", page.text());
    }

    async fn the_providers_and_the_log_are_what_the_client_expects(app: TestApp) {
        assert_eq!(app.get("/api/auth/providers").await.expect(200), json!({
            "credentials": {
                "id": "credentials",
                "name": "E-mail and password",
                "type": "credentials",
                "signinUrl": "http://localhost/api/auth/signin/credentials",
                "callbackUrl": "http://localhost/api/auth/callback/credentials",
            },
        }));
        app.post("/api/auth/signin/slack").form(&[]).await.refused(404, "Provider not found");
        let complaint = [("level", "error"), ("code", "CLIENT_FETCH_ERROR"), ("message", "no")];
        app.post("/api/auth/_log").form(&complaint).await.expect(200);
    }
}
