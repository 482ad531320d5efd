//! Ending one of one's own sessions.

use crate::domain::audit::Action;
use crate::domain::{Change, SessionId, lifetimes};
use crate::service::{Caller, Error, RequestContext, Result, Services, record_changes};
use crate::store::{audit, sessions};

/// # Errors
/// `SessionNotFound` for a session that is not the caller's or has ended.
pub async fn end_session(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    session_id: SessionId,
) -> Result<()> {
    caller.session_id()?;
    let now = services.now();
    let user_id = caller.profile.id;
    let entry = services.audit_own(context, now, Action::SessionEnded, caller);
    let changes = [Change::SessionEnded {
        user_id,
        session_id,
    }];
    services
        .store
        .write(move |tx| {
            if !sessions::revoke(tx, user_id, session_id, now)? {
                return Err(Error::SessionNotFound);
            }
            audit::insert(tx, &entry)?;
            record_changes(tx, &changes, now)?;
            Ok(())
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}
