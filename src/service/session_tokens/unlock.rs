//! The second step of a sign-in whose first was locked.

use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::service::session_tokens::LockedSession;
use crate::service::session_tokens::view::View;
use crate::service::{Error, Profile, RequestContext, Result, Services};
use crate::store::{audit, memberships, session_tokens, users};

/// `code` is one of the authenticator, or a recovery code.
///
/// # Errors
/// `InvalidCode`; `TooManyAttempts` after five wrong codes in a row, whoever tried them; `MfaNotEnrolled` for
/// somebody who has no authenticator; `TokenRevoked` when the session ended meanwhile, as it does after ten.
pub async fn unlock(
    services: &Services,
    context: &RequestContext,
    session: LockedSession,
    code: &str,
) -> Result<View> {
    let now = services.now();
    let check = services.code_check(context, now, code);
    let entry = AuditEntry {
        actor_id: Some(session.user_id),
        subject_id: Some(session.user_id),
        organization_id: Some(session.organization_id),
        ..services.audit(context, now, Action::Login, Outcome::Ok)
    };
    let unlocked = services
        .store
        .write(move |tx| {
            if let Err(refused) = check.run(tx, session.user_id, &entry)? {
                return Ok(Err(refused));
            }
            if !session_tokens::unlock(tx, session.session_id, now)? {
                return Err(Error::TokenRevoked);
            }
            audit::insert(tx, &entry)?;
            let user = users::find(tx, session.user_id)?.ok_or(Error::TokenRevoked)?;
            let memberships = memberships::list_of_user(tx, session.user_id)?;
            let membership = memberships
                .iter()
                .find(|membership| membership.organization_id == session.organization_id)
                .ok_or(Error::TokenRevoked)?;
            View::of(tx, Profile::of(&user, membership)).map(Ok)
        })
        .await??;
    Ok(unlocked)
}
