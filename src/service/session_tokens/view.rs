//! What a session token's holder is told about the session.

use crate::domain::Organization;
use crate::service::{Error, Profile, Result, Services};
use crate::store::{Tx, organizations};

/// The person and the organization that the session speaks for.
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
/// `TokenRevoked` when the organization is gone.
pub async fn view(services: &Services, profile: Profile) -> Result<View> {
    services.store.read(move |tx| View::of(tx, profile)).await
}
