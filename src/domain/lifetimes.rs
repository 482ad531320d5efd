//! How long tokens and sessions last, by the settings, the rule of an organization, and the session itself.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{SessionId, SessionKind};

/// The longest life of an access token, whatever the settings: `exp - iat <= 604800`. So long a revocation counts.
pub const ACCESS_TOKEN: TimeDelta = TokenLifetime::HIGHEST.span();

/// The longest life of a session token and of its session, whatever the settings.
const SESSION_TOKEN: TimeDelta = TimeDelta::days(30);

/// The precision of a session's last use, so that not every request needs a write. With a short idle time it is finer.
pub const LAST_USED_PRECISION: TimeDelta = TimeDelta::minutes(5);

/// After a seventh of a life a use renews it: a token of seven days after a day.
pub(super) const RENEWED_AFTER: i32 = 7;

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

/// How long a join link is valid unless its maker chooses another time.
pub const JOIN_LINK: TimeDelta = TimeDelta::days(7);

/// The longest time that its maker can choose.
pub const LONGEST_JOIN_LINK: TimeDelta = TimeDelta::days(365);

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

/// How long the secret of a webhook signs after its rotation.
pub const PREVIOUS_WEBHOOK_SECRET: TimeDelta = TimeDelta::hours(24);

/// How long we keep what was delivered to a webhook, for its list of deliveries.
pub const DELIVERED_EVENT: TimeDelta = TimeDelta::days(3);

/// How long we keep what could not be delivered to a webhook.
pub const UNDELIVERED_EVENT: TimeDelta = TimeDelta::days(30);

/// The longest time for which sessions of an earlier system are exchanged.
pub const LEGACY_SESSIONS: TimeDelta = TimeDelta::days(60);

/// Validity of `security.txt` (RFC 9116 §2.5.5: less than a year).
pub const SECURITY_TXT: TimeDelta = TimeDelta::days(180);

const MINUTE: i32 = 60;
const DAY: i32 = 86_400;

/// A type for each kind of life, so that they cannot be mixed up and none is out of bounds.
macro_rules! life {
    ($(#[$doc:meta])* $name:ident, $lowest:expr, $highest:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(i32);

        impl $name {
            pub const LOWEST: Self = Self($lowest);
            pub const HIGHEST: Self = Self($highest);

            /// # Errors
            /// For a number that is out of bounds.
            pub fn from_seconds(seconds: i64) -> Result<Self, OutOfBounds> {
                i32::try_from(seconds)
                    .map(Self)
                    .ok()
                    .filter(|life| (Self::LOWEST..=Self::HIGHEST).contains(life))
                    .ok_or(OutOfBounds { lowest: $lowest, highest: $highest })
            }

            /// One that was in bounds when it was stored.
            pub fn from_stored(seconds: i32) -> Self {
                Self(seconds).clamp(Self::LOWEST, Self::HIGHEST)
            }

            pub const fn seconds(self) -> i32 {
                self.0
            }

            pub const fn span(self) -> TimeDelta {
                TimeDelta::seconds(self.0 as i64)
            }
        }

        impl FromStr for $name {
            type Err = OutOfBounds;

            /// A number and a unit: `90s`, `30m`, `12h` or `7d`.
            fn from_str(text: &str) -> Result<Self, OutOfBounds> {
                Self::from_seconds(seconds_of(text).unwrap_or(-1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_seconds(f, self.0)
            }
        }
    };
}

life! {
    /// How long an access token is valid, five minutes to seven days.
    TokenLifetime, 5 * MINUTE, 7 * DAY
}
life! {
    /// How long after its beginning a session ends, however often it is used: fifteen minutes to a year.
    SessionLifetime, 15 * MINUTE, 365 * DAY
}
life! {
    /// How long after its last use a session ends, five minutes to a year.
    SessionIdle, 5 * MINUTE, 365 * DAY
}

life! {
    /// How long an instance that is to stop still takes requests, so that load balancers can react: none to five minutes.
    DrainTime, 0, 5 * MINUTE
}

life! {
    /// How long a row is kept after it has ended, seven days to ten years: no token and no link of ours lives longer
    /// than seven days without its row.
    Kept, 7 * DAY, 3650 * DAY
}

/// How long rows are kept that are not needed any more, as people may want to look at them.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    pub sessions: Kept,
    pub audit: Kept,
    pub emails: Kept,
    pub invitations: Kept,
}

/// Not a life, or one out of bounds, which are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfBounds {
    pub lowest: i32,
    pub highest: i32,
}

impl std::error::Error for OutOfBounds {}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a duration from ")?;
        write_seconds(f, self.lowest)?;
        f.write_str(" to ")?;
        write_seconds(f, self.highest)
    }
}

/// The units of a duration in seconds, the largest first.
const UNITS: [(char, i32); 4] = [('d', DAY), ('h', 60 * MINUTE), ('m', MINUTE), ('s', 1)];

fn seconds_of(text: &str) -> Option<i64> {
    UNITS.iter().find_map(|&(unit, seconds)| {
        let count = text.strip_suffix(unit)?;
        let is_number = count.bytes().all(|b| b.is_ascii_digit());
        count
            .parse::<i64>()
            .ok()
            .filter(|_| is_number)?
            .checked_mul(seconds.into())
    })
}

/// In the largest unit that is exact.
fn write_seconds(f: &mut fmt::Formatter<'_>, seconds: i32) -> fmt::Result {
    let (unit, length) = UNITS
        .into_iter()
        .find(|(_, length)| seconds >= *length && seconds % length == 0)
        .unwrap_or(('s', 1));
    write!(f, "{}{unit}", seconds / length)
}

