//! Ends many sessions of a user at once.

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::person::MOST_SESSIONS;
use crate::domain::{Change, OrganizationId, SessionId, UserId, lifetimes};
use crate::service::Result;
use crate::service::unit_of_work::UnitOfWork;
use crate::store::sessions::{self, Which};
use crate::store::{memberships, users};

/// Ends the user's sessions, except one.
pub(in crate::service) fn end_other_sessions(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    except: SessionId,
) -> Result<()> {
    let which = Which::Others(except);
    let others = sessions::list_live(unit.tx, user_id, which, MOST_SESSIONS + 1, unit.now)?;
    if is_too_many(&others) {
        let checked_until = unit.now + lifetimes::ACCESS_TOKEN;
        users::raise_session_version(unit.tx, user_id, checked_until)?;
        sessions::raise_version(unit.tx, except)?;
        unit.changed(Change::PersonChanged { user_id });
    } else {
        sessions::close(unit.tx, &others, unit.now)?;
        unit.sessions_ended(user_id, others);
    }
    Ok(())
}

/// Ends the user's sessions in an organization that they no longer belong to. Those in others continue, unless there
/// are too many.
pub(in crate::service) fn end_sessions_in(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    organization_id: OrganizationId,
) -> Result<()> {
    if memberships::first_of_user(unit.tx, user_id)?.is_none() {
        return Ok(unit.revoke_tokens(user_id)?);
    }
    unit.outdated(user_id)?;
    let which = Which::In(organization_id);
    let ended = sessions::list_live(unit.tx, user_id, which, MOST_SESSIONS + 1, unit.now)?;
    if is_too_many(&ended) {
        unit.revoke_tokens(user_id)?;
    } else {
        sessions::close(unit.tx, &ended, unit.now)?;
        unit.sessions_ended(user_id, ended);
    }
    Ok(())
}

fn is_too_many(ended: &[SessionId]) -> bool {
    ended.len() > MOST_SESSIONS as usize
}

/// A session that is about to begin.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Beginning {
    /// Whether its second factor is missing.
    pub is_locked: bool,
    pub organization_id: Option<OrganizationId>,
}

/// Ends the sessions of a user above `SESSIONS_PER_USER`, beginning with the one used longest ago, and marks expired
/// ones as ended. Those without their second factor are counted separately, so that a password alone ends no other
/// session. At most `batch` of them end; returns whether there may be more.
pub(in crate::service) fn end_excess(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    beginning: Option<Beginning>,
    batch: u32,
) -> Result<bool> {
    let limit = unit.sessions_per_user;
    let read = 2 * limit + batch;
    let open = sessions::list_unrevoked(unit.tx, user_id, read, unit.now)?;
    let begins = |locked| u32::from(beginning.is_some_and(|new| new.is_locked == locked));
    let (mut kept, mut kept_locked) = (begins(false), begins(true));
    let (mut closed, mut ended) = (Vec::new(), Vec::new());
    let mut has_more = open.len() == read as usize;
    for row in &open {
        if row.is_live {
            let kept = if row.is_locked {
                &mut kept_locked
            } else {
                &mut kept
            };
            if *kept < limit {
                *kept += 1;
                continue;
            }
            if ended.len() == batch as usize {
                has_more = true;
                break;
            }
            ended.push(row);
        }
        closed.push(row.id);
    }
    if !closed.is_empty() {
        sessions::close(unit.tx, &closed, unit.now)?;
    }
    if !ended.is_empty() {
        let unused_since = unit.now - lifetimes::ACCESS_TOKEN - lifetimes::LAST_USED_PRECISION;
        // Others have no token that is still valid.
        let with_tokens = ended
            .iter()
            .filter(|row| !row.is_locked && unused_since < row.last_used_at);
        unit.sessions_ended(user_id, with_tokens.map(|row| row.id));
        let organization_id = match beginning {
            Some(new) => new.organization_id,
            None => memberships::first_of_user(unit.tx, user_id)?,
        };
        let event = unit.event(Action::SessionEnded).about(user_id);
        let detail = json!({"sessions": ended.len(), "sessionsPerUser": limit});
        unit.record(event.within(organization_id).detail(detail))?;
    }
    Ok(has_more)
}
