//! What a link from an e-mail proves: that its holder can read the e-mails of an address.

use serde::{Deserialize, Serialize};

use crate::domain::{Email, UserId};
use crate::store::users::{self, Account};
use crate::store::{StoreError, Tx};

/// The stored form of such a link. The account may have another address by the time it is used.
#[derive(Serialize, Deserialize)]
pub(in crate::service) struct EmailProof {
    pub user_id: UserId,
    email: String,
}

impl EmailProof {
    pub(crate) fn new(user_id: UserId, email: &Email) -> Self {
        Self {
            user_id,
            email: email.to_string(),
        }
    }

    pub(crate) fn email(&self) -> Email {
        Email::from_stored(self.email.clone())
    }

    /// Reads and locks the account; `None` if it was deleted or disabled, or has another address now.
    pub(crate) fn lock(&self, tx: &mut Tx<'_>) -> Result<Option<Account>, StoreError> {
        Ok(users::lock_account(tx, self.user_id)?.filter(|account| self.is_of(account)))
    }

    /// As [`lock`](Self::lock), without the lock.
    pub(crate) fn find(&self, tx: &mut Tx<'_>) -> Result<Option<Account>, StoreError> {
        Ok(users::find_account(tx, self.user_id)?.filter(|account| self.is_of(account)))
    }

    fn is_of(&self, account: &Account) -> bool {
        let email = account.user.email.as_ref().map(Email::as_str);
        account.user.disabled_at.is_none() && email == Some(&self.email)
    }
}
