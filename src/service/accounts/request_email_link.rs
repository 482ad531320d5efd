//! Links that any client can request for an address: to verify it, or to reset the password.
//!
//! The answer, the queries and the writes are the same whether or not the address has an account (OWASP Forgot Password
//! Cheat Sheet). If no e-mail is to be sent, an unknown secret and a decoy row in the outbox are written all the same,
//! and deleted within an hour. The remaining difference is microseconds, which the minimum duration hides.

use chrono::TimeDelta;

use crate::crypto::opaque::Opaque;
use crate::domain::audit::Action;
use crate::domain::{Email, EmailMessage, UserId, lifetimes};
use crate::service::accounts::email_proof::EmailProof;
use crate::service::accounts::minimum_duration::MinimumDuration;
use crate::service::mail::gate::{self, Request};
use crate::service::{RequestContext, Result, Services, one_time};
use crate::store::one_time_tokens::{self, Purpose};
use crate::store::users::{self, Account};

/// What a link is requested for.
#[derive(Clone, Copy)]
enum LinkPurpose {
    VerifyEmail,
    ResetPassword,
}

/// Sends a new link to an unverified address of an account. The answer does not show whether there was one.
pub async fn resend_verification(
    services: &Services,
    context: &RequestContext,
    email: Email,
) -> Result<()> {
    request(services, context, email, LinkPurpose::VerifyEmail).await
}

/// Sends a link to set a password, which may be the account's first. The answer does not show whether the address has
/// an account.
pub async fn forgot_password(
    services: &Services,
    context: &RequestContext,
    email: Email,
) -> Result<()> {
    request(services, context, email, LinkPurpose::ResetPassword).await
}

impl LinkPurpose {
    fn stored(self) -> Purpose {
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

    /// How long three e-mails count, at most as long as their links live.
    fn window(self) -> TimeDelta {
        self.lifetime().min(lifetimes::EMAIL_LIMIT_WINDOW)
    }

    fn action(self) -> Action {
        match self {
            Self::VerifyEmail => Action::VerificationRequested,
            Self::ResetPassword => Action::PasswordResetRequested,
        }
    }

    fn message(self, name: String, secret: &Opaque) -> EmailMessage {
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

async fn request(
    services: &Services,
    context: &RequestContext,
    email: Email,
    purpose: LinkPurpose,
) -> Result<()> {
    let time = MinimumDuration::begin();
    let written = services
        .write(context, move |unit| {
            unit.tx.ahead(|tx| users::lock_account_by_email(tx, &email));
            let account = users::lock_account_by_email(unit.tx, &email)?;
            let account = account.filter(|account| purpose.concerns(account));
            let user_id = account.as_ref().map(|account| account.user.id);
            let is_verified = account
                .as_ref()
                .is_some_and(|account| account.email_verified_at.is_some());
            let name = account.map_or_else(String::new, |account| account.user.name.to_string());
            let secret = unit.secret();
            let link_owner = user_id.unwrap_or(UserId::NIL);
            let (now, stored) = (unit.now, purpose.stored());
            let mut request = Request {
                to: email.clone(),
                message: &purpose.message(name, &secret),
                account: user_id,
                window: purpose.window(),
                has_no_link: false,
            };
            request.ask(unit)?;
            unit.tx
                .ahead(|tx| one_time_tokens::exists_for(tx, link_owner, stored, now));
            let has_link = one_time_tokens::exists_for(unit.tx, link_owner, stored, now)?;
            // The holder of an unverified account could end its links again and again.
            request.has_no_link = is_verified && !has_link;
            let requested = gate::send_requested(unit, request)?;
            // If the limit is reached, the last link stays valid.
            let owner = requested.sent_to;
            let proof = EmailProof::new(owner.unwrap_or(UserId::NIL), &email);
            let until = (unit.now, purpose.lifetime());
            one_time::replace(unit.tx, &secret, purpose.stored(), owner, &proof, until)?;
            let event = unit.event(purpose.action()).about(user_id);
            let event = if requested.is_limited {
                event.refused("email_limit")
            } else {
                event
            };
            unit.finish(event, ())
        })
        .await;
    time.end().await;
    written
}
