//! The HTTP client for Slack: short timeouts, and responses converted to standard OAuth 2.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use oauth2::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use oauth2::http::{Method, Request, Response, StatusCode};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::domain::SignInFailure;
use crate::domain::return_url::leads_to_loopback;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// For one request, including its body.
const TIMEOUT: Duration = Duration::from_secs(10);

/// In bytes. Slack's responses have a few thousand.
const MAX_BODY: usize = 256 * 1024;

/// Why a request to Slack failed, in our own words, because Slack's text may contain tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestError(&'static str);

impl RequestError {
    pub(super) const TIMED_OUT: Self = Self("it did not respond in time");
    pub(super) const UNEXPECTED: Self = Self("it sent an unexpected response");
    pub(super) const TOO_MANY_SIGN_INS: Self = Self("too many sign-ins are waiting for it");
    const UNREACHABLE: Self = Self("it cannot be reached");
    const CONNECTION_LOST: Self = Self("the connection was lost");
    const RATE_LIMITED: Self = Self("it limits the rate of our requests");
    const SERVER_ERROR: Self = Self("it sent a server error");
    const REDIRECTED: Self = Self("it sent a redirect, which is not followed");
    const TOO_LARGE: Self = Self("it sent more than 256 KiB");
    const NOT_JSON: Self = Self("it did not send JSON");
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for RequestError {}

pub(super) struct Http(reqwest::Client);

impl Http {
    /// # Errors
    /// When the system offers no TLS.
    pub(super) fn new(base_url: &Url) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(rustls::RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            })
            .with_no_client_auth();
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // An idle connection belongs to the worker thread that opened it, and dies with it.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("hallpass/", env!("CARGO_PKG_VERSION")));
        if leads_to_loopback(base_url) {
            builder = builder.no_proxy();
        }
        builder.build().map(Self).map_err(|error| error.to_string())
    }

    /// The body of a GET response, which must have status 200.
    pub(super) async fn get(&self, url: Url) -> Result<Vec<u8>, RequestError> {
        let (status, body) = self.send(get(url, None)?).await?;
        if status == StatusCode::OK {
            Ok(body)
        } else {
            Err(RequestError::UNEXPECTED)
        }
    }

    /// Calls a Slack API method with `token`.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        url: Url,
        token: &str,
    ) -> Result<T, SignInFailure> {
        let answer = async { normalised(self.send(get(url, Some(token))?).await?) };
        let answer = answer.await.map_err(super::unavailable)?;
        if answer.status() != StatusCode::OK {
            let error: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
            return Err(super::refused(
                error
                    .get("error")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
            ));
        }
        serde_json::from_slice(answer.body())
            .map_err(|_| super::unavailable(RequestError::UNEXPECTED))
    }

    async fn send(&self, request: HttpRequest) -> Result<(StatusCode, Vec<u8>), RequestError> {
        let request = reqwest::Request::try_from(request).map_err(|_| RequestError::UNREACHABLE)?;
        let mut answer = self.0.execute(request).await.map_err(|error| {
            if error.is_timeout() {
                RequestError::TIMED_OUT
            } else if error.is_connect() {
                RequestError::UNREACHABLE
            } else {
                RequestError::CONNECTION_LOST
            }
        })?;
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(RequestError::RATE_LIMITED);
        }
        if status.is_server_error() {
            return Err(RequestError::SERVER_ERROR);
        }
        if status.is_redirection() {
            return Err(RequestError::REDIRECTED);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| {
            if error.is_timeout() {
                RequestError::TIMED_OUT
            } else {
                RequestError::CONNECTION_LOST
            }
        })? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(RequestError::TOO_LARGE);
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = RequestError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, RequestError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { normalised(self.send(request).await?) })
    }
}

fn get(url: Url, token: Option<&str>) -> Result<HttpRequest, RequestError> {
    let mut request = Request::builder()
        .method(Method::GET)
        .uri(String::from(url));
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    request
        .body(Vec::new())
        .map_err(|_| RequestError::UNEXPECTED)
}

