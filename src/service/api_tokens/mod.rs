//! API tokens for services. A token acts for its creator in one organization, with the lower of its role and the
//! creator's current one.

mod authenticate;
mod create;
pub mod end_with_sessions;
mod list;
mod revoke;

pub(in crate::service) use authenticate::{authenticate, identify};
pub use create::{CreateApiToken, CreatedApiToken, create_api_token};
pub use list::list_api_tokens;
pub use revoke::revoke_api_token;

use crate::domain::{Role, UserId};
use crate::service::{MemberCaller, Result};

/// Whose tokens the caller may see: everyone's (`None`) for an admin, otherwise their own. Services may not create, see
/// or revoke tokens.
fn holder(caller: &MemberCaller) -> Result<Option<UserId>> {
    caller.session_id()?;
    Ok((caller.organization.role < Role::Admin).then_some(caller.profile.id))
}
