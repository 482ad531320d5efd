//! What a session token's holder is told about the session.

use crate::service::{Caller, Error, Profile, Result, Services};
use crate::store::Tx;
use crate::store::tenants::{self, Tenant};

/// The person and the organization that the session speaks for.
pub struct View {
    pub profile: Profile,
    pub tenant: Tenant,
}

impl View {
    pub(in crate::service) fn of(tx: &mut Tx<'_>, profile: Profile) -> Result<Self> {
        let tenant = tenants::find(tx, profile.organization_id)?;
        Ok(Self {
            tenant: tenant.ok_or(Error::TokenRevoked)?,
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
