//! Which other origins may read our answers (CORS, WHATWG Fetch).

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};

const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, DELETE");
const ALLOWED_HEADERS: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, X-Request-Id");
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, X-Error-Code, Date",
);

/// How long browsers may cache a preflight's answer.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// The allowed origins, compared byte for byte: no patterns, no suffixes, no `*`, no `null`.
pub(super) struct AllowedOrigins(Vec<HeaderValue>);

impl AllowedOrigins {
    /// Origins as browsers send them. A value that is not a valid header value is skipped.
    pub(super) fn new(origins: &[String]) -> Self {
        Self(
            origins
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok())
                .collect(),
        )
    }

    /// The request's origin, if it may read the answer.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut origins = headers.get_all(ORIGIN);
        let origin = origins.next().filter(|_| origins.next().is_none())?;
        self.admit_origin(origin).then(|| origin.clone())
    }

    pub(super) fn admit_origin(&self, origin: &HeaderValue) -> bool {
        self.0.contains(origin)
    }
}

pub(super) fn is_preflight(request: &ServiceRequest) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The same for every path. An origin that is not allowed gets no CORS headers, so its browser stops.
pub(super) fn preflight(admitted: Option<&HeaderValue>) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    if admitted.is_some() {
        response
            .insert_header((ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS))
            .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS))
            .insert_header((ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS));
    }
    response.finish()
}

/// `Vary` is always set, or a cache would give one origin's answer to another.
pub(super) fn mark(headers: &mut HeaderMap, admitted: Option<HeaderValue>) {
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = admitted {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    }
}
