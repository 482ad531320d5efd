//! The `one_time_tokens` table: secrets that can be used once.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::schema::one_time_tokens;
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::UserId;

/// The only thing that a secret can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To exchange a finished sign-in with Slack for the client's tokens.
    SlackCode,
    /// To verify the address of an account.
    VerifyEmail,
    /// To set a new password after the old one was forgotten.
    ResetPassword,
    /// To verify the new address of an account.
    ChangeEmail,
    /// To join an organization.
    Invitation,
    /// To end a session that its owner was notified of.
    EndSession,
    /// To undo a new API token or authenticator that its owner was notified of.
    Undo,
    /// To finish a sign-in with the second factor.
    SecondFactor,
    /// To set up a second factor during the sign-in to an organization that requires it.
    MfaEnrolment,
    /// None: a session token of an earlier system, which was exchanged.
    LegacySession,
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
            Self::Undo => "undo",
            Self::SecondFactor => "second_factor",
            Self::MfaEnrolment => "mfa_enrolment",
            Self::LegacySession => "legacy_session",
        }
    }
}

pub struct NewToken<'a> {
    /// The hash of the secret.
    pub hash: &'a str,
    pub purpose: Purpose,
    /// The account it belongs to, if any.
    pub user_id: Option<UserId>,
    /// What its user gets.
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
    later!(
        tx,
        diesel::insert_into(one_time_tokens::table).values(values)
    )?;
    Ok(())
}

/// Deletes a user's secrets for these purposes.
pub fn delete_of_user(
    tx: &mut Tx<'_>,
    user_id: UserId,
    purposes: &[Purpose],
) -> Result<(), StoreError> {
    let purposes: Vec<&str> = purposes.iter().map(|purpose| purpose.as_str()).collect();
    later!(
        tx,
        diesel::delete(
            one_time_tokens::table
                .filter(one_time_tokens::user_id.eq(user_id))
                .filter(one_time_tokens::purpose.eq_any(&purposes))
        )
    )?;
    Ok(())
}

/// Deletes all secrets of a user.
pub fn delete_all_of_user(tx: &mut Tx<'_>, user_id: UserId) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::delete(
        one_time_tokens::table.filter(one_time_tokens::user_id.eq(user_id))
    )
    .execute(conn))?;
    Ok(())
}

/// The payload of a secret that has not expired. The secret remains valid.
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

/// Whether the user has a secret for the purpose that has not expired.
pub fn exists_for(
    tx: &mut Tx<'_>,
    user_id: UserId,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        one_time_tokens::table
            .filter(one_time_tokens::user_id.eq(user_id))
            .filter(one_time_tokens::purpose.eq(purpose.as_str()))
            .filter(one_time_tokens::expires_at.gt(Timestamp(now)))
    ))
    .get_result(conn))?)
}

/// Deletes a secret that has not expired and returns its payload. Of concurrent attempts, one succeeds.
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
