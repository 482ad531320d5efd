//! The proof by e-mail address and password, whatever it opens.

use chrono::{DateTime, Utc};

use crate::crypto::password::StoredHash;
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Email, OrganizationId, UserId};
use crate::service::accounts::minimum_duration::MinimumDuration;
use crate::service::limits::{self, Attempt};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::users::Account;
use crate::store::{Tx, audit, memberships, users};

/// Whose password was right a moment ago.
pub(in crate::service) struct VerifiedCredentials {
    pub user_id: UserId,
    attempt: Attempt,
    stored: StoredHash,
    rehashed: Option<StoredHash>,
}

/// # Errors
/// `InvalidCredentials` in one time and shape for an unknown address, a wrong password, a disabled
/// account and an account without a password; after too many of them `TooManyAttempts`, for all of these alike;
/// after the right password, `EmailNotVerified` where addresses must be proved first.
pub(in crate::service) async fn verify_credentials(
    services: &Services,
    context: &RequestContext,
    email: Email,
    password: &str,
) -> Result<VerifiedCredentials> {
    let must_be_proved = services.require_verified_email;
    prove(services, context, email, password, must_be_proved).await
}

/// As [`verify_credentials`], for somebody who brings a link that proves the address as well.
///
/// # Errors
/// As [`verify_credentials`], but for `EmailNotVerified`.
pub(in crate::service) async fn verify_credentials_with_link(
    services: &Services,
    context: &RequestContext,
    email: Email,
    password: &str,
) -> Result<VerifiedCredentials> {
    prove(services, context, email, password, false).await
}

async fn prove(
    services: &Services,
    context: &RequestContext,
    email: Email,
    password: &str,
    must_be_proved: bool,
) -> Result<VerifiedCredentials> {
    let password = services.passwords.read("password", password)?;
    let mut time = MinimumDuration::begin();
    let attempt = services.attempt(context, email.as_str());
    let now = services.now();
    let (attempt, account, organization_id) = services
        .store
        .read(move |tx| {
            attempt.may_be_made(tx, now)?;
            let account = users::find_account_by_email(tx, &email)?;
            // Asked for the unknown as well, so that as much is done for them.
            let user_id = account.as_ref().map_or(UserId::NIL, |it| it.user.id);
            let organization_id = memberships::first_of_user(tx, user_id)?;
            Ok::<_, Error>((attempt, account, organization_id))
        })
        .await?;
    let user_id = account.as_ref().map(|account| account.user.id);
    let is_enabled = account
        .as_ref()
        .is_some_and(|account| account.user.disabled_at.is_none());
    let is_proved = account
        .as_ref()
        .is_some_and(|account| account.email_verified_at.is_some());
    let stored = account
        .and_then(|account| account.password_hash)
        .map(StoredHash::from_stored);

    let verification = services.passwords.verify(password.clone(), stored.clone());
    let is_right = time.without(verification).await?;
    let (Some(user_id), Some(stored), true) = (user_id, stored, is_right && is_enabled) else {
        let entry = refusal(services, context, user_id, organization_id);
        let error = limits::fail(services, attempt, entry).await;
        time.end().await;
        return Err(error);
    };
    if must_be_proved && !is_proved {
        let entry = refusal(services, context, Some(user_id), organization_id);
        let now = services.now();
        services
            .store
            .write(move |tx| {
                // Or whoever is locked out would learn that the password is right.
                attempt.succeeded(tx, now)?;
                audit::insert(tx, &entry).map_err(Error::from)
            })
            .await?;
        return Err(Error::EmailNotVerified);
    }
    Ok(VerifiedCredentials {
        user_id,
        attempt,
        rehashed: services.passwords.rehash(password, &stored).await,
        stored,
    })
}

impl VerifiedCredentials {
    /// Reads the account and keeps it as it is, in the transaction that makes use of the proof. A hash that is
    /// out of date is renewed on the way.
    ///
    /// # Errors
    /// `InvalidCredentials` when the password was changed or the account disabled since it was proved,
    /// `TooManyAttempts` when too many others failed since.
    pub(in crate::service) fn lock(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<Account> {
        let account = users::lock_account(tx, self.user_id)?.ok_or(Error::InvalidCredentials)?;
        if account.user.disabled_at.is_some()
            || account.password_hash.as_deref() != Some(self.stored.as_str())
        {
            return Err(Error::InvalidCredentials);
        }
        self.attempt.succeeded(tx, now)?;
        if let Some(rehashed) = &self.rehashed {
            users::set_password_hash(tx, self.user_id, rehashed.as_str(), now)?;
        }
        Ok(account)
    }
}

/// Of a known and of an unknown address alike; admins of the organization that the known one joined first read of it.
fn refusal(
    services: &Services,
    context: &RequestContext,
    subject_id: Option<UserId>,
    organization_id: Option<OrganizationId>,
) -> AuditEntry {
    AuditEntry {
        subject_id,
        organization_id,
        ..services.audit(context, services.now(), Action::Login, Outcome::Refused)
    }
}
