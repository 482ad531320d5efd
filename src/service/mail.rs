//! Letters: written in the transaction of their cause, sent by a worker.

use chrono::{DateTime, Utc};

use super::Services;
use crate::crypto::sealed::{self, Purpose};
use crate::domain::ids::LetterId;
use crate::domain::{Email, Letter, lifetimes};
use crate::store::outbox::NewLetter;

impl Services {
    /// A letter ready for the outbox; the transaction of its cause inserts it.
    ///
    /// It is under our key there: it may hold a one-time token, and whoever reads the database shall not be able
    /// to use it.
    pub(super) fn letter(&self, now: DateTime<Utc>, to: Email, letter: &Letter) -> NewLetter {
        NewLetter {
            id: LetterId::new(now, self.random()),
            kind: letter.kind(),
            recipient: to,
            sealed: sealed::seal(
                letter,
                now + lifetimes::LETTER,
                Purpose::Letter,
                self.random(),
                &self.tokens.keyring(),
            ),
            created_at: now,
        }
    }
}
