//! Taking up a sign-in again that was put aside, and finishing it.

use chrono::{DateTime, Utc};

use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Membership, OrganizationId, Session, User, UserId};
use crate::service::mfa::PendingSignIn;
use crate::service::sign_in::begin_session::{SignInNotice, begin_session};
use crate::service::{Error, Profile, RequestContext, Result, Services, SignedIn, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::{Tx, audit, memberships, users};

/// A token that somebody brings, and everything needed to finish its sign-in.
pub(in crate::service) struct Resume {
    token: String,
    purpose: Purpose,
    /// Without user and organization yet.
    session: Session,
    notice: SignInNotice,
    entry: AuditEntry,
    now: DateTime<Utc>,
}

/// Whose sign-in it is, as they are now. Their account is held.
pub(in crate::service) struct Found {
    pub user: User,
    pub membership: Membership,
}

impl Found {
    /// A line about something they did to themselves.
    pub fn audit(&self, entry: &AuditEntry) -> AuditEntry {
        AuditEntry {
            actor_id: Some(self.user.id),
            subject_id: Some(self.user.id),
            organization_id: Some(self.membership.organization_id),
            ..entry.clone()
        }
    }
}

/// A session that has begun.
pub(in crate::service) struct Begun {
    pub session: Session,
    token_version: i32,
    profile: Profile,
}

impl Resume {
    pub fn new(
        services: &Services,
        context: &RequestContext,
        now: DateTime<Utc>,
        token: &str,
        purpose: Purpose,
    ) -> Self {
        Self {
            token: token.to_owned(),
            purpose,
            session: services.new_session(context, now, UserId::NIL, OrganizationId::NIL),
            notice: services.sign_in_notice(now),
            entry: services.audit(context, now, Action::Login, Outcome::Ok),
            now,
        }
    }

    /// # Errors
    /// `InvalidOrExpiredToken`, also when the person may not sign in any more.
    pub fn find(&self, tx: &mut Tx<'_>) -> Result<Found> {
        let half = self.peek(tx)?;
        let user = users::lock_account(tx, half.user_id)?
            .map(|account| account.user)
            .filter(|user| user.disabled_at.is_none())
            .ok_or(Error::InvalidOrExpiredToken)?;
        // Whoever held the account until now may have used the token.
        self.peek(tx)?;
        let membership = memberships::list_of_user(tx, user.id)?
            .into_iter()
            .find(|membership| membership.organization_id == half.organization_id)
            .ok_or(Error::InvalidOrExpiredToken)?;
        Ok(Found { user, membership })
    }

    fn peek(&self, tx: &mut Tx<'_>) -> Result<PendingSignIn> {
        one_time::find(tx, &self.token, self.purpose, self.now)?.ok_or(Error::InvalidOrExpiredToken)
    }

    /// The line that the sign-in leaves.
    pub fn audit(&self, found: &Found) -> AuditEntry {
        found.audit(&self.entry)
    }

    /// Uses the token up and begins the session.
    ///
    /// # Errors
    /// `InvalidOrExpiredToken` for a token that was used up meanwhile.
    pub fn complete(self, tx: &mut Tx<'_>, found: &Found) -> Result<Begun> {
        one_time::redeem::<PendingSignIn>(tx, &self.token, self.purpose, self.now)?
            .ok_or(Error::InvalidOrExpiredToken)?;
        audit::insert(tx, &self.audit(found))?;
        let session = Session {
            user_id: found.user.id,
            organization_id: found.membership.organization_id,
            ..self.session
        };
        begin_session(tx, &session, self.notice)?;
        Ok(Begun {
            session,
            token_version: found.user.token_version,
            profile: Profile::of(&found.user, &found.membership),
        })
    }
}

impl Begun {
    pub fn issue(self, services: &Services, now: DateTime<Utc>) -> SignedIn {
        services
            .tokens
            .issue(now, &self.session, self.token_version, self.profile)
    }
}
