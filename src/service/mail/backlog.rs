//! The e-mails that wait to be sent, for operators.

use chrono::{DateTime, Utc};

use crate::service::Database;
use crate::store::{Requester, StoreError, outbox};

/// How many e-mails wait, and how many could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: i64,
    /// Seconds since the oldest of them was queued.
    pub oldest_seconds: Option<i64>,
    /// In the last thirty days.
    pub given_up: i64,
}

impl std::fmt::Display for Backlog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.waiting, self.oldest_seconds) {
            (0, _) | (_, None) => f.write_str("No e-mail is waiting")?,
            (1, Some(seconds)) => write!(f, "1 e-mail has waited for {seconds} s")?,
            (n, Some(seconds)) => write!(f, "{n} e-mails are waiting, the oldest for {seconds} s")?,
        }
        match self.given_up {
            0 => f.write_str("."),
            n => write!(f, "; {n} from the last 30 days could not be sent."),
        }
    }
}

/// # Errors
/// When the database cannot be read.
pub async fn backlog(store: &Database, now: DateTime<Utc>) -> Result<Backlog, StoreError> {
    let found = store.read(Requester::READINESS, outbox::backlog).await?;
    Ok(Backlog {
        waiting: found.waiting,
        oldest_seconds: found.oldest.map(|at| (now - at).num_seconds().max(0)),
        given_up: found.given_up,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_one_sentence() {
        let told = |waiting, oldest_seconds, given_up| {
            Backlog {
                waiting,
                oldest_seconds,
                given_up,
            }
            .to_string()
        };
        assert_eq!(told(0, None, 0), "No e-mail is waiting.");
        assert_eq!(told(1, Some(7), 0), "1 e-mail has waited for 7 s.");
        assert_eq!(
            told(3, Some(90), 2),
            "3 e-mails are waiting, the oldest for 90 s; 2 from the last 30 days could not be sent."
        );
    }
}
