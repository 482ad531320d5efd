//! Ends the caller's session, or all of them.

use serde_json::json;

use crate::domain::UserId;
use crate::domain::audit::Action;
use crate::service::api_tokens::end_with_sessions::{Ending, end_with_sessions};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Caller, Error, Result, Services, one_time};
use crate::store::sessions;

/// Ends the caller's session. If it has already ended, that is not an error.
///
/// # Errors
/// `Forbidden` for a service.
pub async fn logout(services: &Services, caller: &Caller) -> Result<()> {
    let session_id = caller.session_id()?;
    let ended = services
        .write_as(caller, move |unit, actor| {
            let user_id = actor.id();
            sessions::close(unit.tx, &[session_id], unit.now)?;
            unit.sessions_ended(user_id, [session_id]);
            let event = unit.event(Action::Logout);
            unit.finish(event, ())
        })
        .await;
    match ended {
        Err(Error::TokenRevoked | Error::TokenExpired) => Ok(()),
        ended => ended,
    }
}

/// Ends every session of the caller, revokes every access token issued so far, and ends API tokens.
///
/// # Errors
/// `Forbidden` for a service.
pub async fn logout_all(services: &Services, caller: &Caller, api_tokens: Ending) -> Result<()> {
    caller.session_id()?;
    services
        .write_as(caller, move |unit, actor| {
            end_all_sessions_of(unit, actor.id(), api_tokens)?;
            unit.recorded(())
        })
        .await
}

/// Ends every session of this user, revokes every access token issued so far, ends API tokens, and records it.
pub(in crate::service) fn end_all_sessions_of(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    api_tokens: Ending,
) -> Result<()> {
    let ended = end_with_sessions(unit, user_id, None, api_tokens)?;
    unit.revoke_tokens(user_id)?;
    one_time::revoke_pending_sign_ins(unit.tx, user_id)?;
    let event = unit.event(Action::LogoutAll).about(user_id);
    unit.record(event.detail(json!({"apiTokensEnded": ended})))?;
    Ok(())
}
