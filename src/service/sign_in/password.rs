//! Signs in with e-mail and password for an access token.

use crate::domain::{Email, OrganizationId};
use crate::service::accounts::verify_credentials::verify_credentials;
use crate::service::sign_in::entry::{Carrier, Proof, enter};
use crate::service::sign_in::subject::Subject;
use crate::service::{RequestContext, Result, Services, SignIn};

pub struct Login<'a> {
    pub email: Email,
    pub password: &'a str,
    /// The organization to sign in to; the one joined first if missing.
    pub organization_id: Option<OrganizationId>,
}

/// # Errors
/// `InvalidCredentials`, with the same timing and answer, for an unknown address, a wrong password, a disabled account
/// and an account without a password; `TooManyAttempts` after too many of them; after the right password,
/// `EmailNotVerified` if addresses must be verified first, `OrganizationNotFound` for an organization of which the user
/// is not a member, and `Forbidden` for users who are members of none.
pub async fn login(
    services: &Services,
    context: &RequestContext,
    login: Login<'_>,
) -> Result<SignIn> {
    let verified = verify_credentials(services, context, login.email, login.password).await?;
    let wanted = login.organization_id;
    let entry = services
        .write(context, move |unit| {
            let user = verified.lock(unit)?.user;
            let subject = Subject::in_organization(unit.tx, user, wanted)?;
            let proof = Proof::Password(subject);
            let entry = enter(unit, proof, Carrier::Jwt)?;
            unit.recorded_if_changed(entry)
        })
        .await?;
    entry.issue(services)
}
