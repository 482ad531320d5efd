//! The headers that tell clients how many calls are left (draft-ietf-httpapi-ratelimit-headers-10).

use actix_web::http::header::{HeaderName, HeaderValue};

pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The value of `RateLimit`: how many calls are left, and in how many seconds there are more.
pub(super) fn left(name: &str, remaining: u32, seconds: u32) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("\"{name}\";r={remaining};t={seconds}")).ok()
}
