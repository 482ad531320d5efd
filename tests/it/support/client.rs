//! An HTTP client that checks every answer against the general promises of the API contract.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// For a client that follows no redirect and uses no proxy.
pub fn builder() -> reqwest::ClientBuilder {
    // The tests use no TLS, but the program does, and reqwest requires a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

/// Talks to one server; clones follow it when it moves to another port.
#[derive(Clone)]
pub struct Client {
    address: Arc<Mutex<SocketAddr>>,
    http: reqwest::Client,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        // Reusing a connection to a server that restarts would be a race.
        Self::with(builder().pool_max_idle_per_host(0), address)
    }

    /// Keeps connections and uses them again, as proxies do.
    pub fn keeping_connections(address: SocketAddr) -> Self {
        Self::with(builder(), address)
    }

    fn with(http: reqwest::ClientBuilder, address: SocketAddr) -> Self {
        Self {
            address: Arc::new(Mutex::new(address)),
            http: http.build().unwrap(),
        }
    }

    pub fn address(&self) -> SocketAddr {
        *self.address.lock().unwrap()
    }

    pub fn moved_to(&self, address: SocketAddr) {
        *self.address.lock().unwrap() = address;
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        let url = format!("http://{}{path}", self.address());
        Call {
            path: path.to_owned(),
            is_head: method == Method::HEAD,
            request: self.http.request(method, url),
        }
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }
}

/// A request that is sent when awaited.
#[must_use]
pub struct Call {
    path: String,
    is_head: bool,
    request: reqwest::RequestBuilder,
}

impl Call {
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// As a page's form posts it.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    pub fn body(mut self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header("content-type", content_type).body(body);
        self
    }

    /// The answer, unless the connection failed; checked like every other.
    pub async fn try_send(self) -> reqwest::Result<Answer> {
        let response = self.request.send().await?;
        let answer = Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        };
        answer.keeps_the_contract(&self.path, self.is_head);
        Ok(answer)
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.try_send().await.expect("the server answers") })
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    /// Status, headers and body, without what must differ between any two answers.
    pub fn as_bytes(&self) -> (u16, Vec<(String, String)>, Vec<u8>) {
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date"))
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        (self.status.as_u16(), headers, self.body.clone())
    }

    /// The body of a success.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self.json()
    }

    /// Exactly this refusal, without details.
    #[track_caller]
    pub fn refused(&self, status: u16, message: &str) {
        let reason = StatusCode::from_u16(status).unwrap().canonical_reason();
        assert_eq!(
            self.json(),
            json!({"statusCode": status, "message": message, "error": reason})
        );
        assert_eq!(self.status.as_u16(), status);
    }

    /// A refusal with this code in `X-Error-Code`.
    #[track_caller]
    pub fn refused_with(&self, status: u16, code: &str) {
        assert_eq!(self.header("x-error-code"), Some(code), "{}", self.text());
        assert_eq!(self.status.as_u16(), status);
    }

    /// A refusal whose details name exactly these fields.
    #[track_caller]
    pub fn refused_fields(&self, fields: &[&str]) {
        assert_eq!(self.status, 400, "{}", self.text());
        let body = self.json();
        assert_eq!(body["message"], "Validation failed");
        let mut named: Vec<&str> = body["details"]
            .as_array()
            .unwrap_or_else(|| panic!("no details: {body}"))
            .iter()
            .map(|detail| detail["field"].as_str().unwrap())
            .collect();
        named.sort_unstable();
        let mut wanted = fields.to_vec();
        wanted.sort_unstable();
        assert_eq!(named, wanted, "{body}");
    }

    /// Checks what is promised of every answer, and of every refusal.
    fn keeps_the_contract(&self, path: &str, is_head: bool) {
        let (status, body) = (self.status, self.text());
        if status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE {
            // Sent by the HTTP parser itself, before there is a request to answer.
            return;
        }
        let seen = format!("{path} → {status} {:?} {body}", self.headers);
        assert!(self.headers.contains_key("x-request-id"), "{seen}");
        assert_eq!(
            self.header("x-content-type-options"),
            Some("nosniff"),
            "{seen}"
        );
        if path.starts_with("/api") {
            assert_eq!(self.header("cache-control"), Some("no-store"), "{seen}");
        }
        let is_ours = !path.contains("/dev/slack");
        if is_ours && (status.is_client_error() || status.is_server_error()) {
            self.is_a_proper_refusal(is_head, &seen);
        }
    }

    fn is_a_proper_refusal(&self, is_head: bool, seen: &str) {
        let status = self.status.as_u16();
        let code = self.header("x-error-code").expect(seen);
        assert!(
            code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{seen}"
        );
        match status {
            401 => assert!(
                self.header("www-authenticate")
                    .is_some_and(|challenge| challenge.starts_with("Bearer")),
                "{seen}"
            ),
            405 => assert!(self.headers.contains_key("allow"), "{seen}"),
            429 | 503 => assert!(
                self.header("retry-after")
                    .is_some_and(|seconds| seconds.parse::<u32>().is_ok()),
                "{seen}"
            ),
            _ => {}
        }
        // `/readyz?verbose` lists its checks instead.
        if is_head || seen.starts_with("/readyz?verbose ") {
            return;
        }
        // The NextAuth client reads the error from the URL it is redirected to.
        if seen.starts_with("/api/auth/callback/credentials ")
            || seen.starts_with("/api/auth/signin/credentials ")
        {
            let body = self.json();
            if body.get("url").is_some() {
                assert_eq!(body.as_object().unwrap().len(), 1, "{seen}");
                return;
            }
        }
        // Navigations end at a page, which loads nothing.
        if (seen.starts_with("/api/auth/slack/") || !seen.starts_with("/api/"))
            && self.header("content-type") == Some("text/html; charset=utf-8")
        {
            let policy = self.header("content-security-policy").expect(seen);
            assert!(policy.starts_with("default-src 'none';"), "{seen}");
            return;
        }
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{seen}"
        );
        let body = self.json();
        let fields: Vec<&str> = body
            .as_object()
            .expect(seen)
            .keys()
            .map(String::as_str)
            .collect();
        let wanted: &[&str] = if body["message"] == "Validation failed" {
            &["details", "error", "message", "statusCode"]
        } else if body["organizations"].is_array() {
            assert_eq!(body["message"], "The last admin must stay", "{seen}");
            &["error", "message", "organizations", "statusCode"]
        } else {
            &["error", "message", "statusCode"]
        };
        let mut sorted = fields;
        sorted.sort_unstable();
        assert_eq!(sorted, wanted, "{seen}");
        assert_eq!(body["statusCode"], status, "{seen}");
        assert_eq!(
            body["error"].as_str(),
            self.status.canonical_reason(),
            "{seen}"
        );
        for detail in body["details"].as_array().into_iter().flatten() {
            for key in ["field", "code", "message"] {
                assert!(detail[key].is_string(), "{seen}");
            }
            assert_eq!(detail.as_object().unwrap().len(), 3, "{seen}");
        }
    }
}
