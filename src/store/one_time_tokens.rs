//! The `one_time_tokens` table: secrets that open something once.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::one_time_tokens;
use super::types::Timestamp;
use super::{StoreError, Tx, on};
use crate::domain::UserId;

/// What a secret opens; it opens nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A sign-in with Slack that its client has still to collect.
    SlackCode,
    /// Proof of an account's address.
    VerifyEmail,
    /// A new password for somebody who forgot theirs.
    ResetPassword,
    /// Proof of the address that an account wants to have.
    ChangeEmail,
    /// A place in an organization.
    Invitation,
    /// The end of a session that its owner was told of.
    EndSession,
    /// A sign-in that lacks its second factor.
    SecondFactor,
    /// A sign-in into an organization that wants a second factor, by somebody who has none yet.
    MfaEnrolment,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::SlackCode => "slack_code",
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
            Self::Invitation => "invitation",
            Self::EndSession => "end_session",
            Self::SecondFactor => "second_factor",
            Self::MfaEnrolment => "mfa_enrolment",
        }
    }
}

pub struct NewToken<'a> {
    /// What is kept of the secret.
    pub hash: &'a str,
    pub purpose: Purpose,
    /// Whose account it opens something in, when it is somebody's.
    pub user_id: Option<UserId>,
    /// What it will open.
    pub payload: &'a str,
    pub expires_at: DateTime<Utc>,
}

pub fn insert(tx: &mut Tx<'_>, token: &NewToken<'_>) -> Result<(), StoreError> {
    let values = (
        one_time_tokens::hash.eq(token.hash),
        one_time_tokens::purpose.eq(token.purpose.as_str()),
        one_time_tokens::payload.eq(token.payload),
        one_time_tokens::expires_at.eq(Timestamp(token.expires_at)),
        one_time_tokens::user_id.eq(token.user_id),
    );
    on!(tx, |conn| diesel::insert_into(one_time_tokens::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}

/// Forgets a user's secrets of some purposes; tells how many there were.
pub fn delete_of_user(
    tx: &mut Tx<'_>,
    user_id: UserId,
    purposes: &[Purpose],
) -> Result<usize, StoreError> {
    let purposes = purposes.iter().map(|purpose| purpose.as_str());
    Ok(on!(tx, |conn| diesel::delete(
        one_time_tokens::table
            .filter(one_time_tokens::user_id.eq(user_id))
            .filter(one_time_tokens::purpose.eq_any(purposes))
    )
    .execute(conn))?)
}

/// The payload of a secret that has not expired, which stays as good as it was.
pub fn find(
    tx: &mut Tx<'_>,
    hash: &str,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    Ok(on!(tx, |conn| one_time_tokens::table
        .find(hash)
        .filter(one_time_tokens::purpose.eq(purpose.as_str()))
        .filter(one_time_tokens::expires_at.gt(Timestamp(now)))
        .select(one_time_tokens::payload)
        .get_result(conn)
        .optional())?)
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
            .filter(one_time_tokens::expires_at.gt(Timestamp(now)))
    )
    .returning(one_time_tokens::payload)
    .get_result(conn)
    .optional())?)
}

/// Forgets what nobody could take any more.
pub fn delete_expired(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(on!(tx, |conn| diesel::delete(
        one_time_tokens::table.filter(one_time_tokens::expires_at.le(Timestamp(now)))
    )
    .execute(conn))?)
}
