//! Letters: written in the transaction of their cause, sent by a worker.

mod backlog;
mod deliver;
mod forget;
pub mod links;
mod mail_transport;
mod pause;
pub mod rate_limit;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::crypto::keyring::Keyring;
use crate::crypto::sealed::{self, NONCE, Purpose};
use crate::domain::ids::EmailId;
use crate::domain::{Email, EmailMessage, lifetimes};
use crate::service::Services;
use crate::store::outbox::NewEmail;

pub use backlog::{Backlog, backlog};
pub use deliver::{claim, deliver};
pub use forget::purge_settled;
pub use mail_transport::MailTransport;

/// What a letter is written with, for those who learn within a transaction what it says and to whom.
#[derive(Clone)]
pub(in crate::service) struct EmailSealer {
    id: EmailId,
    nonce: [u8; NONCE],
    keyring: Arc<Keyring>,
    now: DateTime<Utc>,
}

impl Services {
    /// For one letter.
    pub(in crate::service) fn email_sealer(&self, now: DateTime<Utc>) -> EmailSealer {
        EmailSealer {
            id: EmailId::new(now, self.random()),
            nonce: self.random(),
            keyring: self.tokens.keyring(),
            now,
        }
    }

    /// A letter ready for the outbox; the transaction of its cause inserts it.
    pub(in crate::service) fn letter(
        &self,
        now: DateTime<Utc>,
        to: Email,
        letter: &EmailMessage,
    ) -> NewEmail {
        self.email_sealer(now).write(to, letter)
    }
}

impl EmailSealer {
    /// A letter ready for the outbox; the transaction of its cause inserts it.
    ///
    /// It is under our key there: it may hold a one-time token, and whoever reads the database shall not be able
    /// to use it.
    pub fn write(self, to: Email, letter: &EmailMessage) -> NewEmail {
        NewEmail {
            id: self.id,
            kind: letter.kind(),
            recipient: to,
            sealed: sealed::seal(
                letter,
                self.now + lifetimes::EMAIL,
                Purpose::EmailMessage,
                self.nonce,
                &self.keyring,
            ),
            created_at: self.now,
        }
    }
}
