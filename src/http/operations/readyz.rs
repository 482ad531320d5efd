//! `GET /readyz`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::Unavailable;
use crate::service::{self, Readiness, Services};

#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    /// `ok` or `unavailable`.
    #[schema(example = "ok")]
    status: &'static str,
    /// Only with `?verbose`.
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Vec<Check>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Check {
    #[schema(example = "database")]
    name: &'static str,
    #[schema(example = true)]
    ok: bool,
    #[schema(example = "answers")]
    detail: String,
}

/// Readiness
///
/// Send the instance no requests while this answers 503. With `?verbose` all checks are listed, also in the body of a
/// 503. `writes` fails while the database is read-only, but does not make the instance unready: it can still verify
/// tokens.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "Operations",
    params(("verbose" = Option<String>, Query, description = "Lists the checks; takes no value.")),
    responses((status = 200, description = "The instance is ready.", body = Ready)),
    extensions(("x-error-codes" = json!([Unavailable]))),
)]
pub(crate) async fn readyz(services: Data<Services>, request: HttpRequest) -> HttpResponse {
    let readiness = service::readiness(&services).await;
    answer(readiness, asks_for_checks(request.query_string()))
}

fn asks_for_checks(query: &str) -> bool {
    query
        .split('&')
        .any(|pair| pair.split('=').next() == Some("verbose"))
}

fn answer(readiness: Readiness, verbose: bool) -> HttpResponse {
    let is_ready = readiness.is_ready();
    let checks = readiness.checks.into_iter().map(|check| Check {
        name: check.name,
        ok: check.ok,
        detail: check.detail,
    });
    let body = Ready {
        status: if is_ready { "ok" } else { "unavailable" },
        checks: verbose.then(|| checks.collect()),
    };
    if is_ready {
        return HttpResponse::Ok().json(body);
    }
    let refusal = ApiError::from(Unavailable).error_response();
    if !verbose {
        return refusal;
    }
    let mut response = HttpResponse::build(refusal.status());
    for header in refusal.headers() {
        response.insert_header(header);
    }
    response.json(body)
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;
    use crate::service::operations::readiness::Check;

    async fn answered(ok: bool, verbose: bool) -> (HttpResponse<()>, String) {
        let checks = vec![Check {
            name: "database",
            ok,
            decides: true,
            detail: "asked".into(),
        }];
        let (response, body) = answer(Readiness { checks }, verbose).into_parts();
        let bytes = to_bytes(body).await.unwrap();
        (response, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[actix_web::test]
    async fn ready_is_200_and_the_checks_are_listed_when_asked_for() {
        let (response, body) = answered(true, false).await;
        assert_eq!(
            (response.status().as_u16(), &*body),
            (200, r#"{"status":"ok"}"#)
        );
        let (_, body) = answered(true, true).await;
        assert_eq!(
            body,
            r#"{"status":"ok","checks":[{"name":"database","ok":true,"detail":"asked"}]}"#
        );
    }

    #[actix_web::test]
    async fn not_ready_is_an_error_like_any_other() {
        let (response, body) = answered(false, false).await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers().get("retry-after").unwrap(), "5");
        assert_eq!(
            body,
            r#"{"statusCode":503,"message":"Service unavailable","error":"Service Unavailable"}"#
        );
    }

    #[actix_web::test]
    async fn not_ready_says_why_when_asked() {
        let (response, body) = answered(false, true).await;
        assert_eq!(response.status(), 503);
        assert_eq!(
            response.headers().get("x-error-code").unwrap(),
            "unavailable"
        );
        assert_eq!(
            body,
            r#"{"status":"unavailable","checks":[{"name":"database","ok":false,"detail":"asked"}]}"#
        );
    }

    #[test]
    fn verbose_is_a_parameter_not_a_substring() {
        assert!(asks_for_checks("verbose") && asks_for_checks("a=b&verbose=1"));
        assert!(!asks_for_checks("") && !asks_for_checks("nonverbose=1"));
    }
}