/// Converts Slack's response to RFC 6749 §5: failures, which Slack sends as 200 with `"ok": false`, become
/// 400; the nested user token becomes the access token; scopes are separated by spaces.
fn normalised((_, body): (StatusCode, Vec<u8>)) -> Result<HttpResponse, RequestError> {
    let mut answer: Value = serde_json::from_slice(&body).map_err(|_| RequestError::NOT_JSON)?;
    let fields = answer.as_object_mut().ok_or(RequestError::NOT_JSON)?;
    if fields.get("ok") != Some(&Value::Bool(true)) {
        let error = fields.get("error").and_then(Value::as_str).unwrap_or("");
        return response(StatusCode::BAD_REQUEST, &json!({ "error": error }));
    }
    // The user's token replaces a bot's token, because only the user's token identifies the user.
    let nested = ["access_token", "token_type", "scope"].map(|name| {
        let value = fields.get("authed_user").and_then(|user| user.get(name));
        (name, value.cloned())
    });
    if let [(_, Some(_)), ..] = nested {
        fields.extend(
            nested
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?))),
        );
    }
    if let Some(Value::String(scope)) = fields.get_mut("scope") {
        *scope = scope.replace(',', " ");
    }
    response(StatusCode::OK, &answer)
}

fn response(status: StatusCode, body: &Value) -> Result<HttpResponse, RequestError> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .body(body.to_string().into_bytes())
        .map_err(|_| RequestError::UNEXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalise(body: &str) -> Result<(u16, Value), RequestError> {
        let answer = normalised((StatusCode::OK, body.as_bytes().to_vec()))?;
        let body = serde_json::from_slice(answer.body()).unwrap();
        Ok((answer.status().as_u16(), body))
    }

    #[test]
    fn the_nested_user_token_becomes_the_access_token() {
        let (status, body) = normalise(
            r#"{"ok":true,"authed_user":{"id":"U1","scope":"a,b","access_token":"xoxp","token_type":"user"}}"#,
        )
        .unwrap();
        assert_eq!(status, 200);
        assert_eq!(body["access_token"], "xoxp");
        assert_eq!(body["token_type"], "user");
        assert_eq!(body["scope"], "a b");
    }

    #[test]
    fn the_user_token_wins_over_a_bot_token() {
        let (_, body) = normalise(
            r#"{"ok":true,"access_token":"xoxb","token_type":"bot","scope":"c",
                "authed_user":{"id":"W1","scope":"a,b","access_token":"xoxp","token_type":"user"}}"#,
        )
        .unwrap();
        assert_eq!(body["access_token"], "xoxp");
        assert_eq!(body["scope"], "a b");
    }

    #[test]
    fn a_top_level_token_is_kept() {
        let (_, body) =
            normalise(r#"{"ok":true,"access_token":"xoxp","token_type":"Bearer"}"#).unwrap();
        assert_eq!(body["access_token"], "xoxp");
    }

    #[test]
    fn a_response_that_is_not_ok_is_an_error() {
        for (body, error) in [
            (r#"{"ok":false,"error":"invalid_code"}"#, "invalid_code"),
            (r#"{"ok":false}"#, ""),
            (r#"{"ok":"true","access_token":"x"}"#, ""),
            (r#"{"access_token":"x"}"#, ""),
            (r#"{"ok":false,"error":{"a":1}}"#, ""),
        ] {
            assert_eq!(
                normalise(body),
                Ok((400, json!({ "error": error }))),
                "{body}"
            );
        }
    }

    #[test]
    fn a_response_that_is_not_an_object_is_an_error() {
        for body in ["", "<html>", "[]", "null", r#"{"ok":true"#, "\u{feff}{}"] {
            assert_eq!(normalise(body), Err(RequestError::NOT_JSON), "{body}");
        }
    }
}
