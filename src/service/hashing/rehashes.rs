//! Passwords that were right, and whose hashes are to be replaced by ours once there is time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::crypto::password::StoredHash;
use crate::domain::{TypedPassword, UserId};

/// What is not done by then waits for the next sign-in, since passwords are not kept for long.
const PATIENCE: Duration = Duration::from_secs(600);

/// Beyond that the next sign-in does it. Each is a password of mostly some ten bytes.
const DEPTH: usize = 4096;

/// A right password, and the hash that it was compared with.
#[derive(Debug, Clone)]
pub(in crate::service) struct Rehash {
    pub user_id: UserId,
    pub stored: StoredHash,
    /// Of the account, when the password was compared.
    pub password_changes: i32,
    pub password: TypedPassword,
}

/// Those that wait, first in first out.
#[derive(Debug, Default)]
pub(super) struct Rehashes {
    waiting: Mutex<VecDeque<(Instant, Rehash)>>,
    added: Notify,
    left_out: AtomicU64,
}

/// How many wait, and how many were left to the next sign-in since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RehashLoad {
    pub waiting: usize,
    pub left_out: u64,
}

impl Rehashes {
    pub(super) fn add(&self, rehash: Rehash, now: Instant) {
        let mut waiting = self.lock();
        // Of somebody who signs in on several devices once is enough.
        if waiting
            .iter()
            .any(|(_, other)| other.user_id == rehash.user_id)
        {
            return;
        }
        if waiting.len() == DEPTH {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.push_back((now, rehash));
        drop(waiting);
        self.added.notify_one();
    }

    /// Waits for the next one, and until when it is to be done.
    pub(super) async fn next(&self) -> (Instant, Rehash) {
        loop {
            let next = self.lock().pop_front();
            match next {
                Some((since, rehash)) => {
                    self.added.notify_one();
                    return (since + PATIENCE, rehash);
                }
                None => self.added.notified().await,
            }
        }
    }

    pub(super) fn leave_out(&self) {
        self.left_out.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn load(&self) -> RehashLoad {
        RehashLoad {
            waiting: self.lock().len(),
            left_out: self.left_out.load(Ordering::Relaxed),
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Instant, Rehash)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
