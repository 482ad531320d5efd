//! The `totp` table: one authenticator a user.

use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::schema::totp;
use super::{StoreError, Tx, on};
use crate::domain::UserId;

/// Whether the user has an authenticator that was confirmed.
pub fn is_enrolled(tx: &mut Tx<'_>, user_id: UserId) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        totp::table
            .find(user_id)
            .filter(totp::confirmed_at.is_not_null())
    ))
    .get_result(conn))?)
}
