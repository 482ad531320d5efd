//! Verifies an e-mail address and a password for a sign-in.

use crate::crypto::password::StoredHash;
use crate::domain::audit::{Action, Method};
use crate::domain::{AddressBlock, DeviceOwner, Email, OrganizationId, UserId};
use crate::service::accounts::minimum_duration::MinimumDuration;
use crate::service::accounts::proven_password::ProvenPassword;
use crate::service::hashing::passwords::Comparand;
use crate::service::limits::{Attempt, Whose, count_failure, permit_hashing};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::users::Account;
use crate::store::{Tx, memberships, users};

/// Proof that a password was right.
pub(in crate::service) struct VerifiedCredentials {
    pub user_id: UserId,
    /// The one that the user joined first.
    pub organization_id: Option<OrganizationId>,
    attempt: Attempt,
    proven: ProvenPassword,
}

/// # Errors
/// `InvalidCredentials`, with the same timing and answer, for an unknown address, a wrong password, a disabled
/// account and an account without a password; `TooManyAttempts` after too many of any of them;
/// after the right password, `EmailNotVerified` where addresses must be verified first.
pub(in crate::service) async fn verify_credentials(
    services: &Services,
    context: &RequestContext,
    email: Email,
    password: &str,
) -> Result<VerifiedCredentials> {
    let must_be_verified = services.require_verified_email;
    prove(services, context, email, password, must_be_verified).await
}

/// As [`verify_credentials`], for a user whose link verifies the address.
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
    must_be_verified: bool,
) -> Result<VerifiedCredentials> {
    let password = services.passwords.read("password", password)?;
    let permit = permit_hashing(services, context, Whose::Typed(email.clone())).await?;
    let mut time = MinimumDuration::begin();
    let identity = email.as_str().to_owned();
    let mut attempt = services.attempt(context.address, &identity);
    let (now, address) = (services.now(), context.address);
    let mark_of = services.marks(context);
    let (attempt, standing, account, organization_id) = services
        .store
        .read(context, move |tx| {
            tx.ahead(|tx| {
                let typed = (&email, address);
                let account = users::find_account_by_email(tx, &email);
                attempt.ask(tx, now, Some(typed));
                (account, memberships::first_of_email(tx, &email))
            });
            let account = users::find_account_by_email(tx, &email)?;
            // Done for unknown addresses too, so that the work is the same.
            let owner = account
                .as_ref()
                .map_or(DeviceOwner::NONE, |it| (&it.user).into());
            let standing = attempt.standing(tx, now, (&email, address), mark_of(owner))?;
            let organization_id = memberships::first_of_email(tx, &email)?;
            Ok::<_, Error>((attempt, standing, account, organization_id))
        })
        .await?;
    let user_id = account.as_ref().map(|account| account.user.id);
    let is_enabled = account
        .as_ref()
        .is_some_and(|account| account.user.disabled_at.is_none());
    let is_verified = account
        .as_ref()
        .is_some_and(|account| account.email_verified_at.is_some());
    let permit = match user_id.filter(|_| standing.is_known()) {
        Some(owner) => permit.at_known_place(owner, context.address.map(AddressBlock::from)),
        None => permit,
    };
    let (password_changes, stored) = account
        .map(|account| (account.password_changes, account.password_hash))
        .unwrap_or_default();
    let stored = stored.map(StoredHash::from_stored);
    let comparand = Comparand {
        identity: &identity,
        account: user_id,
        stored: stored.as_ref(),
    };
    let verification = services.passwords.verify(&permit, &password, comparand);
    let verdict = time.without(verification).await?;
    let is_right = verdict.is_right;
    let reason = match (user_id, &stored) {
        (None, _) => "unknown_account",
        (Some(_), None) => "no_password",
        (Some(_), Some(_)) if !is_right => "wrong_password",
        (Some(_), Some(_)) if !is_enabled => "disabled",
        (Some(_), Some(_)) if !standing.admits() => "locked",
        (Some(_), Some(_)) => "email_not_verified",
    };
    let refusal = move |unit: &UnitOfWork<'_, '_>| {
        // Admins of the organization that the account joined first see it.
        let event = unit.event(Action::Login).about(user_id);
        let event = event.within(organization_id).by(Method::Password);
        event.refused(reason)
    };
    let is_admitted = is_right && is_enabled && standing.admits();
    let (Some(user_id), Some(stored), true) = (user_id, stored, is_admitted) else {
        let counted = services
            .write(context, move |unit| {
                let event = refusal(unit);
                count_failure(unit, &attempt, event)
            })
            .await;
        if let Ok(locks) = counted {
            services.limits.count_locks(locks);
        }
        time.end().await;
        return Err(counted.err().unwrap_or(Error::InvalidCredentials));
    };
    if must_be_verified && !is_verified {
        return services
            .write(context, move |unit| {
                // Otherwise a client beyond the limit would learn that the password is right.
                attempt.succeeded(unit.tx, unit.now)?;
                let event = refusal(unit);
                unit.refuse(event, Error::EmailNotVerified)
            })
            .await;
    }
    Ok(VerifiedCredentials {
        user_id,
        organization_id,
        attempt,
        proven: ProvenPassword {
            outdated: verdict.is_outdated.then_some(password),
            password_changes,
            stored,
        },
    })
}

impl VerifiedCredentials {
    /// Asks [ahead](Tx::ahead) what [`lock`](Self::lock) asks, and then `more`.
    pub(crate) fn ask<T>(
        &self,
        unit: &mut UnitOfWork<'_, '_>,
        more: impl FnOnce(&mut Tx<'_>) -> T,
    ) {
        let now = unit.now;
        unit.tx.ahead(|tx| {
            let account = users::lock_account(tx, self.user_id);
            self.attempt.ask(tx, now, None);
            (account, more(tx))
        });
    }

    /// Reads and locks the account in the transaction that uses the proof. An outdated hash is replaced after it.
    ///
    /// # Errors
    /// `InvalidCredentials` if the password was changed or the account disabled since, `TooManyAttempts` if too many
    /// other attempts have failed since.
    pub(crate) fn lock(&self, unit: &mut UnitOfWork<'_, '_>) -> Result<Account> {
        let account =
            users::lock_account(unit.tx, self.user_id)?.ok_or(Error::InvalidCredentials)?;
        if account.user.disabled_at.is_some() {
            return Err(Error::InvalidCredentials);
        }
        self.proven.confirm(unit, &account)?;
        self.attempt.succeeded(unit.tx, unit.now)?;
        Ok(account)
    }
}
