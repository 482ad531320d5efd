//! Ending a token's session.

use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::service::session_tokens::{LockedSession, TokenSession};
use crate::service::{Error, RequestContext, Result, Services, logout};
use crate::store::{audit, sessions};

/// That session ends, locked or open, and no other. Ended once is ended.
pub async fn end(
    services: &Services,
    context: &RequestContext,
    session: &TokenSession,
) -> Result<()> {
    match session {
        TokenSession::Open(caller) => logout(services, context, caller).await,
        TokenSession::Locked(session) => abandon(services, context, *session).await,
    }
}

/// A session that was never opened is in nobody's memory.
async fn abandon(
    services: &Services,
    context: &RequestContext,
    session: LockedSession,
) -> Result<()> {
    let now = services.now();
    let entry = AuditEntry {
        actor_id: Some(session.user_id),
        subject_id: Some(session.user_id),
        organization_id: Some(session.organization_id),
        ..services.audit(context, now, Action::Logout, Outcome::Ok)
    };
    services
        .store
        .write(move |tx| {
            if sessions::revoke(tx, session.user_id, session.session_id, now)? {
                audit::insert(tx, &entry)?;
            }
            Ok::<_, Error>(())
        })
        .await
}
