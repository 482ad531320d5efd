//! Lists a user's organizations.

use crate::domain::MyOrganization;
use crate::service::{Caller, Error, Result, Services};
use crate::store::memberships;

/// The caller's organizations with their role in each, the one joined first in front.
///
/// # Errors
/// `Forbidden` for a service.
pub async fn list_organizations(
    services: &Services,
    caller: &Caller,
) -> Result<Vec<MyOrganization>> {
    caller.session_id()?;
    let user_id = caller.profile.id;
    services
        .store
        .read(caller, move |tx| {
            memberships::my_organizations(tx, user_id).map_err(Error::from)
        })
        .await
}
