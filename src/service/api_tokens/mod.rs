//! Tokens that services hold: each acts in the place of the person who made it, for one organization, and may do
//! no more than its own role and that person's present one.

mod authenticate;
mod create;
mod list;
mod revoke;

pub(in crate::service) use authenticate::authenticate;
pub use create::{CreateApiToken, CreatedApiToken, create_api_token};
pub use list::list_api_tokens;
pub use revoke::revoke_api_token;

use crate::domain::{Role, UserId, lifetimes};
use crate::service::{Caller, Error, Result, Services};
use crate::store::api_tokens;

/// Whose tokens the caller sees and revokes: everybody's (`None`) for an admin, else their own. Tokens are for
/// people: no service makes, sees or revokes any.
fn holder(caller: &Caller) -> Result<Option<UserId>> {
    caller.session_id()?;
    Ok((caller.profile.role < Role::Admin).then_some(caller.profile.id))
}

/// Deletes what was revoked or expired long ago.
///
/// # Errors
/// When the database cannot be written.
pub async fn purge_spent(services: &Services) -> Result<()> {
    let before = services.now() - lifetimes::SPENT_API_TOKEN;
    services
        .store
        .maintain(move |tx| api_tokens::delete_spent(tx, before).map_err(Error::from))
        .await?;
    Ok(())
}
