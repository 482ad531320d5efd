//! One-time secrets: for verification, password reset, invitations, the second factor and the like.
//!
//! They are 256 random bits, stored only as SHA-256. Redeeming one deletes it, so that of concurrent attempts one
//! succeeds (OWASP Forgot Password Cheat Sheet: random, single use, short-lived, stored hashed).

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crypto::opaque::Opaque;
use crate::domain::UserId;
use crate::service::{Error, Result};
use crate::store::one_time_tokens::{self, NewToken, Purpose};
use crate::store::{StoreError, Tx};

/// Stores `payload` under `secret`.
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

/// As [`issue`], and deletes the user's other secrets for the purpose. Without a user the queries are the same.
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

/// As [`redeem`], but the secret stays valid.
pub(in crate::service) fn find<T: DeserializeOwned>(
    tx: &mut Tx<'_>,
    secret: &str,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<Option<T>> {
    open(tx, secret, purpose, now, one_time_tokens::find)
}

/// Deletes the secret and returns its payload; `None` if it is unknown, used, expired or for another purpose.
pub(in crate::service) fn redeem<T: DeserializeOwned>(
    tx: &mut Tx<'_>,
    secret: &str,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<Option<T>> {
    open(tx, secret, purpose, now, one_time_tokens::take)
}

/// Deletes links and pending sign-ins that a change of the account's credentials makes invalid.
pub(in crate::service) fn revoke_after_credential_change(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> std::result::Result<(), StoreError> {
    let links = [Purpose::ResetPassword, Purpose::ChangeEmail];
    one_time_tokens::delete_of_user(tx, user_id, &links)?;
    revoke_pending_sign_ins(tx, user_id)
}

/// Deletes sign-ins that wait for a second step or for their code.
pub(in crate::service) fn revoke_pending_sign_ins(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> std::result::Result<(), StoreError> {
    let pending = [
        Purpose::SlackCode,
        Purpose::SecondFactor,
        Purpose::MfaEnrolment,
    ];
    one_time_tokens::delete_of_user(tx, user_id, &pending)?;
    Ok(())
}

/// Reads the payload stored under a hash, and may delete it.
type ReadPayload =
    fn(&mut Tx<'_>, &str, Purpose, DateTime<Utc>) -> Result<Option<String>, StoreError>;

fn open<T: DeserializeOwned>(
    tx: &mut Tx<'_>,
    secret: &str,
    purpose: Purpose,
    now: DateTime<Utc>,
    read: ReadPayload,
) -> Result<Option<T>> {
    let Some(secret) = Opaque::parse(secret) else {
        return Ok(None);
    };
    read(tx, secret.hash().as_str(), purpose, now)?
        .map(|payload| serde_json::from_str(&payload))
        .transpose()
        .map_err(|error| Error::Internal(format!("a stored one-time token: {error}")))
}
