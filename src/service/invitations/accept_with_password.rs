//! Somebody who is not signed in accepts an invitation with the password of their account.

use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Change, lifetimes};
use crate::service::accounts::verify_credentials::verify_credentials_with_link;
use crate::service::invitations::look::look;
use crate::service::invitations::opened::Opened;
use crate::service::{Error, RequestContext, Result, Services, record_changes};
use crate::store::audit;

/// Nobody is signed in by it: a second factor, where the account has one, is asked for when they sign in.
///
/// # Errors
/// `InvalidOrExpiredToken`, `OrganizationClosed`, `AlreadyMember`; `InvalidCredentials` when the invited address has no
/// account with this password.
pub async fn accept_with_password(
    services: &Services,
    context: &RequestContext,
    token: &str,
    password: &str,
) -> Result<()> {
    let invited = look(services, token).await?;
    let proven = verify_credentials_with_link(services, context, invited.email, password).await?;
    let now = services.now();
    let user_id = proven.user_id;
    let changes = [Change::PersonChanged { user_id }];
    let entry = services.audit(context, now, Action::InvitationAccepted, Outcome::Ok);
    let token = token.to_owned();
    services
        .store
        .write(move |tx| {
            let opened = Opened::accept(tx, &token, now)?;
            let user = proven.lock(tx, now)?.user;
            let user = opened.prove_address(tx, user, now)?;
            opened.admit(tx, &user, now)?;
            audit::insert(
                tx,
                &AuditEntry {
                    actor_id: Some(user_id),
                    subject_id: Some(user_id),
                    organization_id: Some(opened.organization.id),
                    ..entry
                },
            )?;
            record_changes(tx, &changes, now)?;
            Ok::<_, Error>(())
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}
