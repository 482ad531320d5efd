//! Reauthentication with the password, before a change that only the account's owner may make.

use crate::crypto::password::StoredHash;
use crate::domain::audit::Action;
use crate::domain::{Email, Password};
use crate::service::limits::{Attempt, HashingPermit, count_failure};
use crate::service::unit_of_work::{Actor, UnitOfWork};
use crate::service::{Caller, Error, Result, Services};
use crate::store::users;

/// Proof that the caller's password was right.
pub(in crate::service) struct Reauthenticated {
    attempt: Attempt,
    stored: StoredHash,
}

/// Verifies the password. A wrong one counts like one at sign-in, and is recorded as a refusal of `action`.
///
/// # Errors
/// `InvalidCredentials` for a wrong password, and for users without one; `TooManyAttempts` after too many.
pub(in crate::service) async fn reauthenticate(
    services: &Services,
    caller: &Caller,
    permit: &HashingPermit,
    password: Password,
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
    let stored = account
        .and_then(|account| account.password_hash)
        .map(StoredHash::from_stored);
    let is_right = match &stored {
        // They can see that they have no password, so no hash is needed to hide it.
        None => false,
        Some(_) => {
            let verification = services.passwords.verify(permit, password, stored.clone());
            verification.await?
        }
    };
    match stored {
        Some(stored) if is_right => Ok(Reauthenticated { attempt, stored }),
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
    password: Option<&str>,
    action: Action,
) -> Result<Option<Reauthenticated>> {
    let Some(password) = password else {
        return Ok(None);
    };
    let password = services.passwords.read("password", password)?;
    let permit = caller.permit_hashing(services).await?;
    reauthenticate(services, caller, &permit, password, action)
        .await
        .map(Some)
}

impl Reauthenticated {
    /// Checks the proof again in the transaction that uses it.
    ///
    /// # Errors
    /// `InvalidCredentials` if the password was changed since, `TooManyAttempts` if too many other attempts have failed
    /// since.
    pub(crate) fn confirm(&self, unit: &mut UnitOfWork<'_, '_>, actor: &Actor) -> Result<()> {
        if actor.account.password_hash.as_deref() != Some(self.stored.as_str()) {
            return Err(Error::InvalidCredentials);
        }
        self.attempt.succeeded(unit.tx, unit.now)
    }
}
