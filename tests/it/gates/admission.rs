//! Who may pass, and what the application learns about them.

use chrono::TimeDelta;
use percent_encoding::percent_decode_str;
use reqwest::Method;
use serde_json::json;

use super::{GATES, IDENTITY, VERIFY, asks, browser_of, identity};
use crate::support::cluster::Cluster;
use crate::support::jwt::claims;
use crate::support::{Db, SESSION_COOKIE, TestApp, eventually, on_both_databases};

/// Every table except the one with the changes, which is polled all the time.
const TABLES: [&str; 5] = ["users", "organizations", "memberships", "sessions", "audit"];

const OTHERS: &str = "https://evil.example";

on_both_databases! {
    async fn a_visitor_who_passes_is_named_by_every_header(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.patch("/api/auth/me").json(&json!({"name": "Zoë 100% 李\u{1f980}"})).await.expect(200);
        let browser = browser_of(&app, &ada.email).await;
        let service = ada.as_a_service("employee").await;
        let sid = |token: &str| claims(token)["sid"].as_str().unwrap().to_owned();
        let cookie = browser.cookie(SESSION_COOKIE).unwrap();
        let listed = ada.get("/api/tokens").await.expect(200);
        let api_token = listed["tokens"][0]["id"].as_str().unwrap();
        for gate in GATES {
            for (answer, role, session) in [
                (ada.get(gate).await, "admin", sid(&ada.token)),
                (browser.get(gate).await, "admin", sid(&cookie)),
                (service.get(gate).await, "employee", api_token.to_owned()),
            ] {
                let [user, email, name, groups, organization, session_id] = identity(&answer);
                assert_eq!(user, ada.id());
                assert_eq!(email, "ada@acme.example");
                assert_eq!(name, "Zo%C3%AB%20100%25%20%E6%9D%8E%F0%9F%A6%80");
                assert_eq!(percent_decode_str(&name).decode_utf8().unwrap(), "Zoë 100% 李\u{1f980}");
                assert_eq!((groups.as_str(), organization.as_str()), (role, ada.organization_id()));
                assert_eq!(session_id, session);
                assert!(answer.header("set-cookie").is_none());
            }
        }
    }

    async fn an_account_without_an_address_has_a_dash(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.db.execute("update users set email = null").await;
        let mut app = app;
        app.restart().await;
        assert_eq!(identity(&ada.get(VERIFY).await)[1], "-");
    }

    async fn who_is_not_signed_in_is_challenged(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let gone = ada.signs_in_again().await;
        gone.logs_out().await.expect(200);
        let session = |token: &str| format!("{SESSION_COOKIE}={token}");
        for gate in GATES {
            app.get(gate).await.refused_with(401, "authentication_required");
            gone.get(gate).await.refused_with(401, "token_revoked");
            app.get(gate).bearer("nonsense").await.refused_with(401, "invalid_token");
            for (cookies, code) in [
                (session(&gone.token), "token_revoked"),
                (session("nonsense"), "invalid_token"),
                (format!("{}; {0}", session(&ada.token)), "invalid_token"),
            ] {
                app.get(gate).header("cookie", &cookies).await.refused_with(401, code);
            }
            // A request never mixes two identities.
            let both = || app.get(gate).header("cookie", &session(&ada.token));
            both().bearer("nonsense").await.refused_with(401, "invalid_token");
            both().header("authorization", "Basic YTpi").await.refused_with(401, "authentication_required");
            // An API token is for headers.
            let service = ada.as_a_service("employee").await;
            let answer = app.get(gate).header("cookie", &session(&service.token)).await;
            answer.refused_with(401, "invalid_token");
            for answer in [app.get(gate).await, gone.get(gate).await] {
                assert!(IDENTITY.iter().all(|name| answer.header(name).is_none()));
                assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
            }
        }
    }

    async fn no_method_path_query_or_body_changes_the_answer(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let expected = identity(&ada.get(VERIFY).await);
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "QUERY", "X-Y",
        ] {
            for gate in GATES {
                for tail in [
                    "", "/", "?", "?token=x&callbackUrl=//evil", "/api/auth/me", "/a/b?c=d", "//", "/%00",
                    "/-or-sign-in", "/%2F..%2Fme", "/%ff?%ff",
                ] {
                    let method: Method = method.parse().unwrap();
                    let call = app.client.call(method.clone(), &format!("{gate}{tail}"));
                    let answer = call.bearer(&ada.token).body("application/x-nonsense", "{").await;
                    assert_eq!(identity(&answer), expected, "{method} {gate}{tail}");
                    let stranger = app.client.call(method, &format!("{gate}{tail}")).await;
                    assert_eq!(stranger.status, 401, "{gate}{tail}");
                }
            }
        }
        for other in ["/api/auth/verify2", "/api/auth/verify-or", "/api/auth/verify-or-sign-in2"] {
            ada.get(other).await.refused_with(404, "not_found");
        }
    }

    async fn a_preflight_is_judged_like_every_other_request(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for gate in GATES {
            for tail in ["", "/", "/a/b"] {
                let path = format!("{gate}{tail}");
                for origin in ["https://app.example", OTHERS] {
                    let preflight = || {
                        app.client
                            .call(Method::OPTIONS, &path)
                            .header("origin", origin)
                            .header("access-control-request-method", "POST")
                    };
                    preflight().await.refused_with(401, "authentication_required");
                    identity(&preflight().bearer(&ada.token).await);
                }
            }
        }
    }

    async fn without_organization_or_second_factor_nobody_passes(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        identity(&bob.get(VERIFY).await);
        bob.leaves().await;
        let bob = bob.signs_in_again().await;
        let eve = app.joins(ada.organization_id(), "eve@acme.example").await;
        identity(&eve.get(VERIFY).await);
        app.requires_mfa(ada.organization_id()).await;
        let mut app = app;
        app.restart().await;
        for gate in GATES {
            bob.get(gate).await.refused_with(403, "no_organization");
            let page = bob.get(gate).header("accept", "text/html").await;
            page.refused_with(403, "no_organization");
            eve.get(gate).await.refused_with(403, "mfa_enrolment_required");
        }
        eve.enrols(&app).await;
        identity(&eve.get(VERIFY).await);
    }

    async fn roles_are_those_of_now_and_an_ending_counts_at_once(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        assert_eq!(identity(&bob.get(VERIFY).await)[3], "employee");
        ada.changes(&bob, json!({"role": "manager"})).await.expect(200);
        assert_eq!(identity(&bob.get(VERIFY).await)[3], "manager");
        ada.changes(&bob, json!({"disabled": true})).await.expect(200);
        bob.get(VERIFY).await.refused_with(401, "token_revoked");
    }

    async fn a_foreign_page_passes_with_no_method_that_changes_something(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let browser = browser_of(&app, &ada.email).await;
        let of_browser = |method: &str, forwarded: Option<&str>| {
            let call = browser.silent(method.parse().unwrap(), VERIFY);
            match forwarded {
                Some(forwarded) => call.header("x-forwarded-method", forwarded),
                None => call,
            }
        };
        // As nginx and Caddy ask, and as Envoy does.
        for (own, forwarded) in [
            ("GET", Some("POST")), ("GET", Some("DELETE")), ("GET", Some("PROPFIND")), ("GET", Some("")),
            ("POST", None), ("PUT", None), ("DELETE", Some("GET")),
        ] {
            let call = || of_browser(own, forwarded);
            for (name, value) in [
                ("origin", OTHERS), ("origin", "null"), ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"), ("accept", "text/html"),
            ] {
                let answer = call().header(name, value).await;
                answer.refused_with(403, "cross_site_request");
            }
            identity(&call().header("origin", "http://localhost").await);
            identity(&call().header("origin", "https://app.example").header("sec-fetch-site", "cross-site").await);
            identity(&call().header("sec-fetch-site", "same-origin").await);
            // Who shows a token is no browser.
            identity(&call().bearer(&ada.token).header("origin", OTHERS).await);
        }
        for (own, forwarded) in [("GET", Some("GET")), ("GET", Some("HEAD")), ("GET", None), ("OPTIONS", None)] {
            identity(&of_browser(own, forwarded).header("origin", OTHERS).await);
        }
        let socket = || of_browser("GET", Some("GET")).header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        socket().header("origin", OTHERS).await.refused_with(403, "cross_site_request");
        identity(&socket().header("origin", "http://localhost").await);
    }

    async fn what_a_visitor_calls_themselves_does_not_count(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let expected = identity(&ada.get(VERIFY).await);
        let mut call = asks(&app, "GET").bearer(&ada.token);
        for name in IDENTITY {
            call = call.header(name, "evil");
        }
        assert_eq!(identity(&call.await), expected);
    }

    async fn an_outdated_cookie_is_renewed_and_no_other(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let browser = browser_of(&app, &ada.email).await;
        assert!(browser.get(VERIFY).await.header("set-cookie").is_none());
        let before = browser.cookie(SESSION_COOKIE).unwrap();
        app.advance(TimeDelta::days(2));
        let bearer = app.get(VERIFY).bearer(&before).await;
        assert!(bearer.header("set-cookie").is_none());
        let answer = browser.get(VERIFY).await;
        identity(&answer);
        assert!(answer.header("set-cookie").unwrap().contains("; HttpOnly; SameSite=Lax"));
        let after = browser.cookie(SESSION_COOKIE).unwrap();
        assert_ne!(after, before);
        assert_eq!(claims(&after)["sid"], claims(&before)["sid"]);
        assert!(browser.get(VERIFY).await.header("set-cookie").is_none());
    }

    async fn a_gate_needs_no_query_once_the_person_is_cached(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let service = ada.as_a_service("employee").await;
        let browser = browser_of(&app, &ada.email).await;
        let ask = async || {
            identity(&ada.get(VERIFY).await);
            identity(&service.get(VERIFY).await);
            identity(&browser.get(VERIFY).await);
            asks(&app, "GET").await.refused_with(401, "authentication_required");
            asks(&app, "GET").bearer("nonsense").await.refused_with(401, "invalid_token");
        };
        ask().await;
        for table in TABLES {
            app.db.execute(&format!("alter table {table} rename to {table}_away")).await;
        }
        for _ in 0..30 {
            ask().await;
        }
        // A request that does read the database finds that its tables are gone.
        assert!(ada.get("/api/auth/sessions").await.status.is_server_error());
        for table in TABLES {
            app.db.execute(&format!("alter table {table}_away rename to {table}")).await;
        }
    }
}

#[actix_web::test]
async fn a_cookie_passes_without_a_database_that_could_renew_it() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let Some(db) = Db::create_on(&cluster, "").await else {
        return;
    };
    let app = TestApp::start(db).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let browser = browser_of(&app, &ada.email).await;
    app.advance(TimeDelta::days(2));
    // Everything is in memory.
    let token = browser.cookie(SESSION_COOKIE).unwrap();
    eventually("the token passes", async || {
        app.get(VERIFY).bearer(&token).await.status == 200
    })
    .await;
    cluster.freeze();
    let answer = browser.get(VERIFY).await;
    identity(&answer);
    assert!(answer.header("set-cookie").is_none());
    cluster.thaw();
    eventually("the cookie is renewed", async || {
        browser.get(VERIFY).await.header("set-cookie").is_some()
    })
    .await;
}
