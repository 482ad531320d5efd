//! The caller, checked again within the transaction. Only this file decides whether they may still act.

use std::ops::Deref;

use chrono::{DateTime, Utc};

use super::{Caller, Credential, Event, MemberCaller, UnitOfWork, recent_rows};
use crate::domain::audit::{Action, Method};
use crate::domain::{
    ActiveOrganization, ApiToken, Membership, OrganizationId, Role, Session, SessionId, User,
    UserId,
};
use crate::service::{Error, Profile, Result};
use crate::store::users::Account;
use crate::store::{Tx, api_tokens, memberships, organizations, sessions, totp, users};

/// The caller as they are in this transaction. Their account, credential and membership are locked until it ends, so
/// that a concurrent change comes either before it and is seen here, or after it.
pub struct Actor {
    pub account: Account,
    /// With their effective role: the membership's, or a lower one of their API token.
    organization: Option<ActiveOrganization>,
    proof: Proof,
}

/// An actor in an organization, of a [`MemberCaller`].
pub struct MemberActor {
    actor: Actor,
    /// With their effective role.
    organization: ActiveOrganization,
}

/// A caller who can be checked again within a transaction, and what they are there.
pub trait Acting: Clone + Send + 'static {
    type Actor: Send + Sync + 'static;

    fn caller(&self) -> &Caller;

    /// # Errors
    /// `TokenRevoked` if they have no organization but need one.
    fn act(&self, actor: Actor) -> Result<Self::Actor>;
}

impl Acting for Caller {
    type Actor = Actor;

    fn caller(&self) -> &Caller {
        self
    }

    fn act(&self, actor: Actor) -> Result<Actor> {
        Ok(actor)
    }
}

impl Acting for MemberCaller {
    type Actor = MemberActor;

    fn caller(&self) -> &Caller {
        self
    }

    fn act(&self, actor: Actor) -> Result<MemberActor> {
        Ok(MemberActor {
            organization: actor.organization.ok_or(Error::TokenRevoked)?,
            actor,
        })
    }
}

impl Deref for MemberActor {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.actor
    }
}

impl MemberActor {
    pub fn organization_id(&self) -> OrganizationId {
        self.organization.id
    }

    pub fn role(&self) -> Role {
        self.organization.role
    }

    /// Requires the role or a higher one.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn must_be(&self, role: Role) -> Result<()> {
        if self.role() >= role {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }
}

enum Proof {
    Session(Session),
    ApiToken,
}

/// What the database has of a caller.
struct Rows {
    account: Option<Account>,
    membership: Option<Membership>,
    credential: Option<CredentialRow>,
}

enum CredentialRow {
    Session(Session),
    ApiToken(ApiToken),
}

impl Rows {
    fn lock(tx: &mut Tx<'_>, caller: &Caller) -> Result<Self> {
        let user_id = caller.profile.id;
        Ok(Self {
            account: users::lock_account(tx, user_id)?,
            membership: match caller.profile.organization {
                Some(organization) => memberships::lock(tx, user_id, organization.id)?,
                None => None,
            },
            credential: match caller.credential {
                Credential::Session(id) => sessions::lock_open(tx, id)?.map(CredentialRow::Session),
                Credential::ApiToken(id) => api_tokens::lock(tx, id)?.map(CredentialRow::ApiToken),
            },
        })
    }

    fn read(tx: &mut Tx<'_>, caller: &Caller) -> Result<Self> {
        let user_id = caller.profile.id;
        Ok(Self {
            account: users::find_account(tx, user_id)?,
            membership: match caller.profile.organization {
                Some(organization) => memberships::find(tx, user_id, organization.id)?,
                None => None,
            },
            credential: match caller.credential {
                Credential::Session(id) => sessions::find(tx, id)?.map(CredentialRow::Session),
                Credential::ApiToken(id) => api_tokens::find(tx, id)?.map(CredentialRow::ApiToken),
            },
        })
    }
}

impl Actor {
    pub(super) fn lock(unit: &mut UnitOfWork<'_, '_>, caller: &Caller) -> Result<Self> {
        let now = unit.now;
        unit.tx.ahead(|tx| {
            let rows = Rows::lock(tx, caller);
            let organization = caller.profile.organization;
            let rules = organization.map(|it| organizations::rules(tx, it.id));
            (rows, rules, recent_rows(tx, caller.profile.id, now))
        });
        let rows = Rows::lock(unit.tx, caller)?;
        let actor = Self::judge(unit.tx, rows, caller, unit.now)?;
        unit.template = actor.template();
        Ok(actor)
    }

