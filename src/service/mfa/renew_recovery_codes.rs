//! Replaces the recovery codes.

use crate::domain::audit::Action;
use crate::service::accounts::reauthenticate::reauthenticate_if_given;
use crate::service::limits::permit_hashing_of;
use crate::service::mfa::check::{CodeCheck, must_be_enrolled};
use crate::service::mfa::recovery_codes::NewCodes;
use crate::service::{Caller, Result, Services};

/// Requires a code of the authenticator or an old recovery code; a password is checked if given. Without a password, a
/// recovery code also requires a fresh session.
///
/// # Errors
/// `InvalidCredentials`; `InvalidCode`, `TooManyAttempts`, `AuthenticatorUnusable`; `MfaNotEnrolled`;
/// `ReauthenticationRequired`; `Forbidden` for a service.
pub async fn renew_recovery_codes(
    services: &Services,
    caller: &Caller,
    password: Option<&str>,
    code: &str,
) -> Result<NewCodes> {
    caller.session_id()?;
    // Hashing is expensive, so refuse before hashing where we can.
    services
        .read_as(caller, |tx, actor| must_be_enrolled(tx, actor.id()))
        .await?;
    let action = Action::RecoveryCodesRenewed;
    let permit = permit_hashing_of(services, caller).await?;
    let reauthenticated =
        reauthenticate_if_given(services, caller, &permit, password, "password", action).await?;
    let check = CodeCheck::parse(code);
    services
        .write_as(caller, move |unit, actor| {
            match reauthenticated {
                Some(reauthenticated) => reauthenticated.confirm(unit, actor)?,
                None if check.is_proof(unit, actor.id())? => {}
                None => actor.must_be_fresh(unit.now)?,
            }
            let event = unit.event(action);
            if let Err(refused) = check.run(unit, actor.id(), &event)? {
                return unit.refused(refused.into());
            }
            let codes = NewCodes::store(unit, actor.id())?;
            unit.finish(event, codes)
        })
        .await
}
