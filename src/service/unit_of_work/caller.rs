//! Who is asking, as they were when the head of their request arrived.

use std::net::IpAddr;

use crate::domain::{ApiTokenId, OrganizationId, Role, SessionId};
use crate::service::{Error, Profile, RequestContext, Result};

/// Who is asking, as the database (not the token) describes them.
///
/// This is what they were when the request began, good for reading. To write on their behalf a verb opens
/// [`write_as`](crate::service::Services::write_as), and there is no way around it: the request's context is in here
/// and comes out for nobody else.
#[derive(Debug, Clone)]
pub struct Caller {
    pub profile: Profile,
    pub credential: Credential,
    /// The user's `ver` that the credential was judged by.
    pub(super) token_version: i32,
    /// They may lack the second factor that their organization requires, because they come to enrol it.
    pub(super) may_lack_second_factor: bool,
    pub(super) context: RequestContext,
}

/// What the caller proved themselves with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    Session(SessionId),
    /// Held by a service; nobody is sitting there.
    ApiToken(ApiTokenId),
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

    /// The session of somebody who signed in.
    ///
    /// # Errors
    /// `Forbidden` for a service: what a person does with their own account is not for it.
    pub fn session_id(&self) -> Result<SessionId> {
        match self.credential {
            Credential::Session(id) => Ok(id),
            Credential::ApiToken(_) => Err(Error::Forbidden),
        }
    }

    /// A token speaks for one organization: every other one is not there, whoever asks.
    ///
    /// # Errors
    /// `OrganizationNotFound`.
    pub(in crate::service) fn must_speak_for(&self, id: OrganizationId) -> Result<()> {
        if self.profile.organization_id == id {
            Ok(())
        } else {
            Err(Error::OrganizationNotFound)
        }
    }

    /// The role, or one above it. For reading; a write asks the [`Actor`](super::Actor).
    ///
    /// # Errors
    /// `Forbidden`.
    pub(in crate::service) fn must_be(&self, role: Role) -> Result<()> {
        if self.profile.role >= role {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }
}
