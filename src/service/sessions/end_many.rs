//! Ends many sessions of a user at once.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::person::MOST_SESSIONS;
use crate::domain::webhook_event::EndedSessions;
use crate::domain::{Happened, Lifetimes, OrganizationId, SessionId, UserId, lifetimes};
use crate::service::Result;
use crate::service::unit_of_work::UnitOfWork;
use crate::store::sessions::{self, UnrevokedSession, Which};
use crate::store::{Tx, legacy_sessions, memberships, outdated, users};

/// Ends the user's sessions, except one, and those in systems that they came from.
pub(in crate::service) fn end_other_sessions(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    except: SessionId,
) -> Result<()> {
    legacy_sessions::end_all_of(unit.tx, user_id, unit.now)?;
    let which = Which::Others(except);
    let others = sessions::list_live(unit.tx, user_id, which, MOST_SESSIONS + 1, unit.now)?;
    if is_too_many(&others) {
        let checked_until = unit.now + lifetimes::ACCESS_TOKEN;
        users::raise_session_version(unit.tx, user_id, checked_until)?;
        sessions::raise_version(unit.tx, except)?;
        // Services that verify tokens themselves do not know of the sessions' version.
        let outdated = outdated::outdate(unit.tx, user_id)?;
        unit.outdated(outdated);
        unit.has_happened(Happened::SessionsEnded(
            user_id,
            EndedSessions::AllBut(except),
        ));
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

/// Marks sessions as ended that have ended by these lifetimes of the organization, so that longer ones do not revive
/// them. At most `batch`; returns whether there may be more.
pub(in crate::service) fn close_ended_in(
    unit: &mut UnitOfWork<'_, '_>,
    organization_id: OrganizationId,
    lifetimes: Lifetimes,
    batch: u32,
) -> Result<bool> {
    let before = lifetimes.ended_before(unit.now);
    let ended = sessions::list_ended_in(unit.tx, organization_id, before, batch)?;
    let ids: Vec<SessionId> = ended.iter().map(|(_, id, _)| *id).collect();
    sessions::close(unit.tx, &ids, unit.now)?;
    let mut announced = 0;
    for (user_id, id, last_used_at) in ended {
        if may_have_token(last_used_at, unit.now) {
            unit.sessions_ended(user_id, [id]);
            announced += 1;
        }
    }
    if announced > 0 {
        let event = unit.event(Action::SessionEnded).about(None);
        let detail = json!({"expired": announced});
        unit.record(event.within(organization_id).detail(detail))?;
    }
    Ok(ids.len() == batch as usize)
}

/// Whether a token of a session that was last used then may still be valid.
fn may_have_token(last_used_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - lifetimes::ACCESS_TOKEN - lifetimes::LAST_USED_PRECISION < last_used_at
}

/// The sessions of a user that a limit of so many may end, at most `batch` of them, and whether there may be more.
pub(in crate::service) fn open_sessions(
    tx: &mut Tx<'_>,
    user_id: UserId,
    limit: u32,
    batch: u32,
) -> Result<(Vec<UnrevokedSession>, bool)> {
    let most = 2 * limit + batch;
    let open = sessions::list_unrevoked(tx, user_id, most)?;
    let has_more = open.len() == most as usize;
    Ok((open, has_more))
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
    let (open, mut has_more) = open_sessions(unit.tx, user_id, limit, batch)?;
    let begins = |locked| u32::from(beginning.is_some_and(|new| new.is_locked == locked));
    let (mut kept, mut kept_locked) = (begins(false), begins(true));
    let (mut closed, mut ended, mut announced) = (Vec::new(), 0_u32, Vec::new());
    for row in &open {
        let is_live = row.end.is_live(unit.lifetimes, unit.now);
        if is_live {
            let kept = if row.is_locked {
                &mut kept_locked
            } else {
                &mut kept
            };
            if *kept < limit {
                *kept += 1;
                continue;
            }
            if ended == batch {
                has_more = true;
                break;
            }
            ended += 1;
        }
        closed.push(row.id);
        let has_expired = row.end.expires_at <= unit.now;
        if !has_expired && !row.is_locked && may_have_token(row.end.last_used_at, unit.now) {
            announced.push(row.id);
        }
    }
    if !closed.is_empty() {
        sessions::close(unit.tx, &closed, unit.now)?;
    }
    if ended > 0 || !announced.is_empty() {
        unit.sessions_ended(user_id, announced);
        let organization_id = match beginning {
            Some(new) => new.organization_id,
            None => memberships::first_of_user(unit.tx, user_id)?,
        };
        let event = unit.event(Action::SessionEnded).about(user_id);
        let detail = match ended {
            0 => json!({"expired": closed.len()}),
            _ => json!({"sessions": ended, "sessionsPerUser": limit}),
        };
        unit.record(event.within(organization_id).detail(detail))?;
    }
    Ok(has_more)
}
