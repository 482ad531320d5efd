//! The first verification of an account's address.

use chrono::{DateTime, Utc};

use crate::store::one_time_tokens::{self, Purpose};
use crate::store::users::Account;
use crate::store::{StoreError, Tx, api_tokens, identities, users};

/// Hands an account to somebody who has just verified its address by choosing a password with a link sent to it.
///
/// Until then anybody may have made the account, to wait in it for the address's owner (Sudhodanan and Paverd,
/// "Pre-hijacked accounts", 2022). So every other way into it is closed: identities elsewhere, API tokens and open links.
/// Sessions end with the old password anyway. Memberships stay, they open nothing for others; and so does a second
/// factor, which a mailbox must never bypass.
pub(in crate::service) fn claim_account(
    tx: &mut Tx<'_>,
    account: &Account,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if account.email_verified_at.is_some() {
        return Ok(());
    }
    let user_id = account.user.id;
    identities::delete_of_user(tx, user_id)?;
    api_tokens::revoke_all_of(tx, user_id, now)?;
    one_time_tokens::delete_of_user(tx, user_id, &[Purpose::VerifyEmail])?;
    users::mark_email_verified(tx, user_id, now)
}
