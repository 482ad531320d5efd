//! The `one_time_tokens` table: secrets that open something once.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::one_time_tokens;
use super::types::At;
use super::{StoreError, Tx, on};

/// What a secret opens; it opens nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A sign-in with Slack that its client has still to collect.
    SlackCode,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::SlackCode => "slack_code",
        }
    }
}

/// `hash` is what is kept of the secret, `payload` what it will open.
pub fn insert(
    tx: &mut Tx<'_>,
    hash: &str,
    purpose: Purpose,
    payload: &str,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values = (
        one_time_tokens::hash.eq(hash),
        one_time_tokens::purpose.eq(purpose.as_str()),
        one_time_tokens::payload.eq(payload),
        one_time_tokens::expires_at.eq(At(expires_at)),
    );
    on!(tx, |conn| diesel::insert_into(one_time_tokens::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}

/// Takes the payload of a secret that has not expired. Of any number who try, one gets it.
pub fn take(
    tx: &mut Tx<'_>,
    hash: &str,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    Ok(on!(tx, |conn| diesel::delete(
        one_time_tokens::table
            .find(hash)
            .filter(one_time_tokens::purpose.eq(purpose.as_str()))
            .filter(one_time_tokens::expires_at.gt(At(now)))
    )
    .returning(one_time_tokens::payload)
    .get_result(conn)
    .optional())?)
}

/// Forgets what nobody could take any more.
pub fn delete_expired(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(on!(tx, |conn| diesel::delete(
        one_time_tokens::table.filter(one_time_tokens::expires_at.le(At(now)))
    )
    .execute(conn))?)
}
