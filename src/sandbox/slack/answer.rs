//! Responses to API calls: the regular one, or the fault that is set for the endpoint.

use std::future::ready;
use std::io;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, LOCATION, RETRY_AFTER};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::stream;
use serde_json::{Value, json};

use super::PATH;
use super::endpoint::Endpoint;
use super::fault::{Fault, Flaw};
use super::state::State;

const SILENCE: Duration = Duration::from_secs(10);

/// In bytes of padding.
const OVERSIZE: usize = 10_000_000;

/// The target of the fault `redirect`, below [`PATH`].
pub(super) const ELSEWHERE: &str = "/elsewhere";

const HTML: &str = "<!doctype html><title>Slack sandbox</title><h1>Something went wrong</h1>";

/// Slack's name of an error.
pub(super) type ErrorName = &'static str;

/// Responds with 200 and the result of `make`, unless a fault is set. Only ID token flaws are passed to `make`;
/// most other faults do not call it.
pub(super) async fn answer(
    state: &State,
    endpoint: Endpoint,
    make: impl FnOnce(Option<Flaw>) -> Result<Value, ErrorName>,
) -> HttpResponse {
    let cleared = state.faults.cleared();
    let fault = state.faults.take(endpoint);
    // Last, so that a test waiting for this call cannot change its response.
    state.calls.send_modify(|calls| calls.count(endpoint));
    let regular = |flaw| body_of(make(flaw));
    match fault {
        None => HttpResponse::Ok().json(regular(None)),
        Some(Fault::IdToken(flaw)) => HttpResponse::Ok().json(regular(Some(flaw))),
        Some(Fault::RateLimited { retry_after, body }) => {
            let mut response = failing(StatusCode::TOO_MANY_REQUESTS);
            if retry_after {
                response.insert_header((RETRY_AFTER, "30"));
            }
            if body {
                response.json(body_of(Err("ratelimited")))
            } else {
                response.finish()
            }
        }
        Some(Fault::ServerError) => failing(StatusCode::INTERNAL_SERVER_ERROR)
            .content_type(ContentType::html())
            .body(HTML),
        Some(Fault::Html) => HttpResponse::Ok()
            .content_type(ContentType::html())
            .body(HTML),
        Some(Fault::Truncated) => {
            let mut text = regular(None).to_string().into_bytes();
            text.truncate(text.len() / 2);
            HttpResponse::Ok()
                .content_type(ContentType::json())
                .body(text)
        }
        Some(Fault::NotOk) => HttpResponse::Ok().json(json!({"ok": false})),
        Some(Fault::Error(error)) => HttpResponse::Ok().json(json!({"ok": false, "error": error})),
        Some(Fault::Redirect) => HttpResponse::Found()
            .insert_header((LOCATION, format!("{PATH}{ELSEWHERE}")))
            .finish(),
        Some(Fault::Silence) => {
            tokio::select! {
                () = tokio::time::sleep(SILENCE) => {}
                () = cleared => {}
            }
            cut_off()
        }
        Some(Fault::Reset) => cut_off(),
        Some(Fault::Oversize) => oversize(&regular(None)),
    }
}

fn body_of(result: Result<Value, ErrorName>) -> Value {
    result.unwrap_or_else(|error| json!({"ok": false, "error": error}))
}

/// A response with status 400 or above. The header keeps Hallpass, when it serves the sandbox, from replacing the
/// body.
pub(super) fn failing(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header(("x-error-code", "slack_sandbox"));
    response
}

/// actix drops a connection whose body fails, before it sends the head.
fn cut_off() -> HttpResponse {
    let end = io::Error::from(io::ErrorKind::ConnectionReset);
    HttpResponse::Ok().streaming(stream::once(ready(Err::<Bytes, _>(end))))
}

/// Correct except for its size. Without Content-Length, so that clients must count the bytes.
fn oversize(regular: &Value) -> HttpResponse {
    const CHUNK: &[u8] = &[b'x'; 50_000];
    let rest = regular.to_string();
    let rest = rest.trim_start_matches('{').to_owned();
    let parts = [Bytes::from_static(b"{\"padding\":\"")]
        .into_iter()
        .chain(std::iter::repeat_n(
            Bytes::from_static(CHUNK),
            OVERSIZE / CHUNK.len(),
        ))
        .chain([Bytes::from_static(b"\","), Bytes::from(rest)]);
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .streaming(stream::iter(parts.map(Ok::<_, io::Error>)))
}

/// Counts clients that follow the redirect, which they must not.
pub(super) async fn elsewhere(state: Data<State>) -> HttpResponse {
    answer(&state, Endpoint::Elsewhere, |_| Ok(json!({"ok": true}))).await
}
