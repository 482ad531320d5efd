//! Which foreign pages may call the API.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Browser, Db, PASSWORD, TestApp};

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

/// As the web views of hybrid apps and browser extensions send them.
const OF_APPS: [&str; 5] = [
    "capacitor://localhost",
    "tauri://localhost",
    "http://tauri.localhost",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "app://obsidian.md",
];

#[actix_web::test]
async fn listed_origins_of_apps_may_call_and_no_others_of_their_kind() {
    let app = TestApp::configured(Db::sqlite(), |config| {
        config.server.cors_allowed_origins = OF_APPS.map(str::to_owned).to_vec();
    })
    .await;
    app.signs_up("Acme", "ada@acme.example").await;
    let browser = Browser::new(&app);
    browser
        .signs_in("ada@acme.example", PASSWORD)
        .await
        .expect(200);
    let change = async |origin: &str| {
        let call = browser
            .silent(Method::PATCH, "/api/auth/me")
            .header("origin", origin);
        call.json(&json!({"name": "Ada"})).await.status
    };
    let leads_to = async |callback_url: String| {
        let fields = [
            ("email", "ada@acme.example"),
            ("password", PASSWORD),
            ("callbackUrl", &callback_url),
            ("json", "true"),
        ];
        let answer = browser
            .post_form("/api/auth/callback/credentials", &fields)
            .await;
        answer.expect(200)["url"] == callback_url
    };
    for origin in OF_APPS {
        assert_eq!(allowed_origin(&preflight(&app, origin).await), Some(origin));
        assert_eq!(change(origin).await, 200, "{origin}");
        assert!(leads_to(format!("{origin}/orders?a=b#c")).await, "{origin}");
    }
    for origin in [
        "null",
        "ionic://localhost",
        "capacitor://localhost:8080",
        "capacitor://evil.example",
        "http://evil.localhost",
        "chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba",
        "file://",
    ] {
        assert_eq!(
            allowed_origin(&preflight(&app, origin).await),
            None,
            "{origin}"
        );
        assert_eq!(change(origin).await, 403, "{origin}");
        assert!(!leads_to(format!("{origin}/orders")).await, "{origin}");
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
