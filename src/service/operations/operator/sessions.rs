//! A user's sessions, listed and ended by the operator.

use super::change_account;
use crate::domain::page::PageRequest;
use crate::domain::person::MOST_SESSIONS;
use crate::domain::{Session, SessionId, SessionKey, UserId};
use crate::service::api_tokens::end_with_sessions::Ending;
use crate::service::sessions::end_session::end_session_of;
use crate::service::sessions::lifetimes::still_live;
use crate::service::sessions::logout::end_all_sessions_of;
use crate::service::{RequestContext, Result, Services};
use crate::store::{Requester, sessions};

/// The user's live sessions of every kind, newest first.
pub async fn list_sessions(services: &Services, user_id: UserId) -> Result<Vec<Session>> {
    let (now, instance) = (services.now(), services.lifetimes);
    services
        .store
        .read(Requester::OPERATOR, move |tx| {
            let mut listed: Vec<Session> = Vec::new();
            loop {
                let after = listed.last().map(|session| SessionKey {
                    created_at: session.created_at,
                    id: session.id,
                });
                let limit = u8::MAX;
                let request = PageRequest { after, limit };
                let page = sessions::page(tx, user_id, &request, now)?;
                let has_more = page.len() > usize::from(limit);
                listed.extend(page);
                if !has_more {
                    return still_live(tx, instance, user_id, listed, now);
                }
            }
        })
        .await
}

/// # Errors
/// `SessionNotFound` for a session that is not the user's or has already ended; `UserNotFound`.
pub async fn end_session(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
    session_id: SessionId,
) -> Result<()> {
    change_account(services, context, user_id, &[], move |unit, _| {
        end_session_of(unit, user_id, session_id)
    })
    .await
}

/// Ends every session of the user with the API tokens it made, and revokes every access token issued so far. Returns
/// the sessions it ended; of more than a thousand, those used last.
///
/// # Errors
/// `UserNotFound`.
pub async fn end_all_sessions(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
) -> Result<Vec<SessionId>> {
    change_account(services, context, user_id, &[], move |unit, _| {
        let sessions = sessions::list_unrevoked(unit.tx, user_id, MOST_SESSIONS)?;
        let (instance, now) = (unit.lifetimes, unit.now);
        let live = sessions
            .iter()
            .filter(|session| session.end.is_live(instance, now));
        let ended = live.map(|session| session.id).collect();
        end_all_sessions_of(unit, user_id, Ending::MadeBySessions)?;
        unit.recorded(ended)
    })
    .await
}
