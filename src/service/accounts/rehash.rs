//! Replaces hashes of passwords that were right by what we would store today.

use crate::crypto::password::StoredHash;
use crate::service::{Error, Result, Services};
use crate::store::users;

/// Waits for the next one, and replaces it.
///
/// # Errors
/// When the database fails; the next sign-in does it then.
pub async fn rehash_next(services: &Services) -> Result<()> {
    let (rehash, replacement) = services.passwords.next_rehashed().await;
    services
        .store
        .maintain(move |tx| {
            let account = users::lock_account(tx, rehash.user_id)?;
            let account = account.filter(|it| it.password_changes == rehash.password_changes);
            let Some(stored) = account.and_then(|account| account.password_hash) else {
                return Ok(());
            };
            // It is of the same password: what was compared, that in bcrypt, or one made after another sign-in.
            let stored = StoredHash::from_stored(stored);
            if stored == rehash.stored || stored.is_imported() {
                let id = rehash.user_id;
                users::replace_password_hash(tx, id, stored.as_str(), replacement.as_str())?;
            }
            Ok::<_, Error>(())
        })
        .await
}
