//! Removes the second factor.

use crate::domain::UserId;
use crate::domain::audit::Action;
use crate::service::accounts::reauthenticate::OwnerProof;
use crate::service::limits::permit_hashing_of;
use crate::service::mfa::after_change::{MfaNotice, end_other_sessions, send_notice};
use crate::service::mfa::check::{CodeCheck, must_be_enrolled};
use crate::service::{Caller, Error, Result, Services};
use crate::store::{Tx, organizations, recovery_codes, totp};

/// Requires the password, or for accounts without one a fresh session, and a code of the authenticator or a recovery
/// code. Ends the caller's other sessions.
///
/// # Errors
/// `Invalid` without the password of an account that has one; `InvalidCredentials`; `InvalidCode`,
/// `TooManyAttempts`; `MfaNotEnrolled`; `MfaRequired` while one of the caller's organizations requires a second
/// factor; `ReauthenticationRequired`; `Forbidden` for a service.
pub async fn remove(
    services: &Services,
    caller: &Caller,
    password: Option<&str>,
    code: &str,
) -> Result<()> {
    caller.session_id()?;
    // Hashing is expensive, so refuse before hashing where we can.
    services
        .read_as(caller, |tx, actor| {
            must_not_be_required(tx, actor.id())?;
            must_be_enrolled(tx, actor.id())
        })
        .await?;
    let action = Action::MfaDisabled;
    let permit = permit_hashing_of(services, caller).await?;
    let proof = OwnerProof::read(services, caller, &permit, password, "password", action).await?;
    let check = CodeCheck::parse(code);
    services
        .write_as(caller, move |unit, actor| {
            proof.confirm(unit, actor)?;
            let user_id = actor.id();
            must_not_be_required(unit.tx, user_id)?;
            let event = unit.event(action);
            if let Err(refused) = check.run(unit, user_id, &event)? {
                return unit.refused(refused.into());
            }
            totp::delete(unit.tx, user_id)?;
            recovery_codes::delete(unit.tx, user_id)?;
            send_notice(unit, actor.user(), MfaNotice::Disabled)?;
            end_other_sessions(unit, user_id, actor.session_id()?)?;
            unit.finish(event, ())
        })
        .await
}

fn must_not_be_required(tx: &mut Tx<'_>, user_id: UserId) -> Result<()> {
    if organizations::requiring_mfa_of(tx, user_id)?.is_empty() {
        Ok(())
    } else {
        Err(Error::MfaRequired)
    }
}
