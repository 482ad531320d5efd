//! The installed proxies with the configurations of docs/gates.md: what reaches the application, and what does not.

use reqwest::header::HeaderValue;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

use super::IDENTITY;
use crate::support::cluster::free_port;
use crate::support::gated::{Proxy, Visitor, application, gate_with_any_status, received, sha256};
use crate::support::jwt::claims;
use crate::support::kept::Kept;
use crate::support::{Actor, Db, PASSWORD, SESSION_COOKIE, TestApp};

const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// An application behind a proxy that asks Hallpass, and somebody who has an account.
struct Gated {
    app: TestApp,
    ada: Actor,
    visitor: Visitor,
    _proxy: Kept,
}

impl Gated {
    async fn by(proxy: Proxy) -> Option<Self> {
        let port = free_port();
        let app = TestApp::configured(Db::sqlite(), |config| {
            config.server.public_url = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
            config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .await;
        let kept = proxy
            .start(port, app.client.address().port(), application())
            .await?;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        Some(Self {
            app,
            ada,
            visitor: Visitor::of(port),
            _proxy: kept,
        })
    }

    fn cookie(&self) -> String {
        format!("{SESSION_COOKIE}={}", self.ada.token)
    }

    /// Sends a body whose length is not declared.
    async fn uploads_in_pieces(&self, body: &[u8]) -> Value {
        let address = self.visitor.origin().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut sent = format!(
            "POST /upload HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
             transfer-encoding: chunked\r\n\r\n",
            self.ada.token
        )
        .into_bytes();
        for piece in body.chunks(10_000) {
            sent.extend(format!("{:x}\r\n", piece.len()).bytes());
            sent.extend(piece);
            sent.extend(b"\r\n");
        }
        sent.extend(b"0\r\n\r\n");
        stream.write_all(&sent).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (_, echo) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(echo).unwrap_or_else(|_| panic!("{answer}"))
    }

    /// Exactly Ada's identity, and nothing that the visitor has written.
    fn names_ada(&self, echo: &Value) {
        let ada = &self.ada;
        let session = claims(&ada.token)["sid"].as_str().unwrap().to_owned();
        let values = [
            ada.id(),
            &ada.email,
            "Ada",
            "admin",
            ada.organization_id(),
            &session,
        ];
        let name = ada.user["name"].as_str().unwrap();
        for (header, value) in IDENTITY.iter().zip(values) {
            let value = if *header == "remote-name" {
                name
            } else {
                value
            };
            let seen: Vec<String> = received(echo, header)
                .iter()
                .map(|it| it.replace("%20", " "))
                .collect();
            assert_eq!(seen, [value], "{header}: {echo}");
        }
        assert_eq!(
            received(echo, "x-gate-secret"),
            ["a secret of proxy and application"]
        );
        let all = echo["headers"].to_string();
        assert!(!all.contains("evil"), "{all}");
    }
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.expect("the proxy answers")
}

async fn passes(request: RequestBuilder) -> Value {
    let response = sent(request).await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

/// Status, and the header of that name.
async fn refused(request: RequestBuilder, header: &str) -> (u16, String) {
    let response = sent(request).await;
    let value = response.headers().get(header).map(HeaderValue::to_str);
    let value = value
        .map(|value| value.unwrap().to_owned())
        .unwrap_or_default();
    (response.status().as_u16(), value)
}

async fn who_the_visitor_is_reaches_the_application(proxy: Proxy) {
    let Some(gated) = Gated::by(proxy).await else {
        return;
    };
    let visitor = &gated.visitor;
    for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"] {
        let forged = |mut request: RequestBuilder| {
            for name in IDENTITY {
                for spelling in [name.to_owned(), name.to_uppercase(), name.replace('-', "_")] {
                    request = request.header(spelling, "evil");
                }
            }
            request
                .header("remote_User", "evil")
                .header("x-hallpass_session", "evil")
                .header("x-gate-secret", "evil")
                .header("x-forwarded-method", "GET")
        };
        let path = "/orders?token=x&a=%26&callbackUrl=//x";
        let by_token = visitor.call(method, path).bearer_auth(&gated.ada.token);
        let own = visitor.origin().to_owned();
        let by_cookie = visitor
            .call(method, path)
            .header("cookie", gated.cookie())
            .header("origin", own);
        for request in [by_token, by_cookie] {
            let echo = passes(forged(request)).await;
            gated.names_ada(&echo);
            assert_eq!(echo["method"], method);
            assert_eq!(echo["path"], path);
        }
    }
    // Some proxies drop the headers that a visitor's `Connection` names (RFC 9110 §7.6.1).
    let dropping = format!("{}, x-gate-secret", IDENTITY.join(", "));
    let request = visitor.get("/").bearer_auth(&gated.ada.token);
    let response = sent(request.header("connection", dropping)).await;
    if response.status() != 400 {
        gated.names_ada(&response.json().await.unwrap());
    }
    // Hallpass itself is open to everyone.
    let csrf = sent(visitor.get("/api/auth/csrf")).await;
    assert!(csrf.text().await.unwrap().contains("csrfToken"));
    gated.ada.logs_out().await.expect(200);
    let gone = visitor.get("/").bearer_auth(&gated.ada.token);
    assert_eq!(
        refused(gone, "www-authenticate").await,
        (401, "Bearer error=\"invalid_token\"".to_owned())
    );
}

async fn who_is_not_signed_in_is_sent_to_sign_in_and_back(proxy: Proxy) {
    let Some(gated) = Gated::by(proxy).await else {
        return;
    };
    let visitor = &gated.visitor;
    for request in [
        visitor.get("/orders"),
        visitor.get("/orders").header("accept", "application/json"),
        visitor
            .call("POST", "/orders")
            .header("accept", BROWSER)
            .body("a=b"),
        visitor
            .call("OPTIONS", "/orders")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST"),
    ] {
        assert_eq!(
            refused(request, "www-authenticate").await,
            (401, "Bearer".to_owned())
        );
    }
    let asked = format!("{}/orders?a=1&b=%26%20c", visitor.origin());
    let page = visitor
        .get("/orders?a=1&b=%26%20c")
        .header("accept", BROWSER);
    let (status, location) = refused(page, "location").await;
    assert_eq!(status, 302);
    let location: Url = location.parse().unwrap();
    assert!(
        location
            .as_str()
            .starts_with(&format!("{}/api/auth/signin?", visitor.origin()))
    );
    let back: Vec<_> = location.query_pairs().collect();
    assert_eq!(back, [("callbackUrl".into(), asked.as_str().into())]);

    let form = [
        ("email", gated.ada.email.as_str()),
        ("password", PASSWORD),
        ("callbackUrl", asked.as_str()),
    ];
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let signed_in = visitor
        .call("POST", "/api/auth/signin/credentials")
        .header("origin", visitor.origin())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let signed_in = sent(signed_in).await;
    assert_eq!(signed_in.headers().get("location").unwrap(), asked.as_str());
    let cookie = signed_in.headers().get_all("set-cookie").iter();
    let cookie = cookie
        .map(|it| it.to_str().unwrap())
        .find(|it| it.starts_with(SESSION_COOKIE))
        .unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let echo = passes(visitor.get("/orders").header("cookie", cookie)).await;
    assert_eq!(received(&echo, "remote-user"), [gated.ada.id()]);
}

async fn a_foreign_page_cannot_use_the_cookie(proxy: Proxy) {
    let Some(gated) = Gated::by(proxy).await else {
        return;
    };
    let with_cookie = |method: &str| {
        let call = gated
            .visitor
            .call(method, "/orders")
            .header("cookie", gated.cookie());
        call.body(if method == "GET" { "" } else { "a=b" })
    };
    for method in ["POST", "PUT", "DELETE"] {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("accept", BROWSER),
        ] {
            // Nor by claiming another method.
            let call = with_cookie(method)
                .header(name, value)
                .header("x-forwarded-method", "GET");
            assert_eq!(refused(call, "location").await.0, 403, "{method} {name}");
        }
        let own = gated.visitor.origin();
        passes(
            with_cookie(method)
                .header("origin", own)
                .header("sec-fetch-site", "same-origin"),
        )
        .await;
    }
    passes(with_cookie("GET").header("sec-fetch-site", "cross-site")).await;
}

async fn a_large_body_reaches_the_application_unharmed(proxy: Proxy) {
    let Some(gated) = Gated::by(proxy).await else {
        return;
    };
    let body: Vec<u8> = (0..1_000_000_u32)
        .flat_map(|n| (n % 251).to_le_bytes().into_iter().take(1))
        .collect();
    let call = || {
        gated
            .visitor
            .call("POST", "/upload")
            .bearer_auth(&gated.ada.token)
    };
    let whole = passes(call().body(body.clone())).await;
    let streamed = gated.uploads_in_pieces(&body).await;
    for echo in [whole, streamed] {
        assert_eq!(echo["length"], 1_000_000);
        assert_eq!(echo["sha256"], sha256(&body));
        gated.names_ada(&echo);
    }
    // Whoever may not pass uploads nothing.
    let stranger = gated.visitor.call("POST", "/upload").body(body);
    assert_eq!(
        refused(stranger, "www-authenticate").await,
        (401, "Bearer".to_owned())
    );
}

async fn a_renewed_cookie_reaches_the_browser(proxy: Proxy) {
    let Some(gated) = Gated::by(proxy).await else {
        return;
    };
    let page = || gated.visitor.get("/").header("cookie", gated.cookie());
    assert_eq!(refused(page(), "set-cookie").await, (200, String::new()));
    gated.app.advance(chrono::TimeDelta::days(2));
    let (status, cookie) = refused(page(), "set-cookie").await;
    assert_eq!(status, 200);
    assert!(
        cookie.starts_with(&format!("{SESSION_COOKIE}=ey")),
        "{cookie}"
    );
}

/// As the table in docs/gates.md has it.
async fn the_gates_refusals_become(proxy: Proxy, expected: &[(u16, u16, &str)]) {
    let port = free_port();
    let Some(_proxy) = proxy
        .start(port, gate_with_any_status(), application())
        .await
    else {
        return;
    };
    let visitor = Visitor::of(port);
    for (status, becomes, retry_after) in expected {
        let request = visitor
            .get("/")
            .header("cookie", format!("status={status}"));
        let seen = refused(request, "retry-after").await;
        assert_eq!(
            seen,
            (*becomes, (*retry_after).to_owned()),
            "{proxy:?} {status}"
        );
    }
    // And without Hallpass nobody passes.
    let port = free_port();
    let _proxy = proxy.start(port, free_port(), application()).await;
    let (status, _) = refused(Visitor::of(port).get("/"), "retry-after").await;
    let away = if proxy == Proxy::Caddy { 502 } else { 503 };
    assert_eq!(status, away, "{proxy:?}");
}

macro_rules! with_each_proxy {
    ($($name:ident)+) => {
        mod nginx {
            use super::*;
            $(#[actix_web::test] async fn $name() { super::$name(Proxy::Nginx).await; })+
        }
        mod caddy {
            use super::*;
            $(#[actix_web::test] async fn $name() { super::$name(Proxy::Caddy).await; })+
        }
        mod envoy {
            use super::*;
            $(#[actix_web::test] async fn $name() { super::$name(Proxy::Envoy).await; })+
        }
    };
}

with_each_proxy! {
    who_the_visitor_is_reaches_the_application
    who_is_not_signed_in_is_sent_to_sign_in_and_back
    a_foreign_page_cannot_use_the_cookie
    a_large_body_reaches_the_application_unharmed
    a_renewed_cookie_reaches_the_browser
}

#[actix_web::test]
async fn nginx_makes_503_of_what_it_does_not_know() {
    let refusals = [
        (403, 403, ""),
        (429, 503, "5"),
        (500, 503, "5"),
        (503, 503, "5"),
        (302, 503, "5"),
    ];
    the_gates_refusals_become(Proxy::Nginx, &refusals).await;
}

#[actix_web::test]
async fn caddy_passes_every_refusal_on() {
    let refusals = [
        (403, 403, "7"),
        (429, 429, "7"),
        (500, 500, "7"),
        (503, 503, "7"),
        (404, 404, "7"),
    ];
    the_gates_refusals_become(Proxy::Caddy, &refusals).await;
}

#[actix_web::test]
async fn envoy_makes_503_of_the_gates_errors() {
    let refusals = [
        (403, 403, "7"),
        (429, 429, "7"),
        (500, 503, ""),
        (503, 503, ""),
        (404, 404, "7"),
    ];
    the_gates_refusals_become(Proxy::Envoy, &refusals).await;
}
