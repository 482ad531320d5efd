//! What webhooks are still to be told, for operators.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::service::Database;
use crate::store::{Requester, StoreError, webhook_deliveries};

/// How many events wait, and how many could not be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: i64,
    /// Seconds since the oldest of them happened.
    pub oldest_seconds: Option<i64>,
    /// In the last thirty days.
    pub given_up: i64,
}

impl fmt::Display for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.waiting, self.oldest_seconds) {
            (0, _) | (_, None) => f.write_str("No event is waiting")?,
            (1, Some(seconds)) => write!(f, "1 event has waited for {seconds} s")?,
            (n, Some(seconds)) => write!(f, "{n} events are waiting, the oldest for {seconds} s")?,
        }
        match self.given_up {
            0 => f.write_str("."),
            n => write!(f, "; {n} from the last 30 days could not be delivered."),
        }
    }
}

/// # Errors
/// When the database cannot be read.
pub async fn backlog(store: &Database, now: DateTime<Utc>) -> Result<Backlog, StoreError> {
    let found = store
        .read(Requester::READINESS, webhook_deliveries::backlog)
        .await?;
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
        let sentence = |waiting, oldest_seconds, given_up| {
            let backlog = Backlog {
                waiting,
                oldest_seconds,
                given_up,
            };
            backlog.to_string()
        };
        assert_eq!(sentence(0, None, 0), "No event is waiting.");
        assert_eq!(sentence(1, Some(9), 0), "1 event has waited for 9 s.");
        assert_eq!(
            sentence(3, Some(60), 2),
            "3 events are waiting, the oldest for 60 s; 2 from the last 30 days could not be delivered."
        );
    }
}
