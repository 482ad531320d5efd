//! Ending the caller's session, or all of them.

use crate::domain::audit::Action;
use crate::domain::{Change, lifetimes};
use crate::service::{Caller, Error, RequestContext, Result, Services, record_changes};
use crate::store::{audit, sessions, users};

/// The caller's session ends; a session that another request has just ended is as good.
pub async fn logout(services: &Services, context: &RequestContext, caller: &Caller) -> Result<()> {
    let now = services.now();
    let (user_id, session_id) = (caller.profile.id, caller.session_id()?);
    let entry = services.audit_own(context, now, Action::Logout, caller);
    let changes = [Change::SessionEnded {
        user_id,
        session_id,
    }];
    services
        .store
        .write(move |tx| {
            if sessions::revoke(tx, user_id, session_id, now)? {
                audit::insert(tx, &entry)?;
                record_changes(tx, &changes, now)?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}

/// Every session of the caller ends, and every token issued so far is called back.
pub async fn logout_all(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
) -> Result<()> {
    caller.session_id()?;
    let now = services.now();
    let user_id = caller.profile.id;
    let entry = services.audit_own(context, now, Action::LogoutAll, caller);
    let changes = services
        .store
        .write(move |tx| {
            let min_token_version = users::raise_token_version(tx, user_id, now)?;
            sessions::revoke_all(tx, user_id, None, now)?;
            audit::insert(tx, &entry)?;
            let changes = [Change::TokensRevoked {
                user_id,
                min_token_version,
            }];
            record_changes(tx, &changes, now)?;
            Ok::<_, Error>(changes)
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}
