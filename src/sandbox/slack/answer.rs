//! How a call is answered: well, or by the fault that stands for it.

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

/// Bytes of padding.
const OVERSIZE: usize = 10_000_000;

/// Where the fault `redirect` points, below [`PATH`].
pub(super) const ELSEWHERE: &str = "/elsewhere";

const HTML: &str = "<!doctype html><title>Slack sandbox</title><h1>Something went wrong</h1>";

/// Slack's name of what went wrong.
pub(super) type ErrorName = &'static str;

/// Answers 200 with what `make` makes, unless a fault stands. Only a fault of the id_token is handed to
/// `make`; before most others it is not even asked.
pub(super) async fn answer(
    state: &State,
    endpoint: Endpoint,
    make: impl FnOnce(Option<Flaw>) -> Result<Value, ErrorName>,
) -> HttpResponse {
    let cleared = state.faults.cleared();
    let fault = state.faults.take(endpoint);
    // Last, so that whoever waited for this call cannot change its answer.
    state.calls.send_modify(|calls| calls.count(endpoint));
    let right = |flaw| made(make(flaw));
    match fault {
        None => HttpResponse::Ok().json(right(None)),
        Some(Fault::IdToken(flaw)) => HttpResponse::Ok().json(right(Some(flaw))),
        Some(Fault::RateLimited { retry_after, body }) => {
            let mut response = failing(StatusCode::TOO_MANY_REQUESTS);
            if retry_after {
                response.insert_header((RETRY_AFTER, "30"));
            }
            if body {
                response.json(made(Err("ratelimited")))
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
            let mut text = right(None).to_string().into_bytes();
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
        Some(Fault::Oversize) => oversize(&right(None)),
    }
}

fn made(result: Result<Value, ErrorName>) -> Value {
    result.unwrap_or_else(|error| json!({"ok": false, "error": error}))
}

/// A status of 400 or above. The code keeps Hallpass from putting its own body there when it is the
/// one that serves the sandbox.
pub(super) fn failing(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header(("x-error-code", "slack_sandbox"));
    response
}

/// actix drops a connection whose body fails, and with it the head that is not sent yet.
fn cut_off() -> HttpResponse {
    let end = io::Error::from(io::ErrorKind::ConnectionReset);
    HttpResponse::Ok().streaming(stream::once(ready(Err::<Bytes, _>(end))))
}

/// Without a Content-Length, so that only counting helps, and right apart from its size.
fn oversize(right: &Value) -> HttpResponse {
    const CHUNK: &[u8] = &[b'x'; 50_000];
    let rest = right.to_string();
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

/// Nobody should come here; whoever does is counted.
pub(super) async fn elsewhere(state: Data<State>) -> HttpResponse {
    answer(&state, Endpoint::Elsewhere, |_| Ok(json!({"ok": true}))).await
}
