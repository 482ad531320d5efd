//! Links for strangers who name an address: to prove it, or to choose a new password.
//!
//! What is answered, what is asked of the database and what is written there are the same whether or not the
//! address has an account (OWASP Forgot Password Cheat Sheet). Where nobody is written to, a link that nobody knows
//! and a row in place of a letter are written all the same; the hourly clearing forgets both. What is left of a
//! difference is microseconds, which the answer waits out.

use chrono::TimeDelta;

use crate::crypto::opaque::Opaque;
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Email, EmailMessage, UserId, lifetimes};
use crate::service::accounts::email_proof::Mailbox;
use crate::service::accounts::minimum_duration::MinimumDuration;
use crate::service::mail::rate_limit;
use crate::service::{RequestContext, Result, Services, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::users::Account;
use crate::store::{audit, outbox, users};

/// What a link is wanted for.
#[derive(Clone, Copy)]
enum LinkPurpose {
    VerifyEmail,
    ResetPassword,
}

/// A new link for an account whose address is still to be proved; nothing for any other address, and nobody is
/// told the difference.
pub async fn resend_verification(
    services: &Services,
    context: &RequestContext,
    email: Email,
) -> Result<()> {
    mail_a_link(services, context, email, LinkPurpose::VerifyEmail).await
}

/// A link for whoever reads the address's mail to choose a password with, be it the account's first; nothing for
/// an address without an account, and nobody is told the difference.
pub async fn forgot_password(
    services: &Services,
    context: &RequestContext,
    email: Email,
) -> Result<()> {
    mail_a_link(services, context, email, LinkPurpose::ResetPassword).await
}

impl LinkPurpose {
    fn purpose(self) -> Purpose {
        match self {
            Self::VerifyEmail => Purpose::VerifyEmail,
            Self::ResetPassword => Purpose::ResetPassword,
        }
    }

    fn lifetime(self) -> TimeDelta {
        match self {
            Self::VerifyEmail => lifetimes::VERIFICATION_LINK,
            Self::ResetPassword => lifetimes::RESET_LINK,
        }
    }

    fn action(self) -> Action {
        match self {
            Self::VerifyEmail => Action::VerificationRequested,
            Self::ResetPassword => Action::PasswordResetRequested,
        }
    }

    fn letter(self, name: String, secret: &Opaque) -> EmailMessage {
        let token = secret.expose().to_owned();
        match self {
            Self::VerifyEmail => EmailMessage::VerifyEmail { name, token },
            Self::ResetPassword => EmailMessage::ResetPassword { name, token },
        }
    }

    fn concerns(self, account: &Account) -> bool {
        let is_enabled = account.user.disabled_at.is_none();
        match self {
            Self::VerifyEmail => is_enabled && account.email_verified_at.is_none(),
            Self::ResetPassword => is_enabled,
        }
    }
}

async fn mail_a_link(
    services: &Services,
    context: &RequestContext,
    email: Email,
    purpose: LinkPurpose,
) -> Result<()> {
    let time = MinimumDuration::begin();
    let now = services.now();
    let secret = Opaque::new(services.random());
    let email_sealer = services.email_sealer(now);
    let entry = services.audit(context, now, purpose.action(), Outcome::Ok);
    let written = services
        .store
        .write(move |tx| {
            let account = users::lock_account_by_email(tx, &email)?;
            let user = account
                .filter(|account| purpose.concerns(account))
                .map(|account| account.user);
            let user_id = user.as_ref().map(|user| user.id);
            let name = user.map_or_else(String::new, |user| user.name.to_string());
            let letter = email_sealer.write(email.clone(), &purpose.letter(name, &secret));
            let may_send = rate_limit::may_send(tx, &letter)?;
            // A letter that is not sent leaves the link of the last one as good as it was.
            let owner = user_id.filter(|_| may_send);
            let link = Mailbox::new(owner.unwrap_or(UserId::NIL), &email);
            let until = (now, purpose.lifetime());
            one_time::replace(tx, &secret, purpose.purpose(), owner, &link, until)?;
            match owner {
                Some(_) => outbox::insert(tx, &letter)?,
                None => outbox::insert_decoy(tx, &letter, may_send)?,
            }
            let entry = AuditEntry {
                subject_id: user_id,
                outcome: if may_send {
                    entry.outcome
                } else {
                    Outcome::Refused
                },
                ..entry
            };
            audit::insert(tx, &entry)?;
            Ok(())
        })
        .await;
    time.end().await;
    written
}
