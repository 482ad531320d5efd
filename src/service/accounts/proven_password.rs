//! A password that was right, until the transaction that relies on it.

use crate::crypto::password::StoredHash;
use crate::domain::TypedPassword;
use crate::service::hashing::rehashes::Rehash;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, Result};
use crate::store::users::Account;

pub(in crate::service) struct ProvenPassword {
    pub stored: StoredHash,
    /// Of the account, when the password was compared.
    pub password_changes: i32,
    /// The password, if its hash is to be replaced.
    pub outdated: Option<TypedPassword>,
}

impl ProvenPassword {
    /// The account is locked. Its hash may have been replaced by another of the same password meanwhile.
    ///
    /// # Errors
    /// `InvalidCredentials` if the password was changed since.
    pub(crate) fn confirm(&self, unit: &mut UnitOfWork<'_, '_>, account: &Account) -> Result<()> {
        let is_same =
            account.password_hash.is_some() && account.password_changes == self.password_changes;
        if !is_same {
            return Err(Error::InvalidCredentials);
        }
        unit.rehash_later(self.outdated.clone().map(|password| Rehash {
            user_id: account.user.id,
            stored: self.stored.clone(),
            password_changes: self.password_changes,
            password,
        }));
        Ok(())
    }
}
