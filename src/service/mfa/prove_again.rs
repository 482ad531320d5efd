//! The password of somebody who is signed in, asked for once more.

use crate::service::accounts::verify_credentials::{VerifiedCredentials, verify_credentials};
use crate::service::{Caller, Error, RequestContext, Result, Services};

/// `None` when no password was given.
///
/// # Errors
/// `InvalidCredentials`, also for an account that has no password.
pub(in crate::service) async fn prove_again(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    password: Option<&str>,
) -> Result<Option<VerifiedCredentials>> {
    let Some(password) = password else {
        return Ok(None);
    };
    // Nobody without an address has a password.
    let email = caller.profile.email.clone();
    let email = email.ok_or(Error::InvalidCredentials)?;
    let proven = verify_credentials(services, context, email, password).await?;
    if proven.user_id != caller.profile.id {
        return Err(Error::InvalidCredentials);
    }
    Ok(Some(proven))
}
