//! Reads one user.

use std::slice;

use crate::domain::{Permission, UserId};
use crate::service::people::{Person, complete, reach};
use crate::service::{MemberCaller, Result, Services};

/// # Errors
/// `UserNotFound` for users who are not members of the caller's organization, `Forbidden` beyond the caller's scope.
pub async fn find_person(
    services: &Services,
    caller: &MemberCaller,
    user_id: UserId,
) -> Result<Person> {
    let (judged, locks, now) = (caller.clone(), services.locks(), services.now());
    services
        .store
        .read(caller, move |tx| {
            let mut person = reach(tx, &judged, user_id, &[Permission::See])?;
            complete(tx, &judged, slice::from_mut(&mut person), &locks, now)?;
            Ok(person)
        })
        .await
}
