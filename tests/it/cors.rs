//! Which foreign pages may call the API.

use reqwest::Method;

use crate::support::{Answer, Db, TestApp};

const ALLOWED: &str = "https://app.example";

#[actix_web::test]
async fn an_allowed_origin_may_send_requests_and_read_answers() {
    let app = TestApp::start(Db::sqlite()).await;
    let preflight = preflight(&app, ALLOWED).await;
    assert!(preflight.status.is_success());
    assert_eq!(allowed_origin(&preflight), Some(ALLOWED));
    let methods = preflight.header("access-control-allow-methods").unwrap();
    assert!(methods.contains("POST") && methods.contains("PATCH") && methods.contains("DELETE"));
    let headers = preflight
        .header("access-control-allow-headers")
        .unwrap()
        .to_lowercase();
    assert!(headers.contains("authorization") && headers.contains("content-type"));

    // Errors too, or the page could not tell what went wrong.
    let answer = app.get("/api/auth/me").header("origin", ALLOWED).await;
    answer.refused(401, "Authentication required");
    assert_eq!(allowed_origin(&answer), Some(ALLOWED));
    let exposed = answer
        .header("access-control-expose-headers")
        .unwrap()
        .to_lowercase();
    for header in [
        "www-authenticate",
        "retry-after",
        "ratelimit",
        "ratelimit-policy",
        "x-request-id",
        "x-error-code",
        "date",
    ] {
        assert!(exposed.split(", ").any(|name| name == header), "{header}");
    }
}

#[actix_web::test]
async fn other_origins_cannot_read_answers() {
    let app = TestApp::start(Db::sqlite()).await;
    for origin in [
        "https://evil.example",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "https://app.example:8443",
        "http://app.example",
        "https://APP.example.",
        "null",
        "*",
    ] {
        assert_eq!(
            allowed_origin(&preflight(&app, origin).await),
            None,
            "{origin}"
        );
        let answer = app.get("/livez").header("origin", origin).await;
        assert_eq!(allowed_origin(&answer), None, "{origin}");
    }
}

#[actix_web::test]
async fn every_answer_varies_by_origin() {
    let app = TestApp::start(Db::sqlite()).await;
    for answer in [
        app.get("/livez").await,
        app.get("/api/auth/me").await,
        app.get("/livez").header("origin", ALLOWED).await,
        app.get("/livez")
            .header("origin", "https://evil.example")
            .await,
        preflight(&app, "https://evil.example").await,
    ] {
        let vary = answer.headers.get_all("vary");
        assert!(
            vary.iter()
                .any(|value| value.to_str().unwrap().to_lowercase().contains("origin")),
            "{:?}",
            answer.headers
        );
    }
}

async fn preflight(app: &TestApp, origin: &str) -> Answer {
    app.client
        .call(Method::OPTIONS, "/api/auth/login")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization, content-type",
        )
        .await
}

fn allowed_origin(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}