    pub(super) fn lock_with_organization(
        unit: &mut UnitOfWork<'_, '_>,
        caller: &MemberCaller,
        subjects: impl IntoIterator<Item = UserId>,
    ) -> Result<Self> {
        organizations::lock(unit.tx, caller.organization.id)?.ok_or(Error::TokenRevoked)?;
        let accounts: Vec<UserId> = subjects.into_iter().chain([caller.profile.id]).collect();
        users::lock_accounts(unit.tx, &accounts)?;
        Self::lock(unit, caller)
    }

    /// As [`lock`](Self::lock) without the locks, for those who only read.
    pub(super) fn read(tx: &mut Tx<'_>, caller: &Caller, now: DateTime<Utc>) -> Result<Self> {
        tx.ahead(|tx| {
            let rows = Rows::read(tx, caller);
            let organization = caller.profile.organization;
            (rows, organization.map(|it| organizations::rules(tx, it.id)))
        });
        let rows = Rows::read(tx, caller)?;
        Self::judge(tx, rows, caller, now)
    }

    fn judge(tx: &mut Tx<'_>, rows: Rows, caller: &Caller, now: DateTime<Utc>) -> Result<Self> {
        let account = rows
            .account
            .filter(|account| account.user.disabled_at.is_none())
            .ok_or(Error::TokenRevoked)?;
        let membership = rows.membership;
        if membership.is_none() && caller.profile.organization.is_some() {
            return Err(Error::TokenRevoked);
        }
        let mut organization = membership.as_ref().map(ActiveOrganization::from);
        let proof = match rows.credential.ok_or(Error::TokenRevoked)? {
            CredentialRow::Session(session) => {
                session.must_be_live(now)?;
                if caller.token_version != account.user.token_version {
                    return Err(Error::TokenRevoked);
                }
                Proof::Session(session)
            }
            CredentialRow::ApiToken(token) => {
                if token.revoked_at.is_some() {
                    return Err(Error::TokenRevoked);
                }
                if token.is_expired(now) {
                    return Err(Error::TokenExpired);
                }
                let membership = membership.as_ref().ok_or(Error::TokenRevoked)?;
                organization = Some(ActiveOrganization {
                    role: token.role_under(membership),
                    ..ActiveOrganization::from(membership)
                });
                Proof::ApiToken
            }
        };
        if let Some(organization) = organization
            && !caller.may_lack_second_factor
            && organizations::requires_mfa(tx, organization.id)?
            && !totp::is_enrolled(tx, account.user.id)?
        {
            return Err(Error::MfaEnrolmentRequired);
        }
        Ok(Self {
            account,
            organization,
            proof,
        })
    }

    /// By default, an event is about the actor themselves, in their organization.
    fn template(&self) -> Event {
        Event {
            action: Action::Login,
            ..Event::empty()
        }
        .own(self.id())
        .within(self.organization.map(|organization| organization.id))
        .by(match self.proof {
            Proof::Session(_) => Method::Session,
            Proof::ApiToken => Method::ApiToken,
        })
    }

    pub fn id(&self) -> UserId {
        self.account.user.id
    }

    pub fn user(&self) -> &User {
        &self.account.user
    }

    /// The user, and the organization they act in.
    pub fn profile(&self) -> Profile {
        Profile {
            organization: self.organization,
            ..Profile::of(self.user(), None)
        }
    }

    pub fn is_service(&self) -> bool {
        matches!(self.proof, Proof::ApiToken)
    }

    /// The session of a signed-in user.
    ///
    /// # Errors
    /// `Forbidden` for a service, which may not act on the account of its token's creator.
    pub fn session(&self) -> Result<&Session> {
        match &self.proof {
            Proof::Session(session) => Ok(session),
            Proof::ApiToken => Err(Error::Forbidden),
        }
    }

    /// # Errors
    /// As [`session`](Self::session).
    pub fn session_id(&self) -> Result<SessionId> {
        self.session().map(|session| session.id)
    }

    /// Requires that the user proved who they are within the last fifteen minutes, for whatever a thief of the token
    /// could use to stay or to take the account over (OWASP ASVS 5.0, 7.5.1 and 7.5.3).
    ///
    /// # Errors
    /// `Forbidden` for a service; `ReauthenticationRequired`.
    pub fn must_be_fresh(&self, now: DateTime<Utc>) -> Result<()> {
        if self.session()?.is_fresh(now) {
            Ok(())
        } else {
            Err(Error::ReauthenticationRequired)
        }
    }
}
