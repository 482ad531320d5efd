//! How long tokens and sessions last.

use chrono::{DateTime, TimeDelta, Utc};

/// An access token's life: `exp = iat + 604800`.
pub const ACCESS_TOKEN: TimeDelta = TimeDelta::seconds(604_800);

/// A session ends this long after it began, however often it is refreshed.
pub const SESSION: TimeDelta = TimeDelta::days(90);

/// A session token's life, and its session's.
pub const SESSION_TOKEN: TimeDelta = TimeDelta::days(30);

/// A session cookie whose token is older than this is given a new one.
pub const SESSION_COOKIE_AGE: TimeDelta = TimeDelta::days(1);

/// How long a form may lie open before it is sent.
pub const CSRF_TOKEN: TimeDelta = TimeDelta::hours(24);

/// How long a person may take at Slack.
pub const SLACK_STATE: TimeDelta = TimeDelta::minutes(10);

/// How long a one-time code waits for the client that asked for it.
pub const ONE_TIME_CODE: TimeDelta = TimeDelta::seconds(60);

/// How long a link that resets a password is good.
pub const RESET_LINK: TimeDelta = TimeDelta::minutes(30);

/// How long a link that proves an address is good.
pub const VERIFICATION_LINK: TimeDelta = TimeDelta::hours(24);

/// How long an invitation waits for an answer.
pub const INVITATION: TimeDelta = TimeDelta::days(7);

/// How long a link that ends somebody's session is good.
pub const END_SESSION_LINK: TimeDelta = TimeDelta::days(7);

/// How long a person may take for the second factor.
pub const SECOND_FACTOR: TimeDelta = TimeDelta::seconds(300);

/// How long no code is looked at after too many wrong ones.
pub const MFA_LOCK: TimeDelta = TimeDelta::minutes(15);

/// Within this time an address gets three letters that strangers can cause, and no fourth.
pub const EMAIL_LIMIT_WINDOW: TimeDelta = TimeDelta::hours(1);

/// A letter that could not be sent for so long is given up.
pub const EMAIL: TimeDelta = TimeDelta::days(7);

/// How long a revoked or expired token of a service is still known as what it was.
pub const SPENT_API_TOKEN: TimeDelta = TimeDelta::days(30);

/// A copy of `security.txt` (RFC 9116 §2.5.5: less than a year).
pub const SECURITY_TXT: TimeDelta = TimeDelta::days(180);

/// When a token issued `now` ends: after seven days, but never after its session.
pub fn access_token_expiry(now: DateTime<Utc>, session_ends: DateTime<Utc>) -> DateTime<Utc> {
    (now + ACCESS_TOKEN).min(session_ends)
}
