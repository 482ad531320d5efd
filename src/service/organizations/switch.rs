//! One more organization for somebody who is signed in.

use chrono::{DateTime, Utc};

use crate::crypto::opaque::Opaque;
use crate::domain::audit::{Action, AuditEntry};
use crate::domain::{
    Change, Membership, OrganizationId, Role, Session, SessionId, User, UserId, lifetimes,
};
use crate::service::mfa::{self, PendingSignIn, SecondFactor};
use crate::service::{
    Caller, Error, Profile, RequestContext, Result, Services, SignIn, record_changes,
};
use crate::store::{StoreError, Tx, Unique, audit, memberships, sessions, users};

/// The caller on their way into an organization, by a transaction of the verb that lets them in.
#[derive(Clone)]
pub(in crate::service) struct OrganizationSwitch {
    now: DateTime<Utc>,
    user_id: UserId,
    session_id: SessionId,
    second_factor_token: Opaque,
    entry: AuditEntry,
}

/// Somebody who is in.
pub(in crate::service) enum Switched {
    /// The session speaks for the organization from now on.
    Switched {
        session: Session,
        token_version: i32,
        profile: Profile,
    },
    /// It does not before the person has the second factor that the organization wants.
    Waiting(SecondFactor),
}

impl OrganizationSwitch {
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
    pub fn lock_user(&self, tx: &mut Tx<'_>) -> Result<User> {
        users::lock_account(tx, self.user_id)?
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
    ) -> Result<Switched> {
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

    fn switch(&self, tx: &mut Tx<'_>, user: &User, to: &Membership) -> Result<Switched> {
        let half = PendingSignIn {
            user_id: to.user_id,
            organization_id: to.organization_id,
        };
        let token = self.second_factor_token.clone();
        if let Some(wanted) = mfa::enrolment_needed(tx, token, half, self.now)? {
            return Ok(Switched::Waiting(wanted));
        }
        if !sessions::touch(tx, self.session_id, to.organization_id, self.now)? {
            return Err(Error::TokenRevoked);
        }
        Ok(Switched::Switched {
            session: sessions::find(tx, self.session_id)?.ok_or(Error::TokenRevoked)?,
            token_version: user.token_version,
            profile: Profile::of(user, to),
        })
    }

    /// Tells this instance, once the transaction is kept.
    pub fn conclude(&self, services: &Services, entered: Switched) -> SignIn {
        let until = self.now + lifetimes::ACCESS_TOKEN;
        services.revocations.apply(&self.changes(), until);
        match entered {
            Switched::Switched {
                session,
                token_version,
                profile,
            } => SignIn::Complete(services.tokens.issue(
                self.now,
                &session,
                token_version,
                profile,
            )),
            Switched::Waiting(second_factor) => SignIn::SecondFactor(second_factor),
        }
    }
}

/// A place in an organization, under nobody.
///
/// # Errors
/// `AlreadyMember`.
pub(in crate::service) fn admit(
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
