//! Ten new recovery codes for the ten there were.

use crate::domain::audit::Action;
use crate::service::mfa::prove_again::prove_again;
use crate::service::mfa::recovery_codes::{NewCodes, new_recovery_codes};
use crate::service::{Caller, Error, RequestContext, Result, Services};
use crate::store::{audit, users};

/// Takes a code of the authenticator or one of the old ones; a password is looked at where one is given.
///
/// # Errors
/// `InvalidCredentials`; `InvalidCode`, `TooManyAttempts`; `MfaNotEnrolled`; `Forbidden` for a service.
pub async fn renew_recovery_codes(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    password: Option<&str>,
    code: &str,
) -> Result<NewCodes> {
    caller.session_id()?;
    let proven = prove_again(services, context, caller, password).await?;
    let now = services.now();
    let user_id = caller.profile.id;
    let check = services.code_check(context, now, code);
    let entry = services.audit_own(context, now, Action::RecoveryCodesRenewed, caller);
    let codes = new_recovery_codes(services);
    let kept = codes.clone();
    services
        .store
        .write(move |tx| {
            match proven {
                Some(proven) => drop(proven.lock(tx, now)?),
                None => drop(users::lock_account(tx, user_id)?),
            }
            if let Err(refused) = check.run(tx, user_id, &entry)? {
                return Ok(Err(refused));
            }
            kept.keep(tx, user_id)?;
            audit::insert(tx, &entry)?;
            Ok::<_, Error>(Ok(()))
        })
        .await??;
    Ok(codes)
}
