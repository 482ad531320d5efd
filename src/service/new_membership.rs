//! One more organization for somebody who is signed in.

use chrono::{DateTime, Utc};

use super::mfa::{self, HalfSignedIn, SecondFactor};
use super::{Caller, Error, Profile, RequestContext, Result, Services, SignIn, record_changes};
use crate::crypto::opaque::Opaque;
use crate::domain::audit::{Action, AuditEntry};
use crate::domain::{
    Change, Membership, OrganizationId, Role, Session, SessionId, User, UserId, lifetimes,
};
use crate::store::{StoreError, Tx, Unique, audit, memberships, sessions, users};

/// The caller on their way into an organization, by a transaction of the verb that lets them in.
#[derive(Clone)]
pub(super) struct Entrance {
    now: DateTime<Utc>,
    user_id: UserId,
    session_id: SessionId,
    second_factor_token: Opaque,
    entry: AuditEntry,
}

/// Somebody who is in.
pub(super) enum Entered {
    /// The session speaks for the organization from now on.
    Switched {
        session: Session,
        ver: i32,
        profile: Profile,
    },
    /// It does not before the person has the second factor that the organization wants.
    Waiting(SecondFactor),
}

impl Entrance {
    /// # Errors
    /// `Forbidden` for a service.
    pub fn of(
        services: &Services,
        context: &RequestContext,
        caller: &Caller,
        now: DateTime<Utc>,
        action: Action,
    ) -> Result<Self> {
        Ok(Self {
            now,
            user_id: caller.profile.id,
            session_id: caller.session_id()?,
            second_factor_token: Opaque::new(services.random()),
            entry: services.audit_own(context, now, action, caller),
        })
    }

    fn changes(&self) -> [Change; 1] {
        let user_id = self.user_id;
        [Change::PersonChanged { user_id }]
    }

    /// The caller's account, kept as it is until the transaction ends.
    ///
    /// # Errors
    /// `TokenRevoked` when it was disabled or deleted meanwhile.
    pub fn hold_user(&self, tx: &mut Tx<'_>) -> Result<User> {
        users::hold_account(tx, self.user_id)?
            .map(|account| account.user)
            .filter(|user| user.disabled_at.is_none())
            .ok_or(Error::TokenRevoked)
    }

    /// # Errors
    /// `AlreadyMember`; `TokenRevoked` when the session has ended meanwhile.
    pub fn enter(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        organization_id: OrganizationId,
        role: Role,
    ) -> Result<Entered> {
        let membership = admit(tx, user.id, organization_id, role, self.now)?;
        let entered = self.switch(tx, user, &membership)?;
        audit::insert(
            tx,
            &AuditEntry {
                organization_id: Some(organization_id),
                ..self.entry.clone()
            },
        )?;
        record_changes(tx, &self.changes(), self.now)?;
        Ok(entered)
    }

    fn switch(&self, tx: &mut Tx<'_>, user: &User, to: &Membership) -> Result<Entered> {
        let half = HalfSignedIn {
            user_id: to.user_id,
            organization_id: to.organization_id,
        };
        let token = self.second_factor_token.clone();
        if let Some(wanted) = mfa::enrolment_needed(tx, token, half, self.now)? {
            return Ok(Entered::Waiting(wanted));
        }
        if !sessions::touch(tx, self.session_id, to.organization_id, self.now)? {
            return Err(Error::TokenRevoked);
        }
        Ok(Entered::Switched {
            session: sessions::find(tx, self.session_id)?.ok_or(Error::TokenRevoked)?,
            ver: user.ver,
            profile: Profile::of(user, to),
        })
    }

    /// Tells this instance, once the transaction is kept.
    pub fn conclude(&self, services: &Services, entered: Entered) -> SignIn {
        let until = self.now + lifetimes::ACCESS_TOKEN;
        services.feed.note(&self.changes(), until);
        match entered {
            Entered::Switched {
                session,
                ver,
                profile,
            } => SignIn::Complete(services.tokens.issue(self.now, &session, ver, profile)),
            Entered::Waiting(second_factor) => SignIn::SecondFactor(second_factor),
        }
    }
}

/// A place in an organization, under nobody.
///
/// # Errors
/// `AlreadyMember`.
pub(super) fn admit(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<Membership> {
    let membership = Membership {
        user_id,
        organization_id,
        role,
        manager_id: None,
    };
    memberships::insert(tx, &membership, now).map_err(|error| match error {
        StoreError::Taken(Unique::Membership) => Error::AlreadyMember,
        other => other.into(),
    })?;
    Ok(membership)
}