/// What an organization allows less of than the instance; `None` where it has no rule of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LifetimeRule {
    pub token: Option<TokenLifetime>,
    pub session: Option<SessionLifetime>,
    pub idle: Option<SessionIdle>,
}

/// How long tokens and sessions last: the settings of the instance, or the stricter of them and an organization's rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    pub token: TokenLifetime,
    pub session: SessionLifetime,
    /// `None` if idle sessions do not end.
    pub idle: Option<SessionIdle>,
}

impl Lifetimes {
    /// The stricter of both, for sessions that speak for the organization.
    #[must_use]
    pub fn under(self, rule: LifetimeRule) -> Self {
        Self {
            token: rule.token.map_or(self.token, |life| life.min(self.token)),
            session: rule
                .session
                .map_or(self.session, |life| life.min(self.session)),
            idle: self.idle.into_iter().chain(rule.idle).min(),
        }
    }

    /// Whether sessions that have ended under `other` would be live under these.
    pub fn are_longer_than(&self, other: &Self) -> bool {
        let outlives = |idle| self.idle.is_none_or(|own| own > idle);
        self.session > other.session || other.idle.is_some_and(outlives)
    }

    /// Sessions have ended by `now` that began by the first of these times, or were last used by the second.
    pub fn ended_before(&self, now: DateTime<Utc>) -> (DateTime<Utc>, Option<DateTime<Utc>>) {
        (
            now - self.session.span(),
            self.idle.map(|idle| now - idle.span()),
        )
    }

    /// How long a session lasts that is always in use.
    pub fn longest_session(&self, kind: SessionKind) -> TimeDelta {
        match kind {
            SessionKind::Jwt => self.session.span(),
            SessionKind::Token => self.session.span().min(SESSION_TOKEN),
        }
    }

    /// When a session ends that began and was last used at these times.
    pub fn session_end(
        &self,
        kind: SessionKind,
        began: DateTime<Utc>,
        last_used: DateTime<Utc>,
    ) -> DateTime<Utc> {
        let end = began + self.longest_session(kind);
        self.idle
            .map_or(end, |idle| end.min(last_used + idle.span()))
    }

    /// Whether the token of a session cookie is to be replaced.
    pub fn is_cookie_outdated(&self, issued_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let token = self.token.span();
        let life = self.idle.map_or(token, |idle| token.min(idle.span()));
        issued_at + life / RENEWED_AFTER <= now
    }

    /// Whether the session of a token must have ended, as far as the token shows: its session began at the time in the
    /// id, and was last used, as far as this token goes, when it was issued. So lifetimes that become shorter count for
    /// tokens that were issued before, without a query.
    pub fn have_ended(&self, id: SessionId, issued_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let began = id.created_at().unwrap_or(issued_at);
        self.session_end(SessionKind::Jwt, began, issued_at) <= now
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::domain) fn lifetimes(
        token: &str,
        session: &str,
        idle: Option<&str>,
    ) -> Lifetimes {
        Lifetimes {
            token: token.parse().unwrap(),
            session: session.parse().unwrap(),
            idle: idle.map(|idle| idle.parse().unwrap()),
        }
    }

    #[test]
    fn a_duration_is_a_number_and_a_unit_within_bounds() {
        for (text, seconds) in [("5m", 300), ("300s", 300), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(
                text.parse::<TokenLifetime>().unwrap().seconds(),
                seconds,
                "{text}"
            );
        }
        for text in [
            "",
            "d",
            "7",
            "-7d",
            "+7d",
            "7 d",
            "7D",
            "7w",
            "4m",
            "8d",
            "1.5h",
            "99999999999999999d",
        ] {
            let error = text.parse::<TokenLifetime>().unwrap_err();
            assert_eq!(error.to_string(), "not a duration from 5m to 7d", "{text}");
        }
        for text in ["90s", "30m", "12h", "90d"] {
            assert_eq!(
                SessionIdle(i32::try_from(seconds_of(text).unwrap()).unwrap()).to_string(),
                text
            );
        }
        assert_eq!(SessionIdle::from_stored(1), SessionIdle::LOWEST);
        assert_eq!(SessionLifetime::from_seconds(i64::MAX), "400d".parse());
    }

    #[test]
    fn of_setting_and_rule_the_stricter_counts_for_each_life() {
        let instance = lifetimes("1h", "30d", Some("12h"));
        assert_eq!(instance.under(LifetimeRule::default()), instance);
        let rule = |token: &str, session: &str, idle: &str| LifetimeRule {
            token: token.parse().ok(),
            session: session.parse().ok(),
            idle: idle.parse().ok(),
        };
        let strict = lifetimes("30m", "1d", Some("15m"));
        assert_eq!(instance.under(rule("30m", "1d", "15m")), strict);
        assert_eq!(instance.under(rule("2h", "60d", "1d")), instance);
        assert_eq!(
            lifetimes("1h", "30d", None).under(rule("", "", "12h")),
            instance
        );
    }

    #[test]
    fn a_token_shows_how_old_its_session_and_its_last_refresh_are() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let id = SessionId::new(now, [0; 10]);
        let refreshed = now + TimeDelta::hours(10);
        let have_ended = |session, idle, hours| {
            lifetimes("7d", session, idle).have_ended(id, refreshed, now + TimeDelta::hours(hours))
        };
        assert!(!have_ended("12h", None, 11) && have_ended("12h", None, 12));
        assert!(!have_ended("90d", Some("2h"), 11) && have_ended("90d", Some("2h"), 12));
        let random = SessionId(uuid::Uuid::nil());
        assert!(!lifetimes("7d", "12h", None).have_ended(
            random,
            refreshed,
            now + TimeDelta::hours(12)
        ));
    }
}
