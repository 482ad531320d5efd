//! The authenticated caller, as they were when the request arrived.

use std::net::IpAddr;
use std::ops::Deref;

use crate::domain::{ActiveOrganization, ApiTokenId, OrganizationId, Role, SessionId};
use crate::service::{Error, Profile, RequestContext, Result};
use crate::store::Requester;

/// The authenticated caller, as the database (not the token) describes them. They may act in no organization; a verb
/// that needs one takes a [`MemberCaller`].
///
/// This is their state when the request began, which suffices for reading. To write, a verb must use
/// [`write_as`](crate::service::Services::write_as): only that, and the limits, can read the request's context, which is
/// in here.
#[derive(Debug, Clone)]
pub struct Caller {
    pub profile: Profile,
    pub credential: Credential,
    /// The user's `ver` that the credential was checked with.
    pub(super) token_version: i32,
    /// They may lack the second factor that their organization requires, because they are about to enrol it.
    pub(super) may_lack_second_factor: bool,
    pub(super) context: RequestContext,
}

/// How the caller authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    Session(SessionId),
    /// Held by a service.
    ApiToken(ApiTokenId),
}

impl From<&Caller> for Requester {
    fn from(caller: &Caller) -> Self {
        match caller.profile.organization {
            Some(organization) => Self::member(organization.id, caller.profile.id),
            None => Self::from(&caller.context),
        }
    }
}

impl Caller {
    pub(in crate::service) fn new(
        profile: Profile,
        credential: Credential,
        token_version: i32,
        context: &RequestContext,
    ) -> Self {
        Self {
            profile,
            credential,
            token_version,
            may_lack_second_factor: false,
            context: context.clone(),
        }
    }

    pub(in crate::service) fn allowed_to_lack_second_factor(self) -> Self {
        Self {
            may_lack_second_factor: true,
            ..self
        }
    }

    /// The client's address, proxies accounted for.
    pub(in crate::service) fn address(&self) -> Option<IpAddr> {
        self.context.address
    }

    /// For `service::limits` only, which record their refusals whatever the caller may do.
    pub(in crate::service) fn context_of_limits(&self) -> &RequestContext {
        &self.context
    }

    /// The session of a signed-in user.
    ///
    /// # Errors
    /// `Forbidden` for a service, which may not act on the account of its token's creator.
    pub fn session_id(&self) -> Result<SessionId> {
        match self.credential {
            Credential::Session(id) => Ok(id),
            Credential::ApiToken(_) => Err(Error::Forbidden),
        }
    }
}

/// A caller who acts in an organization.
#[derive(Debug, Clone)]
pub struct MemberCaller {
    caller: Caller,
    pub organization: ActiveOrganization,
}

impl TryFrom<Caller> for MemberCaller {
    type Error = Error;

    /// # Errors
    /// `NoOrganization`.
    fn try_from(caller: Caller) -> Result<Self> {
        let organization = caller.profile.organization.ok_or(Error::NoOrganization)?;
        Ok(Self {
            caller,
            organization,
        })
    }
}

impl Deref for MemberCaller {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl From<&MemberCaller> for Requester {
    fn from(member: &MemberCaller) -> Self {
        Self::member(member.organization.id, member.profile.id)
    }
}

impl MemberCaller {
    /// A token is for one organization. Any other one is reported as missing, so that its existence does not show.
    ///
    /// # Errors
    /// `OrganizationNotFound`.
    pub(in crate::service) fn must_act_in(&self, id: OrganizationId) -> Result<()> {
        if self.organization.id == id {
            Ok(())
        } else {
            Err(Error::OrganizationNotFound)
        }
    }

    /// Requires the role or a higher one. For reading; a write checks the [`MemberActor`](super::MemberActor).
    ///
    /// # Errors
    /// `Forbidden`.
    pub(in crate::service) fn must_be(&self, role: Role) -> Result<()> {
        if self.organization.role >= role {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }
}
