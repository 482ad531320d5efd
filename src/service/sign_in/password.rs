//! E-mail and password in, token out.

use crate::domain::{Email, OrganizationId};
use crate::service::accounts::verify_credentials::verify_credentials;
use crate::service::sign_in::entry::{Carrier, Proof, enter};
use crate::service::sign_in::subject::Subject;
use crate::service::{RequestContext, Result, Services, SignIn};

pub struct Login<'a> {
    pub email: Email,
    pub password: &'a str,
    /// Which organization to speak for; the one joined first when absent.
    pub organization_id: Option<OrganizationId>,
}

/// # Errors
/// `InvalidCredentials` in one time and shape for an unknown address, a wrong password, a disabled
/// account and an account without a password, `TooManyAttempts` after too many of them; after the right password,
/// `EmailNotVerified` where addresses must be verified first, `OrganizationNotFound` for an organization the person is
/// not a member of and `Forbidden` for somebody who is a member of none.
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
            unit.unrecorded(entry)
        })
        .await?;
    entry.issue(services)
}
