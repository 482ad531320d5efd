//! Ends one of the caller's sessions.

use crate::domain::audit::Action;
use crate::domain::{SessionId, UserId};
use crate::service::api_tokens::end_with_sessions::end_made_by;
use crate::service::unit_of_work::{Finished, UnitOfWork};
use crate::service::{Caller, Error, Result, Services};
use crate::store::sessions;

/// # Errors
/// `SessionNotFound` for a session that is not the caller's or has already ended; `Forbidden` for a service.
pub async fn end_session(
    services: &Services,
    caller: &Caller,
    session_id: SessionId,
) -> Result<()> {
    caller.session_id()?;
    services
        .write_as(caller, move |unit, actor| {
            end_session_of(unit, actor.id(), session_id)
        })
        .await
}

/// Ends a session of this user, and the API tokens that it made, and records it.
///
/// # Errors
/// `SessionNotFound` for a session that is not theirs or has already ended.
pub(in crate::service) fn end_session_of(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    session_id: SessionId,
) -> Result<Finished<()>> {
    if !sessions::revoke(unit.tx, user_id, session_id, unit.now)? {
        return Err(Error::SessionNotFound);
    }
    end_made_by(unit, user_id, session_id)?;
    unit.sessions_ended(user_id, [session_id]);
    let event = unit.event(Action::SessionEnded).about(user_id);
    unit.finish(event, ())
}
