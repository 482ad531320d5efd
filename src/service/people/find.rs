//! One person.

use super::{Person, reach};
use crate::domain::{Deed, UserId};
use crate::service::{Caller, Result, Services};

/// # Errors
/// `UserNotFound` for who is no member of the caller's organization, `Forbidden` beyond the caller's scope.
pub async fn find_person(services: &Services, caller: &Caller, user_id: UserId) -> Result<Person> {
    let caller = caller.clone();
    services
        .store
        .read(move |tx| reach(tx, &caller, user_id, &[Deed::See]))
        .await
}
