//! Deletes what is no longer needed, of all tables, in small steps between which requests are served.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{Instant, sleep};

use crate::domain::{Retention, lifetimes};
use crate::service::Services;
use crate::service::limits::{IN_A_ROW_LASTS, WINDOW};
use crate::store::dead_rows::{self, DeadRows};

/// How many rows one transaction deletes at most: tens of milliseconds of SQLite's only writer.
const STEP: u32 = 1000;

/// The shortest pause between two steps.
const PAUSE: Duration = Duration::from_millis(5);

/// How long a step waits at most for requests that wait for the database, so that it goes on under constant load.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Every kind of rows that is deleted, and how long rows are kept after they have ended.
fn kept(services: &Services) -> Vec<(DeadRows, TimeDelta)> {
    let Retention {
        sessions,
        audit,
        emails,
        invitations,
    } = services.retention;
    let at_once = TimeDelta::zero();
    vec![
        (DeadRows::FailedAttempts, WINDOW),
        (DeadRows::FailuresInARow, IN_A_ROW_LASTS),
        (DeadRows::KnownAddresses, lifetimes::KNOWN_PLACE),
        (DeadRows::KnownDevices, lifetimes::KNOWN_PLACE),
        (DeadRows::SlackStates, at_once),
        (DeadRows::OneTimeTokens, at_once),
        (DeadRows::LegacySessions, at_once),
        (DeadRows::JoinLinks, at_once),
        (DeadRows::RevokedApiTokens, lifetimes::SPENT_API_TOKEN),
        (DeadRows::ExpiredApiTokens, lifetimes::SPENT_API_TOKEN),
        (DeadRows::Decoys, lifetimes::EMAIL_LIMIT_WINDOW),
        (DeadRows::SentEmails, emails.span()),
        (DeadRows::GivenUpEmails, emails.span()),
        // They are given up after that, by whoever would send them, or else here.
        (DeadRows::UnsentEmails, lifetimes::EMAIL + emails.span()),
        (DeadRows::DeliveredEvents, lifetimes::DELIVERED_EVENT),
        (DeadRows::UndeliveredEvents, lifetimes::UNDELIVERED_EVENT),
        (DeadRows::Invitations, invitations.span()),
        (DeadRows::Sessions, sessions.span()),
        (DeadRows::Audit, audit.span()),
        (DeadRows::Changes, at_once),
    ]
}

/// One transaction of a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub rows: DeadRows,
    pub deleted: usize,
}

/// A purge of all tables. One that is not finished leaves the rest to the next.
pub struct Purge<'a> {
    services: &'a Services,
    /// What is still to be deleted, the next one last.
    left: Vec<(DeadRows, TimeDelta)>,
    /// How long the step before took.
    took: Option<Duration>,
}

impl<'a> Purge<'a> {
    pub fn new(services: &'a Services) -> Self {
        let mut left = kept(services);
        left.reverse();
        Self {
            services,
            left,
            took: None,
        }
    }

    /// Deletes some rows after a pause in which requests go first; `None` when nothing is left, or when the instance is
    /// stopping. Errors are logged, and leave the rest of that kind to the next purge.
    pub async fn step(&mut self) -> Option<Step> {
        self.pause().await;
        while !self.services.is_stopping() {
            let &(rows, kept) = self.left.last()?;
            let since = self.services.now() - kept;
            let begun = Instant::now();
            let deleted = self
                .services
                .store
                .maintain(move |tx| dead_rows::delete_some(tx, rows, since, STEP))
                .await;
            self.took = Some(begun.elapsed());
            if let Err(error) = &deleted {
                tracing::warn!(%error, ?rows, "expired rows were not deleted; trying again in an hour");
            }
            let deleted = deleted.unwrap_or(0);
            if deleted < STEP as usize {
                self.left.pop();
            }
            if deleted > 0 {
                return Some(Step { rows, deleted });
            }
        }
        None
    }

    /// At least as long as the step before took, so that the writer is free half of the time.
    async fn pause(&mut self) {
        let Some(took) = self.took.take() else {
            return;
        };
        let begun = Instant::now();
        sleep(took.max(PAUSE)).await;
        while self.services.store.is_waited_for() && begun.elapsed() < LONGEST_PAUSE {
            sleep(PAUSE).await;
        }
    }
}

/// Deletes everything that is no longer needed, in the database and in the memory of this instance.
pub async fn purge(services: &Services) {
    let mut purge = Purge::new(services);
    while purge.step().await.is_some() {}
    let now = services.now();
    services.limits.forget_full(now);
    services.revocations.forget_expired(now);
    // A large file of SQLite's shrinks, and queries are planned for what is left.
    let tidied = async {
        services.store.keep_room().await?;
        services.store.optimize().await
    };
    if let Err(error) = tidied.await {
        tracing::warn!(%error, "the database was not tidied; trying again in an hour");
    }
}
