//! How long tokens and sessions last.

use chrono::{DateTime, TimeDelta, Utc};

/// Lifetime of an access token: `exp = iat + 604800`.
pub const ACCESS_TOKEN: TimeDelta = TimeDelta::seconds(604_800);

/// Absolute lifetime of a session, however often it is refreshed.
pub const SESSION: TimeDelta = TimeDelta::days(90);

/// Lifetime of a session token and of its session.
pub const SESSION_TOKEN: TimeDelta = TimeDelta::days(30);

/// The precision of a session's last use, so that not every request needs a write.
pub const LAST_USED_PRECISION: TimeDelta = TimeDelta::minutes(5);

/// A session cookie gets a new token when its token is older than this.
pub const SESSION_COOKIE_AGE: TimeDelta = TimeDelta::days(1);

/// How long a form may stay open before it is submitted.
pub const CSRF_TOKEN: TimeDelta = TimeDelta::hours(24);

/// How long a user may take at Slack.
pub const SLACK_STATE: TimeDelta = TimeDelta::minutes(10);

/// How long a one-time code can be exchanged for a token.
pub const ONE_TIME_CODE: TimeDelta = TimeDelta::seconds(60);

/// How long a password reset link is valid.
pub const RESET_LINK: TimeDelta = TimeDelta::minutes(30);

/// How long an e-mail verification link is valid.
pub const VERIFICATION_LINK: TimeDelta = TimeDelta::hours(24);

/// How long an invitation can be accepted.
pub const INVITATION: TimeDelta = TimeDelta::days(7);

/// How long a link that ends a session is valid.
pub const END_SESSION_LINK: TimeDelta = TimeDelta::days(7);

/// How long a link that undoes a new API token or authenticator is valid.
pub const UNDO_LINK: TimeDelta = TimeDelta::days(7);

/// How long a proof of identity counts for what wants a recent one.
pub const FRESH: TimeDelta = TimeDelta::minutes(15);

/// How long a user may take to complete the second factor.
pub const SECOND_FACTOR: TimeDelta = TimeDelta::seconds(300);

/// How long the second factor stays locked after too many wrong codes.
pub const MFA_LOCK: TimeDelta = TimeDelta::minutes(15);

/// How long an e-mail counts towards the limit of its recipient. No link that is limited lives shorter, except a reset
/// link, which counts for its own life.
pub const EMAIL_LIMIT_WINDOW: TimeDelta = TimeDelta::hours(1);

/// How long an undelivered e-mail is retried before we give up.
pub const EMAIL: TimeDelta = TimeDelta::days(7);

/// How long we keep a revoked or expired API token, to report it as such.
pub const SPENT_API_TOKEN: TimeDelta = TimeDelta::days(30);

/// How long a place is known from which a user has signed in.
pub const KNOWN_PLACE: TimeDelta = TimeDelta::days(365);

/// Validity of `security.txt` (RFC 9116 §2.5.5: less than a year).
pub const SECURITY_TXT: TimeDelta = TimeDelta::days(180);

/// When a token issued `now` expires: after seven days, but never after its session.
pub fn access_token_expiry(now: DateTime<Utc>, session_ends: DateTime<Utc>) -> DateTime<Utc> {
    (now + ACCESS_TOKEN).min(session_ends)
}
