//! Lists the caller's sessions.

use crate::domain::page::{Page, PageRequest};
use crate::domain::{Session, SessionKey};
use crate::service::{Caller, Error, Result, Services};
use crate::store::sessions;

/// The caller's live sessions of every kind, newest first.
pub async fn list_sessions(
    services: &Services,
    caller: &Caller,
    request: PageRequest<SessionKey>,
) -> Result<Page<Session, SessionKey>> {
    let (user_id, now) = (caller.profile.id, services.now());
    let rows = services
        .store
        .read(caller, move |tx| {
            sessions::page(tx, user_id, &request, now).map_err(Error::from)
        })
        .await?;
    Ok(Page::of(rows, &request, |session: &Session| SessionKey {
        created_at: session.created_at,
        id: session.id,
    }))
}
