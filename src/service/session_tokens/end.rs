//! Ends the session of a token.

use crate::domain::audit::Action;
use crate::service::session_tokens::{LockedSession, TokenSession};
use crate::service::{RequestContext, Result, Services, logout};
use crate::store::sessions;

/// Ends only this session, locked or open. Ending it again is not an error.
///
/// # Errors
/// When the database fails.
pub async fn end(
    services: &Services,
    context: &RequestContext,
    session: &TokenSession,
) -> Result<()> {
    match session {
        TokenSession::Open(caller) => {
            logout(services, &caller.clone().allowed_to_lack_second_factor()).await
        }
        TokenSession::Locked(session) => end_locked(services, context, *session).await,
    }
}

/// No revocation cache contains a session that was never open.
async fn end_locked(
    services: &Services,
    context: &RequestContext,
    session: LockedSession,
) -> Result<()> {
    services
        .write(context, move |unit| {
            let LockedSession {
                session_id,
                user_id,
                organization_id,
            } = session;
            if !sessions::revoke(unit.tx, user_id, session_id, unit.now)? {
                return unit.unrecorded(());
            }
            let event = unit.event(Action::Logout).own(user_id);
            unit.finish(event.within(organization_id), ())
        })
        .await
}
