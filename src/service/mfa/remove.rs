//! Going back to one factor.

use crate::domain::audit::Action;
use crate::domain::{Fault, lifetimes};
use crate::service::mfa::prove_again::prove_again;
use crate::service::mfa::{end_what_lacks_it, notice};
use crate::service::{Caller, Error, RequestContext, Result, Services};
use crate::store::{audit, organizations, outbox, recovery_codes, totp, users};

/// Takes the password, for accounts that have one, and a code: of the authenticator, or one of the recovery
/// codes. Every other session of the caller ends.
///
/// # Errors
/// `Invalid` without the password of an account that has one; `InvalidCredentials`; `InvalidCode`,
/// `TooManyAttempts`; `MfaNotEnrolled`; `MfaRequired` while one of the caller's organizations wants a second
/// factor; `Forbidden` for a service.
pub async fn remove(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    password: Option<&str>,
    code: &str,
) -> Result<()> {
    let except = caller.session_id()?;
    let proven = prove_again(services, context, caller, password).await?;
    let now = services.now();
    let user_id = caller.profile.id;
    let check = services.code_check(context, now, code);
    let entry = services.audit_own(context, now, Action::MfaDisabled, caller);
    let profile = &caller.profile;
    let letter = notice(services, now, profile.email.clone(), &profile.name, false);
    let changes = services
        .store
        .write(move |tx| {
            match proven {
                Some(proven) => drop(proven.lock(tx, now)?),
                None => {
                    let account = users::lock_account(tx, user_id)?.ok_or(Error::TokenRevoked)?;
                    if account.password_hash.is_some() {
                        let why = "Please enter your password.";
                        return Err(Fault::new("password", "required", why).into());
                    }
                }
            }
            if !organizations::requiring_mfa_of(tx, user_id)?.is_empty() {
                return Err(Error::MfaRequired);
            }
            if let Err(refused) = check.run(tx, user_id, &entry)? {
                return Ok(Err(refused));
            }
            totp::delete(tx, user_id)?;
            recovery_codes::delete(tx, user_id)?;
            audit::insert(tx, &entry)?;
            if let Some(letter) = &letter {
                outbox::insert(tx, letter)?;
            }
            Ok(Ok(end_what_lacks_it(tx, user_id, except, now)?))
        })
        .await??;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}
