//! Proof that an e-mail address is its account's owner's: the one the account has, or the one it is to have.

use chrono::{DateTime, Utc};

use crate::crypto::opaque::Opaque;
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Change, Email, EmailMessage, User, UserId, lifetimes};
use crate::service::accounts::email_proof::Mailbox;
use crate::service::mail::EmailSealer;
use crate::service::mail::rate_limit;
use crate::service::{Error, RequestContext, Result, Services, one_time, record_changes};
use crate::store::one_time_tokens::{self, Purpose};
use crate::store::outbox::{self, NewEmail};
use crate::store::users::{self, Account};
use crate::store::{Tx, audit, memberships};

/// A letter with a link, and what is kept of the link.
pub(in crate::service) struct Verification {
    address: Mailbox,
    secret: Opaque,
    letter: NewEmail,
}

impl Services {
    /// The letter that asks `user` to prove `email`; the transaction of its cause sends it.
    pub(in crate::service) fn verification(
        &self,
        now: DateTime<Utc>,
        user: &User,
        email: &Email,
    ) -> Verification {
        let secret = Opaque::new(self.random());
        let letter = EmailMessage::VerifyEmail {
            name: user.name.to_string(),
            token: secret.expose().to_owned(),
        };
        Verification {
            address: Mailbox::new(user.id, email),
            letter: self.letter(now, email.clone(), &letter),
            secret,
        }
    }
}

impl Verification {
    /// In place of every earlier link, unless the address has had its share of letters.
    pub(in crate::service) fn send(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<()> {
        if !rate_limit::may_send(tx, &self.letter)? {
            return Ok(());
        }
        let until = (now, lifetimes::VERIFICATION_LINK);
        let (secret, purpose) = (&self.secret, Purpose::VerifyEmail);
        let user_id = Some(self.address.user_id);
        one_time::replace(tx, secret, purpose, user_id, &self.address, until)?;
        outbox::insert(tx, &self.letter)?;
        Ok(())
    }
}

/// Takes the token of a letter and notes what it proves. Nobody is signed in by it.
///
/// # Errors
/// `InvalidOrExpiredToken`; `EmailTaken` when the wanted address has become another account's, which leaves the
/// token as good as it was.
pub async fn verify_email(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<()> {
    let now = services.now();
    let token = token.to_owned();
    let entry = services.audit(context, now, Action::EmailVerified, Outcome::Ok);
    let email_sealer = services.email_sealer(now);
    let changes = services
        .store
        .write(move |tx| {
            let (user_id, action) = if let Some(proved) =
                one_time::redeem::<Mailbox>(tx, &token, Purpose::VerifyEmail, now)?
            {
                prove(tx, &proved, now)?;
                (proved.user_id, Action::EmailVerified)
            } else {
                let wanted = one_time::redeem::<Mailbox>(tx, &token, Purpose::ChangeEmail, now)?
                    .ok_or(Error::InvalidOrExpiredToken)?;
                change(tx, &wanted, email_sealer, now)?;
                (wanted.user_id, Action::EmailChanged)
            };
            let memberships = memberships::list_of_user(tx, user_id)?;
            let entry = AuditEntry {
                action,
                actor_id: Some(user_id),
                subject_id: Some(user_id),
                organization_id: memberships.first().map(|first| first.organization_id),
                ..entry
            };
            audit::insert(tx, &entry)?;
            let changes = [Change::PersonChanged { user_id }];
            record_changes(tx, &changes, now)?;
            Ok::<_, Error>(changes)
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}

fn prove(tx: &mut Tx<'_>, proved: &Mailbox, now: DateTime<Utc>) -> Result<()> {
    proved.lock(tx)?.ok_or(Error::InvalidOrExpiredToken)?;
    users::set_email_verified(tx, proved.user_id, now)?;
    Ok(())
}

/// The account gets the wanted address, and the one it had is told.
fn change(
    tx: &mut Tx<'_>,
    wanted: &Mailbox,
    email_sealer: EmailSealer,
    now: DateTime<Utc>,
) -> Result<()> {
    let user_id = wanted.user_id;
    let account = enabled(tx, user_id)?.ok_or(Error::InvalidOrExpiredToken)?;
    let email = wanted.email();
    users::set_verified_email(tx, user_id, &email, now).map_err(Error::taken_email)?;
    one_time::revoke_after_credential_change(tx, user_id)?;
    // It would prove the address that is no longer the account's.
    one_time_tokens::delete_of_user(tx, user_id, &[Purpose::VerifyEmail])?;
    if let Some(old) = account.user.email {
        let letter = EmailMessage::EmailChanged {
            name: account.user.name.to_string(),
            new_email: email.to_string(),
        };
        let is_proved = account.email_verified_at.is_some();
        rate_limit::send_notice(tx, &email_sealer.write(old, &letter), is_proved)?;
    }
    Ok(())
}

fn enabled(tx: &mut Tx<'_>, user_id: UserId) -> Result<Option<Account>> {
    let account = users::lock_account(tx, user_id)?;
    Ok(account.filter(|account| account.user.disabled_at.is_none()))
}
