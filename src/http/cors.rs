//! Which other origins may read our answers (CORS, WHATWG Fetch).

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};

use crate::domain::origin::{is_loopback_origin, parse_origin};

const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, DELETE");
const ALLOWED_HEADERS: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, X-Request-Id");
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, X-Error-Code, Date",
);

/// How long browsers may cache a preflight's answer.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// How many refused origins the log names, so that strangers cannot fill it.
const REFUSALS_LOGGED: usize = 20;

/// The allowed origins, compared byte for byte: no patterns, no suffixes, no `*`, no `null`.
pub(super) struct AllowedOrigins {
    listed: Vec<HeaderValue>,
    /// In development: every origin on this machine.
    pub(super) any_loopback: bool,
    logged: Mutex<HashSet<String>>,
}

impl AllowedOrigins {
    /// Origins as browsers send them. A value that is not a valid header value is skipped.
    pub(super) fn new(origins: &[String]) -> Self {
        let listed = origins.iter();
        Self {
            listed: listed
                .filter_map(|origin| HeaderValue::from_str(origin).ok())
                .collect(),
            any_loopback: false,
            logged: Mutex::default(),
        }
    }

    /// The request's origin, if it may read the answer.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut origins = headers.get_all(ORIGIN);
        let origin = origins.next().filter(|_| origins.next().is_none())?;
        self.admit_origin(origin).then(|| origin.clone())
    }

    pub(super) fn admit_origin(&self, origin: &HeaderValue) -> bool {
        let is_loopback = || origin.to_str().is_ok_and(is_loopback_origin);
        self.listed.contains(origin) || (self.any_loopback && is_loopback())
    }

    /// Says once per origin in the log how to allow it, because a browser says neither to its page.
    pub(super) fn log_refusal(&self, headers: &HeaderMap) {
        let Some(Ok(origin)) = headers.get(ORIGIN).map(HeaderValue::to_str) else {
            return;
        };
        if parse_origin(origin).as_deref() != Ok(origin) {
            return;
        }
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() < REFUSALS_LOGGED && logged.insert(origin.to_owned()) {
            tracing::warn!(
                "Origin {origin} refused; add it to CORS_ALLOWED_ORIGINS if it is yours"
            );
        }
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

/// An answer that every page may read says so itself.
pub(super) fn is_for_everyone(headers: &HeaderMap) -> bool {
    headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
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
