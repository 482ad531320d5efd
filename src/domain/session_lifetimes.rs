//! When a session and its tokens end, by the lifetimes that count for it.

use chrono::{DateTime, Utc};

use super::lifetimes::{ACCESS_TOKEN, LAST_USED_PRECISION, RENEWED_AFTER};
use super::{Lifetimes, Session, SessionEnd};

impl Lifetimes {
    /// When a session ends: the lifetimes may have become shorter since its end was stored.
    pub fn end_of(&self, session: &Session) -> DateTime<Utc> {
        self.session_end(session.kind, session.created_at, session.last_used_at)
            .min(session.expires_at)
    }

    /// # Errors
    /// Why it is not live, as [`Session::must_be_live`].
    pub fn must_be_live(&self, session: &Session, now: DateTime<Utc>) -> Result<(), SessionEnd> {
        if self.end_of(session) <= now {
            return Err(SessionEnd::Expired);
        }
        session.must_be_live(now)
    }

    /// The session, which is live, as it is stored after a use. What is stored as its end never comes before the end of
    /// tokens that were issued under longer lifetimes: whatever ends the sessions of a user would not find theirs.
    #[must_use]
    pub fn renew(&self, session: Session, now: DateTime<Utc>) -> Session {
        let issued_until = session.expires_at.min(now + ACCESS_TOKEN);
        let end = self.session_end(session.kind, session.created_at, now);
        let end = end.max(issued_until);
        Session {
            last_used_at: now,
            expires_at: session.must_end_at.map_or(end, |latest| end.min(latest)),
            ..session
        }
    }

    /// Whether a session was neither used nor reauthenticated for longer than allowed.
    pub fn is_idle(&self, session: &Session, now: DateTime<Utc>) -> bool {
        let last = session.proven_at.max(Some(session.last_used_at));
        let idle_since = last.zip(self.idle).map(|(last, idle)| last + idle.span());
        idle_since.is_some_and(|end| end <= now)
    }

    /// Whether a use of the session is to be stored: the stored one is older than the precision. A session ends an idle
    /// time after the stored use, so it may end a seventh of that time too soon, and never ends too late.
    pub fn is_use_outdated(&self, session: &Session, now: DateTime<Utc>) -> bool {
        let precision = self.idle.map(|idle| idle.span() / RENEWED_AFTER);
        session.last_used_at
            + precision.map_or(LAST_USED_PRECISION, |idle| idle.min(LAST_USED_PRECISION))
            <= now
    }

    /// When a token expires that is issued `now`: never after its session ends, used or not.
    pub fn token_expiry(&self, now: DateTime<Utc>, session: &Session) -> DateTime<Utc> {
        (now + self.token.span()).min(self.end_of(session))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::lifetimes::tests::lifetimes;
    use crate::domain::{SessionId, SessionKind, UserId};

    fn session(kind: SessionKind, now: DateTime<Utc>, lifetimes: &Lifetimes) -> Session {
        Session {
            id: SessionId::new(now, [0; 10]),
            kind,
            user_id: UserId::NIL,
            organization_id: None,
            device: None,
            address: None,
            created_at: now,
            last_used_at: now,
            expires_at: lifetimes.session_end(kind, now, now),
            is_revoked: false,
            proven_at: None,
            must_end_at: None,
        }
    }

    #[test]
    fn a_session_ends_by_age_or_without_use() {
        let now = DateTime::UNIX_EPOCH;
        let rules = lifetimes("1h", "1d", Some("2h"));
        let began = session(SessionKind::Jwt, now, &rules);
        assert_eq!(rules.end_of(&began), now + TimeDelta::hours(2));
        assert_eq!(rules.token_expiry(now, &began), now + TimeDelta::hours(1));
        let used = rules.renew(began, now + TimeDelta::hours(23));
        assert_eq!(rules.end_of(&used), now + TimeDelta::days(1));
        let late = now + TimeDelta::minutes(23 * 60 + 30);
        assert_eq!(rules.token_expiry(late, &used), now + TimeDelta::days(1));
        assert_eq!(rules.must_be_live(&used, late), Ok(()));
        let stricter = lifetimes("1h", "12h", None);
        assert_eq!(stricter.must_be_live(&used, late), Err(SessionEnd::Expired));
        let laxer = lifetimes("1h", "90d", None);
        assert_eq!(laxer.end_of(&used), now + TimeDelta::days(1));
        assert_eq!(
            laxer.renew(used, late).expires_at,
            now + TimeDelta::days(90)
        );
        let token = session(SessionKind::Token, now, &laxer);
        assert_eq!(token.expires_at, now + TimeDelta::days(30));
    }

    #[test]
    fn the_stored_end_never_comes_before_that_of_a_token_issued_before() {
        let now = DateTime::UNIX_EPOCH;
        let rules = lifetimes("7d", "90d", None);
        let began = session(SessionKind::Jwt, now, &rules);
        let issued = rules.token_expiry(now, &began);
        let strict = lifetimes("7d", "1d", Some("1h"));
        let used = strict.renew(began, now + TimeDelta::minutes(30));
        assert!(used.expires_at >= issued);
        assert_eq!(strict.end_of(&used), now + TimeDelta::minutes(90));
        let again = strict.renew(used.clone(), now + TimeDelta::minutes(60));
        assert_eq!(
            again.expires_at,
            used.expires_at
                .min(now + TimeDelta::minutes(60) + ACCESS_TOKEN)
        );
        assert!(again.expires_at >= issued);
    }

    #[test]
    fn no_use_extends_a_session_beyond_the_end_it_must_have() {
        let now = DateTime::UNIX_EPOCH;
        let rules = lifetimes("7d", "90d", None);
        let latest = now + TimeDelta::days(2);
        let mut session = session(SessionKind::Jwt, now, &rules);
        session.must_end_at = Some(latest);
        session = rules.renew(session, now);
        for day in 0..2 {
            let now = now + TimeDelta::days(day);
            session = rules.renew(session, now);
            assert_eq!(rules.end_of(&session), latest);
            assert_eq!(rules.token_expiry(now, &session), latest);
        }
        let stricter = lifetimes("7d", "1d", None);
        assert_eq!(stricter.end_of(&session), now + TimeDelta::days(1));
    }

    #[test]
    fn a_use_is_stored_and_a_cookie_renewed_before_the_session_ends() {
        let now = DateTime::UNIX_EPOCH;
        for (idle, use_after, cookie_after) in
            [(None, 5, 1440), (Some("14h"), 5, 120), (Some("7m"), 1, 1)]
        {
            let rules = lifetimes("7d", "90d", idle);
            let session = session(SessionKind::Jwt, now, &rules);
            let at = |minutes| now + TimeDelta::minutes(minutes);
            let just_before = |minutes| at(minutes) - TimeDelta::seconds(1);
            assert!(rules.is_use_outdated(&session, at(use_after)), "{idle:?}");
            assert!(
                !rules.is_use_outdated(&session, just_before(use_after)),
                "{idle:?}"
            );
            assert!(rules.is_cookie_outdated(now, at(cookie_after)), "{idle:?}");
            assert!(
                !rules.is_cookie_outdated(now, just_before(cookie_after)),
                "{idle:?}"
            );
        }
        assert!(lifetimes("7m", "90d", None).is_cookie_outdated(now, now + TimeDelta::minutes(1)));
    }
}
