//! Every error has the same envelope, whatever went wrong and where.

use reqwest::Method;
use serde_json::json;

use crate::support::{Db, PASSWORD, TestApp, on_both_databases, organization_body};

on_both_databases! {
    async fn a_field_of_the_wrong_type_is_named_and_its_value_is_not_repeated(app: TestApp) {
        for value in [json!(7), json!(null), json!(["a@b.de"]), json!({"$ne": ""}), json!(true)] {
            let mut body = organization_body("Acme", "ada@acme.example");
            body["email"] = value;
            let answer = app.post("/api/auth/register").json(&body).await;
            answer.refused_fields(&["email"]);
            assert!(!answer.text().contains("$ne"));
        }
        app.registers("Acme", "ada@acme.example").await;
    }

    async fn non_object_bodies_are_malformed_and_parser_details_are_hidden(app: TestApp) {
        let deep = "[".repeat(8_000) + &"]".repeat(8_000);
        let deep_field = format!(r#"{{"email":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
        for body in [
            "", "{", "[]", "null", "7", r#""text""#, r#"{"email":"a@b.de",}"#, "{\"a\":\u{1}}", &deep, &deep_field,
        ] {
            let answer = app
                .post("/api/auth/login")
                .body("application/json", body.to_owned())
                .await;
            assert_eq!(answer.status, 400, "{}", answer.text());
            for detail in ["line", "column", "expected", "serde", "recursion"] {
                assert!(!answer.text().contains(detail), "{}", answer.text());
            }
        }
        app.post("/api/auth/login")
            .body("application/json", b"{\"email\":\"\xff\"}".to_vec())
            .await
            .refused(400, "Malformed request");
    }

    async fn a_duplicate_field_is_refused(app: TestApp) {
        app.registers("Acme", "ada@acme.example").await;
        let body = format!(r#"{{"email":"x@y.de","email":"ada@acme.example","password":"{PASSWORD}"}}"#);
        app.post("/api/auth/login").body("application/json", body).await.refused_fields(&["email"]);
    }
}

#[actix_web::test]
async fn only_json_is_accepted() {
    let app = TestApp::start(Db::sqlite()).await;
    let body = r#"{"email":"ada@acme.example","password":"Correct-Horse-7-Battery"}"#;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
    ] {
        let answer = app.post("/api/auth/login").body(content_type, body).await;
        answer.refused(415, "Unsupported Media Type");
    }
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        let answer = app.post("/api/auth/login").body(content_type, body).await;
        answer.refused(401, "Invalid credentials");
    }
}

#[actix_web::test]
async fn a_body_may_have_at_most_sixteen_kibibytes() {
    let app = TestApp::start(Db::sqlite()).await;
    let body = |bytes: usize| {
        let frame = r#"{"email":"ada@acme.example","password":""}"#.len();
        let filling = "x".repeat(bytes - frame);
        format!(r#"{{"email":"ada@acme.example","password":"{filling}"}}"#)
    };
    let fits = app
        .post("/api/auth/login")
        .body("application/json", body(16 * 1024))
        .await;
    assert_ne!(fits.status, 413, "{}", fits.text());
    let too_large = app
        .post("/api/auth/login")
        .body("application/json", body(16 * 1024 + 1))
        .await;
    too_large.refused(413, "Request body too large");
}

#[actix_web::test]
async fn unknown_paths_and_wrong_methods_get_different_answers() {
    let app = TestApp::start(Db::sqlite()).await;
    for path in [
        "/nothing",
        "/api/auth/nothing",
        "/api/auth/login/",
        "/api//auth/login",
        "/api/auth/../auth/me%2f",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    }
    for (method, path, allowed) in [
        (Method::GET, "/api/auth/login", "POST"),
        (Method::DELETE, "/api/auth/register", "POST"),
        (Method::PUT, "/api/auth/change-password", "POST"),
        (Method::POST, "/livez", "GET"),
        (Method::TRACE, "/api/auth/login", "POST"),
    ] {
        let answer = app.client.call(method, path).await;
        answer.refused(405, "Method Not Allowed");
        assert!(answer.header("allow").unwrap().contains(allowed), "{path}");
    }
    let me = app.client.call(Method::DELETE, "/api/auth/me").await;
    let allow = me.header("allow").unwrap();
    assert!(allow.contains("GET") && allow.contains("PATCH"), "{allow}");
}

#[actix_web::test]
async fn error_codes_are_also_in_a_header() {
    let app = TestApp::start(Db::sqlite()).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let code = |answer: crate::support::Answer| answer.header("x-error-code").unwrap().to_owned();
    assert_eq!(
        code(app.get("/api/auth/me").await),
        "authentication_required"
    );
    assert_eq!(
        code(app.get("/api/auth/me").bearer("x").await),
        "invalid_token"
    );
    assert_eq!(
        code(app.tries_to_log_in("x@y.de", "x").await),
        "invalid_credentials"
    );
    assert_eq!(code(app.post("/api/auth/login").await), "validation_failed");
    app.advance(chrono::TimeDelta::days(8));
    assert_eq!(code(ada.me().await), "token_expired");
}

#[actix_web::test]
async fn a_valid_request_id_is_kept_and_any_other_replaced() {
    let app = TestApp::start(Db::sqlite()).await;
    let kept = app
        .get("/livez")
        .header("x-request-id", "web-7f3a_9.1")
        .await;
    assert_eq!(kept.header("x-request-id"), Some("web-7f3a_9.1"));
    let long = "x".repeat(1_000);
    for invalid in ["", "two words", "<script>", "a\"b", &long] {
        let answer = app.get("/livez").header("x-request-id", invalid).await;
        let made = answer.header("x-request-id").unwrap();
        assert!(
            made != invalid && !made.is_empty() && made.len() <= 64,
            "{made}"
        );
    }
    let (one, two) = (app.get("/livez").await, app.get("/livez").await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[actix_web::test]
async fn hsts_is_sent_only_under_an_https_public_url() {
    let plain = TestApp::start(Db::sqlite()).await;
    assert_eq!(
        plain
            .get("/livez")
            .await
            .header("strict-transport-security"),
        None
    );
    let secure = TestApp::configured(Db::sqlite(), |config| {
        config.server.public_url = "https://id.example".parse().unwrap();
    })
    .await;
    assert!(
        secure
            .get("/livez")
            .await
            .header("strict-transport-security")
            .is_some()
    );
}

#[actix_web::test]
async fn a_host_that_is_no_host_is_malformed_and_any_other_is_served() {
    let app = TestApp::start(Db::sqlite()).await;
    for host in ["a b@c/d", "user@acme.example", "acme.example:x", "[::1"] {
        app.get("/livez")
            .header("host", host)
            .await
            .refused(400, "Malformed request");
    }
    for host in ["evil.example", "acme.example:8080", "[::1]:80"] {
        app.get("/livez").header("host", host).await.expect(200);
    }
}
