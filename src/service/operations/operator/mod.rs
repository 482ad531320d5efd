//! What the operator does from the command line, without permission checks.

mod accounts;
mod export_people;
mod legacy_sessions;
mod memberships;
mod organizations;
mod services;
mod sessions;
mod users;

pub use accounts::{
    Disabled, delete_user, disable_user, enable_user, export_user, reset_link, set_email,
    set_password, unlink_identities, unlock_user, verify_user,
};
pub use export_people::{ExportError, export_people};
pub use legacy_sessions::{ImportedSessions, StoredSession, import_sessions};
pub use memberships::{join, move_member, set_role};
pub use organizations::{
    count_open_organizations, create_organization, delete_organization, find_organization,
    list_organizations, set_policy,
};
pub use services::{AddedKey, Removed, add_service_key, list_services, remove_service};
pub use sessions::{end_all_sessions, end_session, list_sessions};
pub use users::{CreateUser, Identifier, create_user, find_user, list_users};

use crate::domain::{OrganizationId, User, UserId};
use crate::service::unit_of_work::{Finished, LockedOrganizations, UnitOfWork};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::users::Account;
use crate::store::{self, Tx};

/// How often to try again when somebody joins an organization meanwhile.
const ATTEMPTS: usize = 8;

/// Writes to an account, which is locked after its organizations and `more`.
///
/// # Errors
/// `UserNotFound`, `OrganizationNotFound`, and those of `work`.
async fn change_account<T: Send + 'static>(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
    more: &[OrganizationId],
    work: impl FnOnce(&mut UnitOfWork<'_, '_>, Account) -> Result<Finished<T>> + Clone + Send + 'static,
) -> Result<T> {
    for _ in 0..ATTEMPTS {
        let (more, work) = (more.to_vec(), work.clone());
        let changed = services
            .operate(context, move |unit| {
                let locked = LockedOrganizations::of(unit, user_id, &more)?;
                let account =
                    store::users::lock_account(unit.tx, user_id)?.ok_or(Error::UserNotFound)?;
                locked.must_be_all_of(unit, user_id)?;
                work(unit, account)
            })
            .await;
        if !matches!(changed, Err(Error::Conflict)) {
            return changed;
        }
    }
    Err(Error::Busy("people who join while an account is changed"))
}

/// The user as they are after a change.
fn reread(tx: &mut Tx<'_>, user_id: UserId) -> Result<User> {
    store::users::find(tx, user_id)?.ok_or(Error::UserNotFound)
}
