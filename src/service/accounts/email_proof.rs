//! What a link from a letter proves: that whoever holds it reads an address's mail.

use serde::{Deserialize, Serialize};

use crate::domain::{Email, UserId};
use crate::store::users::{self, Account};
use crate::store::{StoreError, Tx};

/// What is kept of such a link. By the time it comes back the account may have another address.
#[derive(Serialize, Deserialize)]
pub(in crate::service) struct Mailbox {
    pub user_id: UserId,
    email: String,
}

impl Mailbox {
    pub fn new(user_id: UserId, email: &Email) -> Self {
        Self {
            user_id,
            email: email.to_string(),
        }
    }

    pub fn email(&self) -> Email {
        Email::from_stored(self.email.clone())
    }

    /// Reads the account and keeps it as it is; `None` when it is gone, disabled, or has another address by now.
    pub fn lock(&self, tx: &mut Tx<'_>) -> Result<Option<Account>, StoreError> {
        Ok(users::lock_account(tx, self.user_id)?.filter(|account| self.is_of(account)))
    }

    /// As [`lock`](Self::lock), for those who only look.
    pub fn find(&self, tx: &mut Tx<'_>) -> Result<Option<Account>, StoreError> {
        Ok(users::find_account(tx, self.user_id)?.filter(|account| self.is_of(account)))
    }

    fn is_of(&self, account: &Account) -> bool {
        let email = account.user.email.as_ref().map(Email::as_str);
        account.user.disabled_at.is_none() && email == Some(&self.email)
    }
}
