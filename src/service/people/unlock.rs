//! Unlocks an account that wrong passwords have locked.

use crate::domain::audit::Action;
use crate::domain::{Permission, UserId};
use crate::service::limits::unlock_account;
use crate::service::people::reach;
use crate::service::{Caller, Result, Services};

/// Deletes the failures of the account, from every address.
///
/// # Errors
/// `UserNotFound` for users who are not members of the caller's organization, `Forbidden` for callers who are not
/// admins.
pub async fn unlock_person(services: &Services, caller: &Caller, user_id: UserId) -> Result<()> {
    services
        .administer(caller, Some(user_id), move |unit, actor| {
            let permissions = [Permission::See, Permission::Administer];
            let person = reach(unit.tx, actor, user_id, &permissions)?;
            if unlock_account(unit, &person.user)? {
                unit.record(unit.event(Action::AccountUnlocked).about(user_id))?;
            }
            unit.recorded_if_changed(())
        })
        .await
}
