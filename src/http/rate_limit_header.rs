//! The headers that tell clients how many calls are left (draft-ietf-httpapi-ratelimit-headers-10).

use actix_web::http::header::{HeaderName, HeaderValue};

use crate::service::limits::Group;

pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The policy of wrong passwords: of one account from one address. Others, of many accounts or addresses, are not told
/// apart, because that would help who guesses.
pub(super) const ATTEMPTS: HeaderValue = HeaderValue::from_static("\"attempts\";q=10;w=900");

/// The value of `RateLimit`: how many calls are left, and in how many seconds there are more.
pub(super) fn left(name: &str, remaining: u32, seconds: u32) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("\"{name}\";r={remaining};t={seconds}")).ok()
}

/// Both headers of a bucket.
pub(super) fn of_group(
    group: Group,
    remaining: u32,
    seconds: u32,
) -> Option<[(HeaderName, HeaderValue); 2]> {
    let (name, quota) = (group.name(), group.quota());
    let policy = format!("\"{name}\";q={};w={}", quota.count, quota.seconds);
    Some([
        (RATE_LIMIT_POLICY, HeaderValue::try_from(policy).ok()?),
        (RATE_LIMIT, left(name, remaining, seconds)?),
    ])
}
