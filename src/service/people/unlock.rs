//! Unlocks an account that wrong passwords have locked.

use crate::domain::audit::Action;
use crate::domain::{Permission, UserId};
use crate::service::limits::end_lock;
use crate::service::people::reach;
use crate::service::people::update::must_belong_only_here;
use crate::service::{Error, MemberCaller, Result, Services};

/// Ends the lock of the account. Failures still count for the addresses that they came from, so that repeated calls let
/// no one guess further.
///
/// # Errors
/// `UserNotFound` for users who are not members of the caller's organization; `Forbidden` for callers who are not
/// admins, for their own account, and for a service; `ReauthenticationRequired`; `MemberElsewhere` for users who belong
/// to another organization too.
pub async fn unlock_person(
    services: &Services,
    caller: &MemberCaller,
    user_id: UserId,
) -> Result<()> {
    services
        .administer(caller, Some(user_id), move |unit, actor| {
            let permissions = [Permission::See, Permission::Administer];
            let person = reach(unit.tx, actor, user_id, &permissions)?;
            actor.must_be_fresh(unit.now)?;
            if user_id == actor.id() {
                return Err(Error::Forbidden);
            }
            must_belong_only_here(unit, user_id)?;
            if end_lock(unit, &person.user)? {
                unit.record(unit.event(Action::AccountUnlocked).about(user_id))?;
            }
            unit.recorded_if_changed(())
        })
        .await
}
