//! `GET /api/revocations`

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, ContentType, HeaderMap, HeaderValue, VARY};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, mime};
use futures_util::{TryStreamExt as _, stream};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::error_code::ErrorCode::{TooManyRequests, ValidationFailed};
use super::only_looks::only_looks;
use super::query::Query;
use super::request_metadata::request_context;
use crate::domain::violation::ValidationError;
use crate::domain::{FeedCursor, SessionId, UserId};
use crate::service::revocations::follow::Follower;
use crate::service::revocations::list::{self, WholeList};
use crate::service::revocations::revocation::{Revocation, to_json};
use crate::service::{self, ServiceCaller, Services};

/// Seconds.
const LONGEST_WAIT: u64 = 30;

/// The ends of sessions and the versions below which tokens are revoked or outdated.
#[derive(Serialize, ToSchema)]
pub(super) struct Revocations {
    /// For `after`. It is good at every instance.
    #[schema(example = "wq8Yh2nPZ3s.74210")]
    cursor: String,
    /// Whether this is the whole list, which replaces what was known, and not only what came since.
    whole: bool,
    #[schema(value_type = Vec<RevocationSchema>)]
    revoked: Vec<Revocation>,
}

/// One of these.
#[derive(ToSchema)]
#[schema(as = Revocation)]
#[expect(dead_code, reason = "it describes how entries are written")]
enum RevocationSchema {
    #[schema(title = "session")]
    Session { sid: SessionId },
    #[schema(title = "tokens")]
    Tokens { sub: UserId, ver: i32 },
    #[schema(title = "outdated")]
    Outdated { sub: UserId, pv: i32 },
}

/// Follow revocations
///
/// For services that verify access tokens themselves: which of them to refuse. A token is revoked if its `sid` is listed or
/// its `ver` is below the one listed for its `sub`; it is outdated, and to be refreshed, if its `pv` (0 if missing) is below
/// the listed one. Entries and events that a client does not know are to be ignored.
///
/// Without a cursor, or with one of another history or too old, the answer is the whole list; otherwise what came since.
///
/// - `Accept: application/json` (the default): one answer; with `wait`, at the first news.
/// - `Accept: text/event-stream`: the event `reset` begins a new list, events without a name hold up to 1,000 entries each,
///   and `fresh`, with a cursor as its `id`, says that the list is complete: after every news and every second, while this
///   instance knows the latest revocations. Resumes by `Last-Event-ID`. Two streams for each key and address.
/// - `Accept: application/octet-stream`: the whole list, packed. A line of JSON, `{"cursor", "sids", "others"}`; then for
///   each of the `sids` the last eight bytes of the id as a number, little endian, ascending.
#[utoipa::path(
    get,
    path = "/api/revocations",
    tag = "Services",
    security(("serviceKey" = [])),
    params(
        ("after" = Option<String>, Query, description = "The cursor of an earlier answer.", example = "wq8Yh2nPZ3s.74210"),
        ("wait" = Option<u64>, Query, description = "How many seconds to wait for news, at most 30.", minimum = 0, maximum = 30),
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last `fresh` event of a stream."),
    ),
    responses((status = 200, description = "The list, or what is new.", content(
        (Revocations = "application/json"),
        (String = "text/event-stream", example = "event: reset\ndata: {}\n\nevent: fresh\nid: wq8Yh2nPZ3s.74210\ndata: {}\n\n"),
        (Vec<u8> = "application/octet-stream"),
    ))),
    extensions(("x-error-codes" = json!([TooManyRequests, ValidationFailed]))),
)]
pub(crate) async fn revocations(
    request: HttpRequest,
    services: Data<Services>,
    caller: ServiceCaller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let query = query.unambiguous()?;
    let mut faults = Vec::new();
    let wait = query.read("wait", &mut faults, parse_wait);
    ApiError::unless_none(faults)?;
    let after = query.given("after").and_then(|after| after.parse().ok());
    let form = Form::wanted(request.headers());
    let mut answer = form.answer();
    if only_looks(&request) {
        return Ok(answer.finish());
    }
    let context = request_context(&request)?;
    let services = services.into_inner();
    match form {
        Form::Json => {
            let news = list::news(&services, after.as_ref(), wait.unwrap_or_default()).await?;
            if let Some(news) = news {
                return Ok(answer.json(Revocations {
                    cursor: news.cursor.to_string(),
                    whole: false,
                    revoked: news.entries,
                }));
            }
            let list = WholeList::begin(&services, &context)?;
            Ok(answer.streaming(written(list)))
        }
        Form::Packed => Ok(answer.body(list::packed(&services).await?)),
        Form::Stream => {
            let last = last_event_id(request.headers()).or(after);
            let follower = Follower::begin(&services, &context, &caller, last.as_ref())?;
            Ok(answer.streaming(pieces(follower)))
        }
    }
}

