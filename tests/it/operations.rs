//! Health, metrics and the API reference of a running server.

use std::io::Read as _;

use flate2::read::GzDecoder;

use crate::support::cluster::free_port;
use crate::support::{Db, TestApp, on_both_databases};

on_both_databases! {
    async fn a_running_server_is_alive_and_ready_and_lists_its_checks(app: TestApp) {
        app.get("/livez").await.expect(200);
        app.get("/readyz").await.expect(200);
        let verbose = app.get("/readyz?verbose").await.expect(200);
        for check in ["database", "writes", "migrations", "revocations"] {
            let checks = verbose["checks"].as_array().unwrap();
            assert!(checks.iter().any(|c| c["name"] == check && c["ok"] == true), "{verbose}");
        }
    }
}

#[actix_web::test]
async fn the_openapi_document_has_every_route_of_the_token_api() {
    let app = TestApp::start(Db::sqlite()).await;
    let document = app.get("/openapi.json").await.expect(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    for (method, path) in [
        ("post", "/api/auth/login"),
        ("post", "/api/auth/register"),
        ("post", "/api/auth/refresh"),
        ("get", "/api/auth/me"),
        ("patch", "/api/auth/me"),
        ("post", "/api/auth/logout"),
        ("post", "/api/auth/logout-all"),
        ("get", "/api/auth/sessions"),
        ("delete", "/api/auth/sessions/{id}"),
        ("post", "/api/auth/change-password"),
    ] {
        assert!(
            document["paths"][path][method].is_object(),
            "{method} {path}"
        );
    }
}

#[actix_web::test]
async fn the_reference_page_loads_nothing_from_elsewhere() {
    let app = TestApp::start(Db::sqlite()).await;
    let page = app.get("/docs").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") || policy.contains("default-src 'self'"),
        "{policy}"
    );
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("http"),
        "{policy}"
    );
    let html = page.text();
    assert!(html.contains("/api/auth/login"));
    for foreign in [
        "src=\"http",
        "src=\"//",
        "<link href=\"http",
        "@import",
        "url(http",
    ] {
        assert!(!html.contains(foreign), "{foreign}");
    }
}

#[actix_web::test]
async fn the_documents_are_the_same_compressed_or_not() {
    let app = TestApp::start(Db::sqlite()).await;
    let plain = app.get("/openapi.json").await;
    assert_eq!(plain.text(), hallpass::http::openapi_json());
    assert_eq!(plain.header("vary"), Some("Accept-Encoding"));
    assert_eq!(plain.header("content-encoding"), None);
    for accepted in ["gzip", "br, gzip;q=0.8"] {
        let answer = app
            .get("/openapi.json")
            .header("accept-encoding", accepted)
            .await;
        assert_eq!(
            answer.header("content-encoding"),
            Some("gzip"),
            "{accepted}"
        );
        let mut json = String::new();
        GzDecoder::new(answer.body.as_slice())
            .read_to_string(&mut json)
            .unwrap();
        assert_eq!(json, plain.text());
    }
    for refused in ["identity", "gzip;q=0", "br"] {
        let answer = app
            .get("/openapi.json")
            .header("accept-encoding", refused)
            .await;
        assert_eq!(answer.header("content-encoding"), None, "{refused}");
    }
}

#[actix_web::test]
async fn the_reference_page_calls_the_public_url() {
    let app = TestApp::configured(Db::sqlite(), |config| {
        config.server.public_url = "https://id.example.com/a&b/".parse().unwrap();
    })
    .await;
    let page = app.get("/docs").await.text().replace("&#x2f;", "/");
    assert!(page.contains("curl https://id.example.com/a&amp;b/api/auth/login"));
    assert!(!page.contains("@PUBLIC_URL@"));
    assert!(page.ends_with("</html>\n"));
}

#[actix_web::test]
async fn metrics_are_served_on_their_own_listener_only() {
    let address = ([127, 0, 0, 1], free_port()).into();
    let app = TestApp::configured(Db::sqlite(), |config| {
        config.server.metrics_addr = Some(address);
    })
    .await;
    app.signs_up("Acme", "ada@acme.example").await;

    let url = format!("http://{address}/metrics");
    let answer = crate::support::client::builder()
        .build()
        .unwrap()
        .get(url)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    for figure in [
        "hallpass_hash_lanes ",
        "hallpass_hash_lanes_busy 0\n",
        "hallpass_hash_queue_depth 0\n",
        "hallpass_last_hash_seconds{cost=\"4\"} ",
    ] {
        assert!(text.contains(figure), "{figure:?} is not in\n{text}");
    }
    app.get("/metrics").await.refused(404, "Not Found");
}
