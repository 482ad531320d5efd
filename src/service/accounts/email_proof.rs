//! What a link from an e-mail proves: that its holder reads an address's mail.

use serde::{Deserialize, Serialize};

use crate::domain::{Email, UserId};
use crate::store::users::{self, Account};
use crate::store::{StoreError, Tx};

/// Such a link as it is stored. By the time it comes back the account may have another address.
#[derive(Serialize, Deserialize)]
pub(in crate::service) struct EmailProof {
    pub user_id: UserId,
    email: String,
}

impl EmailProof {
    pub fn new(user_id: UserId, email: &Email) -> Self {
        Self {
            user_id,
            email: email.to_string(),
        }
    }

    pub fn email(&self) -> Email {
        Email::from_stored(self.email.clone())
    }

    /// Reads and locks the account; `None` when it is deleted, disabled, or has another address by now.
    pub fn lock(&self, tx: &mut Tx<'_>) -> Result<Option<Account>, StoreError> {
        Ok(users::lock_account(tx, self.user_id)?.filter(|account| self.is_of(account)))
    }

    /// As [`lock`](Self::lock), without the lock.
    pub fn find(&self, tx: &mut Tx<'_>) -> Result<Option<Account>, StoreError> {
        Ok(users::find_account(tx, self.user_id)?.filter(|account| self.is_of(account)))
    }

    fn is_of(&self, account: &Account) -> bool {
        let email = account.user.email.as_ref().map(Email::as_str);
        account.user.disabled_at.is_none() && email == Some(&self.email)
    }
}
