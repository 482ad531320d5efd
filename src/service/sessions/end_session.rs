//! Ends one of the caller's sessions.

use crate::domain::SessionId;
use crate::domain::audit::Action;
use crate::service::api_tokens::end_with_sessions::end_made_by;
use crate::service::{Caller, Error, Result, Services};
use crate::store::sessions;

/// Another session than the caller's takes the API tokens that it made with it.
///
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
            let user_id = actor.id();
            if !sessions::revoke(unit.tx, user_id, session_id, unit.now)? {
                return Err(Error::SessionNotFound);
            }
            if session_id != actor.session_id()? {
                end_made_by(unit, user_id, session_id)?;
            }
            unit.sessions_ended(user_id, [session_id]);
            let event = unit.event(Action::SessionEnded);
            unit.finish(event, ())
        })
        .await
}
