//! Lists the caller's sessions.

use crate::domain::page::{Page, PageRequest};
use crate::domain::{Session, SessionKey};
use crate::service::sessions::lifetimes::still_live;
use crate::service::{Caller, Result, Services};
use crate::store::sessions;

/// The caller's live sessions of every kind, newest first. A page has fewer than asked for if lifetimes that became
/// shorter have ended some.
pub async fn list_sessions(
    services: &Services,
    caller: &Caller,
    request: PageRequest<SessionKey>,
) -> Result<Page<Session, SessionKey>> {
    let (user_id, now, instance) = (caller.profile.id, services.now(), services.lifetimes);
    services
        .store
        .read(caller, move |tx| {
            let rows = sessions::page(tx, user_id, &request, now)?;
            let page = Page::of(rows, &request, |session: &Session| SessionKey {
                created_at: session.created_at,
                id: session.id,
            });
            let items = still_live(tx, instance, user_id, page.items, now)?;
            Ok(Page { items, ..page })
        })
        .await
}
