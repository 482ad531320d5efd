//! Finishes in small steps what ended with one row: sessions above the limit, ended ones, those of deleted accounts.

use std::collections::BTreeMap;

use crate::domain::UserId;
use crate::service::sessions::end_many::end_excess;
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::{Requester, audit, sessions, users};

/// How many rows are read at once: more than a user may have.
const READ: u32 = 5000;

/// How many rows are changed at once.
const BATCH: u32 = 500;

/// Marks sessions as ended that have expired, by the lifetimes of now, or ended with all of their user's, and ends
/// those above `SESSIONS_PER_USER`.
///
/// # Errors
/// When the database fails.
pub async fn close_ended(services: &Services) -> Result<()> {
    let context = RequestContext::housekeeping(services);
    let mut after = UserId::NIL;
    loop {
        let now = services.now();
        let rows = services
            .store
            .read(Requester::HOUSEKEEPING, move |tx| {
                sessions::list_open_after(tx, after, READ)
            })
            .await?;
        let is_last = rows.len() < READ as usize;
        // By user, how many rows there are, and how many of them are live.
        let mut users: BTreeMap<UserId, (usize, usize)> = BTreeMap::new();
        for row in rows {
            let (open, live) = users.entry(row.user_id).or_default();
            let is_live = !row.is_revoked && row.end.is_live(services.lifetimes, now);
            *open += 1;
            *live += usize::from(is_live);
        }
        // Some rows of the last one may not have been read.
        if !is_last && users.len() > 1 {
            users.pop_last();
        }
        for (user_id, (open, live)) in users {
            after = user_id;
            if live < open || live > services.sessions_per_user as usize {
                while close_some(services, &context, user_id).await? {}
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

async fn close_some(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
) -> Result<bool> {
    services
        .write(context, move |unit| {
            users::lock_account(unit.tx, user_id)?;
            let outdated = sessions::list_outdated(unit.tx, user_id, BATCH)?;
            sessions::close(unit.tx, &outdated, unit.now)?;
            let has_more = end_excess(unit, user_id, None, BATCH)?;
            unit.recorded_if_changed(has_more || outdated.len() == BATCH as usize)
        })
        .await
}

/// Deletes accounts that had too many sessions, or too many rows in the audit log, to be deleted at once.
///
/// # Errors
/// When the database fails.
pub async fn delete_hidden_accounts(services: &Services) -> Result<()> {
    let mut is_done = false;
    while !is_done {
        is_done = services
            .store
            .maintain(|tx| {
                let Some(user_id) = users::find_hidden(tx)? else {
                    return Ok(true);
                };
                let deleted = sessions::delete_some(tx, user_id, BATCH)?;
                let cleared = audit::remove_origins(tx, user_id, BATCH)?;
                if deleted.max(cleared) < BATCH as usize {
                    users::delete_hidden(tx, user_id)?;
                }
                Ok::<_, Error>(false)
            })
            .await?;
    }
    Ok(())
}
