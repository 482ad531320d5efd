//! The first verification of an account's address.

use chrono::{DateTime, Utc};

use crate::store::one_time_tokens::{self, Purpose};
use crate::store::users::Account;
use crate::store::{StoreError, Tx, api_tokens, identities, users};

/// Secures an account whose owner has just verified its address by setting a password with a link sent to it.
///
/// Until then an attacker may have created it, to get access once the owner uses it (Sudhodanan and Paverd,
/// "Pre-hijacked accounts", 2022). So every other way to sign in is removed: linked identities, API tokens and open
/// links. The reset ends sessions anyway. Memberships stay, because they give others no access; and so does a second
/// factor, which access to the mailbox must never bypass.
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
