//! Verifies the e-mail address of an account, or its new one.

use chrono::{DateTime, Utc};

use crate::domain::audit::{Action, Method};
use crate::domain::{Change, Email, EmailMessage, OrganizationId, User, lifetimes};
use crate::service::accounts::email_proof::EmailProof;
use crate::service::mail::gate::{self, Cause};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, RequestContext, Result, Services, one_time};
use crate::store::memberships;
use crate::store::one_time_tokens::{self, Purpose};
use crate::store::users::{self, Account};

/// Sends the e-mail that asks a new `user` to verify `email`. `organization` is the one they join, if it existed
/// before.
pub(in crate::service) fn send_verification(
    unit: &mut UnitOfWork<'_, '_>,
    user: &User,
    email: &Email,
    organization: Option<OrganizationId>,
) -> Result<()> {
    let secret = unit.secret();
    let message = EmailMessage::VerifyEmail {
        name: user.name.to_string(),
        token: secret.expose().to_owned(),
    };
    let cause = Cause::Registration(organization);
    if !gate::send(unit, Some(user.id), email.clone(), &message, &cause)? {
        return Ok(());
    }
    let until = (unit.now, lifetimes::VERIFICATION_LINK);
    let (purpose, proof) = (Purpose::VerifyEmail, EmailProof::new(user.id, email));
    one_time::replace(unit.tx, &secret, purpose, Some(user.id), &proof, until)?;
    Ok(())
}

/// Redeems the token of an e-mail and marks the address as verified. It does not sign in.
///
/// # Errors
/// `InvalidOrExpiredToken`; `EmailTaken` if the new address belongs to another account by now, which leaves the token
/// valid.
pub async fn verify_email(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<()> {
    let token = token.to_owned();
    services
        .write(context, move |unit| {
            let now = unit.now;
            let (user_id, action) = if let Some(proof) =
                one_time::find::<EmailProof>(unit.tx, &token, Purpose::VerifyEmail, now)?
            {
                proof.lock(unit.tx)?.ok_or(Error::InvalidOrExpiredToken)?;
                one_time::redeem::<EmailProof>(unit.tx, &token, Purpose::VerifyEmail, now)?
                    .ok_or(Error::InvalidOrExpiredToken)?;
                let verified = users::mark_email_verified(unit.tx, proof.user_id, now)?;
                unit.announce(verified);
                (proof.user_id, Action::EmailVerified)
            } else {
                let wanted: EmailProof =
                    one_time::find(unit.tx, &token, Purpose::ChangeEmail, now)?
                        .ok_or(Error::InvalidOrExpiredToken)?;
                change(unit, &wanted, &token)?;
                (wanted.user_id, Action::EmailChanged)
            };
            unit.changed(Change::PersonChanged { user_id });
            let organization_id = memberships::first_of_user(unit.tx, user_id)?;
            let event = unit.event(action).own(user_id);
            unit.finish(event.within(organization_id).by(Method::EmailLink), ())
        })
        .await
}

fn change(unit: &mut UnitOfWork<'_, '_>, wanted: &EmailProof, token: &str) -> Result<()> {
    let user_id = wanted.user_id;
    let account =
        users::lock_enabled_account(unit.tx, user_id)?.ok_or(Error::InvalidOrExpiredToken)?;
    one_time::redeem::<EmailProof>(unit.tx, token, Purpose::ChangeEmail, unit.now)?
        .ok_or(Error::InvalidOrExpiredToken)?;
    replace_email(unit, account, &wanted.email(), Some(unit.now))
}

/// Sets the new address and notifies the old one. The account is locked.
///
/// # Errors
/// `EmailTaken`.
pub(in crate::service) fn replace_email(
    unit: &mut UnitOfWork<'_, '_>,
    account: Account,
    email: &Email,
    verified_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let user_id = account.user.id;
    let changed = users::set_email(unit.tx, user_id, email, verified_at, unit.now)
        .map_err(Error::taken_email)?;
    unit.announce(changed);
    one_time::revoke_after_credential_change(unit.tx, user_id)?;
    // They would verify the old address.
    one_time_tokens::delete_of_user(unit.tx, user_id, &[Purpose::VerifyEmail])?;
    if let Some(old) = account.user.email {
        let message = EmailMessage::EmailChanged {
            name: account.user.name.to_string(),
            new_email: email.to_string(),
        };
        let is_verified = account.email_verified_at.is_some();
        gate::send_notice(unit, user_id, old, &message, is_verified)?;
    }
    Ok(())
}
