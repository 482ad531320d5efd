//! What the holder of a session token sees of the session.

use crate::domain::Organization;
use crate::service::{Caller, Error, Profile, Result, Services};
use crate::store::{Tx, organizations};

/// The user and the organization of the session.
pub struct View {
    pub profile: Profile,
    pub organization: Organization,
}

impl View {
    pub(in crate::service) fn of(tx: &mut Tx<'_>, profile: Profile) -> Result<Self> {
        let organization = organizations::find(tx, profile.organization_id)?;
        Ok(Self {
            organization: organization.ok_or(Error::TokenRevoked)?,
            profile,
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
