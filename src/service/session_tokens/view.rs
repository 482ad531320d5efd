//! What the holder of a session token sees of the session.

use crate::domain::Organization;
use crate::service::{Caller, Error, Profile, Result, Services};
use crate::store::{Tx, organizations};

/// The user and the organization of the session, if they have one.
pub struct View {
    pub profile: Profile,
    pub organization: Option<Organization>,
}

impl View {
    pub(in crate::service) fn of(tx: &mut Tx<'_>, profile: Profile) -> Result<Self> {
        let organization = match profile.organization {
            None => None,
            Some(active) => Some(organizations::find(tx, active.id)?.ok_or(Error::TokenRevoked)?),
        };
        Ok(Self {
            profile,
            organization,
        })
    }
}

/// # Errors
/// `TokenRevoked` when the session has ended since the request began.
pub async fn view(services: &Services, caller: &Caller) -> Result<View> {
    services
        .read_as(caller, |tx, actor| View::of(tx, actor.profile()))
        .await
}
