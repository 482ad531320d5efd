//! Changes the e-mail address of an account once the new one is verified.

use crate::domain::audit::Action;
use crate::domain::{AddressBlock, Email, EmailMessage, Violation, lifetimes};
use crate::service::accounts::email_proof::EmailProof;
use crate::service::accounts::reauthenticate::OwnerProof;
use crate::service::limits::{Group, Key, draw_as, permit_hashing_of};
use crate::service::mail::gate::{self, Cause};
use crate::service::{Caller, Error, Result, Services, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::users;

/// Users without a password must have a fresh session. Sends a link to the new address. The account keeps the old one
/// until [`verify_email`](super::verify_email::verify_email) redeems the link.
///
/// # Errors
/// `Invalid` for the address the account has, and for a missing password; `InvalidCredentials` for a wrong one;
/// `ReauthenticationRequired`; `EmailTaken`; `Forbidden` for a service; `TooManyRequests` by account, and by address
/// together with other e-mails that clients request.
pub async fn change_email(
    services: &Services,
    caller: &Caller,
    email: Email,
    password: Option<&str>,
) -> Result<()> {
    caller.session_id()?;
    if caller.profile.email.as_ref() == Some(&email) {
        return Err(Violation::new("email", "unchanged", "This is your address already.").into());
    }
    let action = Action::EmailChangeRequested;
    let permit = permit_hashing_of(services, caller).await?;
    let proof = OwnerProof::read(services, caller, &permit, password, "password", action).await?;
    let address = Key::Address(caller.address().map(AddressBlock::from));
    draw_as(
        services,
        caller,
        Group::AddressChanges,
        Key::Account(caller.profile.id),
    )
    .await?;
    draw_as(services, caller, Group::Mail, address).await?;
    services
        .write_as(caller, move |unit, actor| {
            proof.confirm(unit, actor)?;
            if users::find_account_by_email(unit.tx, &email)?.is_some() {
                return Err(Error::EmailTaken);
            }
            let secret = unit.secret();
            let message = EmailMessage::ConfirmNewEmail {
                name: actor.user().name.to_string(),
                token: secret.expose().to_owned(),
            };
            let cause = Cause::NewAddress(&actor.account);
            if gate::send(unit, Some(actor.id()), email.clone(), &message, &cause)? {
                let user_id = actor.id();
                let link = EmailProof::new(user_id, &email);
                let until = (unit.now, lifetimes::VERIFICATION_LINK);
                let purpose = Purpose::ChangeEmail;
                one_time::replace(unit.tx, &secret, purpose, Some(user_id), &link, until)?;
            }
            let event = unit.event(action);
            unit.finish(event, ())
        })
        .await
}
