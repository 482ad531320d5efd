//! Lists the caller's sessions.

use crate::domain::Session;
use crate::service::{Caller, Error, Result, Services};
use crate::store::sessions;

/// The caller's live sessions of every kind, newest first.
pub async fn list_sessions(services: &Services, caller: &Caller) -> Result<Vec<Session>> {
    let (user_id, now) = (caller.profile.id, services.now());
    services
        .store
        .read(caller, move |tx| {
            sessions::list_live_of_user(tx, user_id, now).map_err(Error::from)
        })
        .await
}
