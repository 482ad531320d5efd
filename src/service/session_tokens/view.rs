//! What the holder of a session token sees of the session.

use crate::domain::Organization;
use crate::service::{Error, Profile, Result, Services};
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
/// `TokenRevoked` if the organization was deleted.
pub async fn view(services: &Services, profile: Profile) -> Result<View> {
    services.store.read(move |tx| View::of(tx, profile)).await
}
