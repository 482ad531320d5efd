//! Another e-mail address for one's account, once it is proved.

use crate::crypto::opaque::Opaque;
use crate::domain::audit::Action;
use crate::domain::{Email, EmailMessage, Fault, lifetimes};
use crate::service::accounts::email_proof::Mailbox;
use crate::service::accounts::reauthenticate::reauthenticate;
use crate::service::mail::rate_limit;
use crate::service::{Caller, Error, RequestContext, Result, Services, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::{audit, outbox, users};

/// Sends a link to the new address; until it is followed, by
/// [`verify_email`](crate::service::accounts::verify_email::verify_email), the account keeps the old one.
///
/// # Errors
/// `Invalid` for the address the account has; `InvalidCredentials` for a wrong password; `EmailTaken`; `Forbidden`
/// for a service.
pub async fn change_email(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    email: Email,
    password: &str,
) -> Result<()> {
    caller.session_id()?;
    let password = services.passwords.read("password", password)?;
    if caller.profile.email.as_ref() == Some(&email) {
        return Err(Fault::new("email", "unchanged", "This is your address already.").into());
    }
    let action = Action::EmailChangeRequested;
    let proven = reauthenticate(services, context, caller, password, action).await?;

    let now = services.now();
    let user_id = caller.profile.id;
    let secret = Opaque::new(services.random());
    let letter = EmailMessage::ConfirmNewEmail {
        name: caller.profile.name.to_string(),
        token: secret.expose().to_owned(),
    };
    let wanted = Mailbox::new(user_id, &email);
    let letter = services.letter(now, email.clone(), &letter);
    let entry = services.audit_own(context, now, action, caller);
    services
        .store
        .write(move |tx| {
            proven.lock(tx, now)?;
            if users::find_account_by_email(tx, &email)?.is_some() {
                return Err(Error::EmailTaken);
            }
            if rate_limit::may_send(tx, &letter)? {
                let until = (now, lifetimes::VERIFICATION_LINK);
                let purpose = Purpose::ChangeEmail;
                one_time::replace(tx, &secret, purpose, Some(user_id), &wanted, until)?;
                outbox::insert(tx, &letter)?;
            }
            audit::insert(tx, &entry)?;
            Ok(())
        })
        .await
}
