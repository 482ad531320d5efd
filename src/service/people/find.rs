//! Reads one user.

use crate::domain::{Permission, UserId};
use crate::service::people::{Person, reach};
use crate::service::{Caller, Result, Services};

/// # Errors
/// `UserNotFound` for users who are not members of the caller's organization, `Forbidden` beyond the caller's scope.
pub async fn find_person(services: &Services, caller: &Caller, user_id: UserId) -> Result<Person> {
    let judged = caller.clone();
    services
        .store
        .read(caller, move |tx| {
            reach(tx, &judged, user_id, &[Permission::See])
        })
        .await
}
