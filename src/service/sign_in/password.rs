//! Signs in with e-mail and password for an access token.

use crate::domain::Email;
use crate::service::accounts::verify_credentials::verify_credentials;
use crate::service::sign_in::entry::{Carrier, Proof, enter, questions};
use crate::service::sign_in::subject::{Subject, Wanted};
use crate::service::{RequestContext, Result, Services, SignIn};

pub struct Login<'a> {
    pub email: Email,
    pub password: &'a str,
    pub wanted: Wanted,
}

/// # Errors
/// `InvalidCredentials`, with the same timing and answer, for an unknown address, a wrong password, a disabled account
/// and an account without a password; `TooManyAttempts` after too many of them; after the right password,
/// `EmailNotVerified` if addresses must be verified first, `OrganizationNotFound` if the wanted organization does not
/// exist, and `Forbidden` if the user is not a member of it.
pub async fn login(
    services: &Services,
    context: &RequestContext,
    login: Login<'_>,
) -> Result<SignIn> {
    let verified = verify_credentials(services, context, login.email, login.password).await?;
    let wanted = login.wanted;
    let entry = services
        .write(context, move |unit| {
            let entry = questions(unit, verified.user_id, verified.organization_id);
            verified.ask(unit, entry);
            let subject = match Subject::after_password(unit, &verified, &wanted)? {
                Ok(subject) => subject,
                Err(refusal) => return unit.refused(refusal),
            };
            let entry = enter(unit, Proof::Password(subject), Carrier::Jwt)?;
            unit.recorded_if_changed(entry)
        })
        .await?;
    entry.issue(services)
}
