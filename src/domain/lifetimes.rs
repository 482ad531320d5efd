//! How long tokens and sessions last.

use chrono::{DateTime, TimeDelta, Utc};

/// An access token's life: `exp = iat + 604800`.
pub const ACCESS_TOKEN: TimeDelta = TimeDelta::seconds(604_800);

/// A session ends this long after it began, however often it is refreshed.
pub const SESSION: TimeDelta = TimeDelta::days(90);

/// How long a person may take at Slack.
pub const SLACK_STATE: TimeDelta = TimeDelta::minutes(10);

/// How long a one-time code waits for the client that asked for it.
pub const ONE_TIME_CODE: TimeDelta = TimeDelta::seconds(60);

/// When a token issued `now` ends: after seven days, but never after its session.
pub fn access_token_expiry(now: DateTime<Utc>, session_ends: DateTime<Utc>) -> DateTime<Utc> {
    (now + ACCESS_TOKEN).min(session_ends)
}