fn parse_wait(text: &str) -> Result<Duration, ValidationError> {
    let seconds = text.parse().ok().filter(|seconds| *seconds <= LONGEST_WAIT);
    seconds.map(Duration::from_secs).ok_or_else(|| {
        let why = format!("Please give a whole number of seconds, at most {LONGEST_WAIT}.");
        ValidationError::new("invalid_number", why)
    })
}

fn last_event_id(headers: &HeaderMap) -> Option<FeedCursor> {
    headers.get("Last-Event-ID")?.to_str().ok()?.parse().ok()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Stream,
    Packed,
}

impl Form {
    /// The first that is named; JSON for anything else.
    fn wanted(headers: &HeaderMap) -> Self {
        let ranges = headers
            .get_all(ACCEPT)
            .filter_map(|accept| accept.to_str().ok());
        ranges
            .flat_map(|accept| accept.split(','))
            .find_map(
                |range| match range.split(';').next().unwrap_or_default().trim() {
                    "application/json" => Some(Self::Json),
                    "text/event-stream" => Some(Self::Stream),
                    "application/octet-stream" => Some(Self::Packed),
                    _ => None,
                },
            )
            .unwrap_or(Self::Json)
    }

    /// Nothing of it is cached, changed or held back on its way: `X-Accel-Buffering` is for nginx.
    fn answer(self) -> HttpResponseBuilder {
        let mut answer = HttpResponse::Ok();
        let (content_type, caching) = match self {
            Self::Json => (ContentType::json(), "no-store"),
            Self::Packed => (ContentType::octet_stream(), "no-store"),
            Self::Stream => (
                ContentType(mime::TEXT_EVENT_STREAM),
                "no-store, no-transform",
            ),
        };
        answer
            .insert_header(content_type)
            .insert_header((CACHE_CONTROL, caching))
            .insert_header((VARY, "Accept"))
            .insert_header(("X-Accel-Buffering", HeaderValue::from_static("no")));
        answer
    }
}

/// The whole list as JSON, which is never whole in memory.
fn written(list: WholeList) -> impl stream::Stream<Item = service::Result<Bytes>> {
    enum Part {
        Begin,
        First,
        Next,
        Ended,
    }
    stream::try_unfold((list, Part::Begin), async |(mut list, part)| {
        let comma = match part {
            Part::Begin => {
                let begin = format!(
                    "{{\"cursor\":\"{}\",\"whole\":true,\"revoked\":[",
                    list.cursor
                );
                return Ok(Some((Bytes::from(begin), (list, Part::First))));
            }
            Part::First => "",
            Part::Next => ",",
            Part::Ended => return Ok(None),
        };
        let mut entries = list.next().await?;
        while entries.as_ref().is_some_and(Vec::is_empty) {
            entries = list.next().await?;
        }
        Ok(Some(match entries {
            Some(entries) => {
                let array = to_json(&entries);
                let inner = array.trim_start_matches('[').trim_end_matches(']');
                (Bytes::from(format!("{comma}{inner}")), (list, Part::Next))
            }
            None => (Bytes::from_static(b"]}"), (list, Part::Ended)),
        }))
    })
    .inspect_err(
        |error| tracing::error!(%error, "the list of revocations could not be read to its end"),
    )
}

fn pieces(follower: Follower) -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(follower, async |mut follower| {
        let piece = follower.next().await?;
        Some((Ok(piece), follower))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_is_named_counts() {
        for (accept, form) in [
            (&[][..], Form::Json),
            (&["*/*"], Form::Json),
            (&["text/event-stream"], Form::Stream),
            (
                &["text/event-stream; charset=utf-8, application/json"],
                Form::Stream,
            ),
            (&["text/html, application/json;q=0.9"], Form::Json),
            (&["text/html", "application/octet-stream"], Form::Packed),
        ] {
            let mut headers = HeaderMap::new();
            for accept in accept {
                headers.append(ACCEPT, HeaderValue::from_str(accept).unwrap());
            }
            assert_eq!(Form::wanted(&headers), form, "{accept:?}");
        }
    }

    #[test]
    fn a_wait_is_at_most_half_a_minute() {
        assert_eq!(parse_wait("0"), Ok(Duration::ZERO));
        assert_eq!(parse_wait("30"), Ok(Duration::from_secs(30)));
        for text in ["", "31", "-1", "1.5", "1s", "99999999999999999999"] {
            assert!(parse_wait(text).is_err(), "{text}");
        }
    }
}
