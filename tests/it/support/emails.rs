//! The e-mails in the outbox, decrypted as their recipients would read them.

use chrono::{DateTime, Utc};
use hallpass::crypto::keyring::Keyring;
use hallpass::crypto::sealed::{self, Purpose};
use hallpass::domain::EmailMessage;
use serde_json::Value;

use super::test_app::{SECRET, TestApp};

impl TestApp {
    /// The unsent e-mails to an address, the oldest first.
    pub async fn emails_to(&self, email: &str) -> Vec<EmailMessage> {
        let keyring = Keyring::new(&[SECRET.into()]).unwrap();
        let select = format!(
            "select letter as v from outbox where recipient = '{email}' and letter is not null order by id"
        );
        let sealed = self.db.values(&select).await;
        sealed
            .iter()
            .map(|message| {
                let message = message.as_deref().unwrap();
                // Nothing has expired in 1970.
                sealed::open(
                    message,
                    DateTime::<Utc>::UNIX_EPOCH,
                    Purpose::EmailMessage,
                    &keyring,
                )
                .unwrap()
            })
            .collect()
    }

    /// The token in the newest e-mail of a kind (`verify_email`, …) to an address.
    pub async fn mailed_token(&self, email: &str, kind: &str) -> String {
        let emails = self.emails_to(email).await;
        let newest = emails.iter().rfind(|message| message.kind() == kind);
        let newest = newest.unwrap_or_else(|| panic!("no {kind} to {email} among {emails:?}"));
        let Value::String(token) = &serde_json::to_value(newest).unwrap()["token"] else {
            panic!("{newest:?} holds no token")
        };
        token.clone()
    }
}
