//! How long tokens and sessions last.

use chrono::{DateTime, TimeDelta, Utc};

/// An access token's life: `exp = iat + 604800`.
pub const ACCESS_TOKEN: TimeDelta = TimeDelta::seconds(604_800);

/// A session ends this long after it began, however often it is refreshed.
pub const SESSION: TimeDelta = TimeDelta::days(90);

/// When a token issued `now` ends: after seven days, but never after its session.
pub fn access_token_expiry(now: DateTime<Utc>, session_ends: DateTime<Utc>) -> DateTime<Utc> {
    (now + ACCESS_TOKEN).min(session_ends)
}
