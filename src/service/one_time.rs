//! Secrets that open something once: verification, reset, invitation, second factor and the like.
//!
//! 256 random bits, of which only a SHA-256 is kept. Whoever takes one deletes it, so of any number who try, one
//! gets what it opens (OWASP Forgot Password Cheat Sheet: random, single use, short-lived, stored hashed).

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crypto::opaque::Opaque;
use crate::domain::UserId;
use crate::service::{Error, Result};
use crate::store::one_time_tokens::{self, NewToken, Purpose};
use crate::store::{StoreError, Tx};

/// Keeps `payload` for whoever brings `secret`.
pub(in crate::service) fn issue(
    tx: &mut Tx<'_>,
    secret: &Opaque,
    purpose: Purpose,
    user_id: Option<UserId>,
    payload: &impl Serialize,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    let payload = serde_json::to_string(payload)
        .map_err(|error| Error::Internal(format!("a one-time token's payload: {error}")))?;
    let hash = secret.hash();
    let token = NewToken {
        hash: hash.as_str(),
        purpose,
        user_id,
        payload: &payload,
        expires_at,
    };
    one_time_tokens::insert(tx, &token)?;
    Ok(())
}

/// As [`issue`], in place of every other secret that the user has for the purpose. For nobody's account as much is
/// asked of the database.
pub(in crate::service) fn replace(
    tx: &mut Tx<'_>,
    secret: &Opaque,
    purpose: Purpose,
    user_id: Option<UserId>,
    payload: &impl Serialize,
    (now, lifetime): (DateTime<Utc>, TimeDelta),
) -> Result<()> {
    one_time_tokens::delete_of_user(tx, user_id.unwrap_or(UserId::NIL), &[purpose])?;
    issue(tx, secret, purpose, user_id, payload, now + lifetime)
}

/// As [`redeem`], and the secret stays as good as it was.
pub(in crate::service) fn find<T: DeserializeOwned>(
    tx: &mut Tx<'_>,
    secret: &str,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<Option<T>> {
    open(tx, secret, purpose, now, one_time_tokens::find)
}

/// What the secret opens, which is used up with it; `None` for one that is unknown, used, expired or for
/// something else.
pub(in crate::service) fn redeem<T: DeserializeOwned>(
    tx: &mut Tx<'_>,
    secret: &str,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<Option<T>> {
    open(tx, secret, purpose, now, one_time_tokens::take)
}

/// Whatever changes an account's credentials outdates the links and sign-ins that were under way.
pub(in crate::service) fn revoke_after_credential_change(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> std::result::Result<(), StoreError> {
    let outdated = [
        Purpose::ResetPassword,
        Purpose::ChangeEmail,
        Purpose::SlackCode,
        Purpose::SecondFactor,
        Purpose::MfaEnrolment,
    ];
    one_time_tokens::delete_of_user(tx, user_id, &outdated)?;
    Ok(())
}

fn open<T: DeserializeOwned>(
    tx: &mut Tx<'_>,
    secret: &str,
    purpose: Purpose,
    now: DateTime<Utc>,
    read: fn(&mut Tx<'_>, &str, Purpose, DateTime<Utc>) -> Result<Option<String>, StoreError>,
) -> Result<Option<T>> {
    let Some(secret) = Opaque::parse(secret) else {
        return Ok(None);
    };
    read(tx, secret.hash().as_str(), purpose, now)?
        .map(|payload| serde_json::from_str(&payload))
        .transpose()
        .map_err(|error| Error::Internal(format!("a stored one-time token: {error}")))
}
