//! Reauthentication with the password, before a change that only the account's owner may make.

use crate::crypto::password::StoredHash;
use crate::domain::audit::Action;
use crate::domain::{Email, TypedPassword, Violation};
use crate::service::accounts::proven_password::ProvenPassword;
use crate::service::hashing::passwords::Comparand;
use crate::service::limits::{Attempt, HashingPermit, count_failure};
use crate::service::unit_of_work::{Actor, UnitOfWork};
use crate::service::{Caller, Error, Result, Services};
use crate::store::users;

/// Proof that the caller's password was right.
pub(in crate::service) struct Reauthenticated {
    attempt: Attempt,
    proven: ProvenPassword,
}

/// Verifies the password. A wrong one counts like one at sign-in, and is recorded as a refusal of `action`.
///
/// # Errors
/// `InvalidCredentials` for a wrong password, and for users without one; `TooManyAttempts` after too many.
pub(in crate::service) async fn reauthenticate(
    services: &Services,
    caller: &Caller,
    permit: &HashingPermit,
    password: TypedPassword,
    action: Action,
) -> Result<Reauthenticated> {
    let user_id = caller.profile.id;
    let email = caller.profile.email.as_ref().map(Email::as_str);
    let identity = email.map_or_else(|| user_id.to_string(), str::to_owned);
    let attempt = services.attempt(caller.address(), &identity);
    let now = services.now();
    let (attempt, account) = services
        .store
        .read(caller, move |tx| {
            attempt.check_allowed(tx, now)?;
            Ok::<_, Error>((attempt, users::find_account(tx, user_id)?))
        })
        .await?;
    let (password_changes, stored) = account
        .map(|account| (account.password_changes, account.password_hash))
        .unwrap_or_default();
    let stored = stored.map(StoredHash::from_stored);
    // They can see that they have no password, so nothing is computed to hide it.
    let verdict = match &stored {
        None => None,
        Some(stored) => {
            let comparand = Comparand {
                identity: &identity,
                account: Some(user_id),
                stored: Some(stored),
            };
            let verification = services.passwords.verify(permit, &password, comparand);
            Some(verification.await?)
        }
    };
    match stored.zip(verdict) {
        Some((stored, verdict)) if verdict.is_right => Ok(Reauthenticated {
            attempt,
            proven: ProvenPassword {
                outdated: verdict.is_outdated.then_some(password),
                password_changes,
                stored,
            },
        }),
        _ => {
            let locks = services
                .write_as(caller, move |unit, _| {
                    let event = unit.event(action).refused("wrong_password");
                    count_failure(unit, &attempt, event)
                })
                .await?;
            services.limits.count_locks(locks);
            Err(Error::InvalidCredentials)
        }
    }
}

/// As [`reauthenticate`], if a password is given.
///
/// # Errors
/// As [`reauthenticate`].
pub(in crate::service) async fn reauthenticate_if_given(
    services: &Services,
    caller: &Caller,
    permit: &HashingPermit,
    password: Option<&str>,
    field: &'static str,
    action: Action,
) -> Result<Option<Reauthenticated>> {
    let Some(password) = password else {
        return Ok(None);
    };
    let password = services.passwords.read(field, password)?;
    reauthenticate(services, caller, permit, password, action)
        .await
        .map(Some)
}

/// The proof in a call that takes the password: the password, or a fresh session for users who have none.
pub(in crate::service) struct OwnerProof {
    password: Option<Reauthenticated>,
    /// The password's name in the request.
    field: &'static str,
}

impl OwnerProof {
    /// # Errors
    /// As [`reauthenticate`].
    pub(crate) async fn read(
        services: &Services,
        caller: &Caller,
        permit: &HashingPermit,
        password: Option<&str>,
        field: &'static str,
        action: Action,
    ) -> Result<Self> {
        let password =
            reauthenticate_if_given(services, caller, permit, password, field, action).await?;
        Ok(Self { password, field })
    }

    /// Checks the proof in the transaction that uses it.
    ///
    /// # Errors
    /// As [`Reauthenticated::confirm`]; `Invalid` without the password of an account that has one;
    /// `ReauthenticationRequired`.
    pub(crate) fn confirm(&self, unit: &mut UnitOfWork<'_, '_>, actor: &Actor) -> Result<()> {
        match &self.password {
            Some(password) => password.confirm(unit, actor),
            None if actor.account.password_hash.is_some() => {
                let why = "Please enter your password.";
                Err(Violation::new(self.field, "required", why).into())
            }
            None => actor.must_be_fresh(unit.now),
        }
    }
}

impl Reauthenticated {
    /// Checks the proof again in the transaction that uses it.
    ///
    /// # Errors
    /// `InvalidCredentials` if the password was changed since, `TooManyAttempts` if too many other attempts have failed
    /// since.
    pub(crate) fn confirm(&self, unit: &mut UnitOfWork<'_, '_>, actor: &Actor) -> Result<()> {
        self.proven.confirm(unit, &actor.account)?;
        self.attempt.succeeded(unit.tx, unit.now)
    }
}
