//! Letters: written in the transaction of their cause, sent by a worker.

mod backlog;
mod deliver;
mod forget;
mod pause;
mod post_office;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Services;
use crate::crypto::keyring::Keyring;
use crate::crypto::sealed::{self, NONCE, Purpose};
use crate::domain::ids::LetterId;
use crate::domain::{Email, Letter, lifetimes};
use crate::store::outbox::NewLetter;

pub use backlog::{Backlog, backlog};
pub use deliver::{claim, deliver};
pub use forget::forget_settled;
pub use post_office::PostOffice;

/// What a letter is written with, for those who learn within a transaction what it says and to whom.
#[derive(Clone)]
pub(super) struct Stationery {
    id: LetterId,
    nonce: [u8; NONCE],
    keyring: Arc<Keyring>,
    now: DateTime<Utc>,
}

impl Services {
    /// For one letter.
    pub(super) fn stationery(&self, now: DateTime<Utc>) -> Stationery {
        Stationery {
            id: LetterId::new(now, self.random()),
            nonce: self.random(),
            keyring: self.tokens.keyring(),
            now,
        }
    }

    /// A letter ready for the outbox; the transaction of its cause inserts it.
    pub(super) fn letter(&self, now: DateTime<Utc>, to: Email, letter: &Letter) -> NewLetter {
        self.stationery(now).write(to, letter)
    }
}

impl Stationery {
    /// A letter ready for the outbox; the transaction of its cause inserts it.
    ///
    /// It is under our key there: it may hold a one-time token, and whoever reads the database shall not be able
    /// to use it.
    pub fn write(self, to: Email, letter: &Letter) -> NewLetter {
        NewLetter {
            id: self.id,
            kind: letter.kind(),
            recipient: to,
            sealed: sealed::seal(
                letter,
                self.now + lifetimes::LETTER,
                Purpose::Letter,
                self.nonce,
                &self.keyring,
            ),
            created_at: self.now,
        }
    }
}
