//! Lists that are read at a standby.
//!
//! An answer shows at least what was committed when it was asked for, whichever instance wrote it: the primary says how
//! far its log is on the disk, and the standby is read once it has replayed that. Nothing here looks at a clock, because
//! the time of the last replayed transaction says nothing while nobody writes. Whatever goes wrong at the standby is
//! asked at the primary instead (docs/decisions/0050-lists-at-a-standby.md).

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{QueryableByName, RunQueryDsl as _, select, sql_query};

use super::queue::Queue;
use super::{Requester, StoreError, Tx};

/// How long a list waits for the standby to catch up.
const PATIENCE: Duration = Duration::from_millis(100);

const ASK_AGAIN: Duration = Duration::from_millis(5);

/// How long lists are read from the primary after the standby could not be used. Longer than connecting to it takes.
const REST: Duration = Duration::from_secs(5);

/// A place in the log of the primary, and the history that it belongs to.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct LogPosition {
    /// Written to the disk, and so sent to standbys.
    #[diesel(sql_type = Text)]
    flushed: String,
    /// The system and the timeline.
    #[diesel(sql_type = Text)]
    history: String,
}

impl LogPosition {
    /// # Errors
    /// On a standby, and when the database does not answer.
    pub(super) fn of_primary(tx: &mut Tx<'_>) -> Result<Self, StoreError> {
        let Tx::Postgres(connection) = tx else {
            return Err(StoreError::Failed("SQLite has no standby".to_owned()));
        };
        // The name of a file of the log begins with the timeline, eight hexadecimal digits.
        sql_query(
            "select flushed::text,
                 system_identifier || '/' || ('x' || left(pg_walfile_name(flushed), 8))::bit(32)::int as history
             from pg_current_wal_flush_lsn() as flushed, pg_control_system()",
        )
        .get_result(*connection)
        .map_err(StoreError::from)
    }
}

/// Why a standby is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandbyFault {
    NoAnswer(String),
    /// The primary does not say how far its log is.
    NoPosition(String),
    NoStandby,
    /// It has not heard of a failover yet, or belongs to another system.
    OtherHistory,
    /// By so many bytes of the log.
    Behind(i64),
}

/// For the operator; without the cause, which may name hosts and users.
impl fmt::Display for StandbyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer(_) => f.write_str("the server of DATABASE_READ_URL does not answer"),
            Self::NoPosition(_) => {
                f.write_str("the server of DATABASE_URL does not say how far its log is")
            }
            Self::NoStandby => f.write_str("the server of DATABASE_READ_URL is not a standby"),
            Self::OtherHistory => f.write_str(
                "the standby follows another primary, or has not heard of a failover yet",
            ),
            Self::Behind(bytes) => write!(f, "the standby is {bytes} bytes of the log behind"),
        }
    }
}

/// A standby, and whether it could be used last time.
#[derive(Clone)]
pub(super) struct Standby {
    queue: Queue,
    last_fault: Arc<Mutex<Option<(StandbyFault, Instant)>>>,
}

impl Standby {
    pub(super) fn new(queue: Queue) -> Self {
        Self {
            queue,
            last_fault: Arc::default(),
        }
    }

    /// Why it is not to be asked now. After a rest, one list tries again, while the others go on without it.
    pub(super) fn resting(&self) -> Option<StandbyFault> {
        let mut last = self.lock();
        let (fault, since) = last.as_mut()?;
        if since.elapsed() < REST {
            return Some(fault.clone());
        }
        *since = Instant::now();
        None
    }

    /// Reads once it has replayed what is before the position. `None` if `work` failed or did not run, which says
    /// nothing about the standby.
    pub(super) async fn read<T: Send + 'static, E>(
        &self,
        requester: Requester,
        position: Result<LogPosition, StoreError>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Option<T>, StandbyFault> {
        let answer = match position {
            Ok(position) => self.read_after(requester, position, work).await,
            Err(error) => Err(StandbyFault::NoPosition(error.to_string())),
        };
        match &answer {
            Ok(Some(_)) => self.note(None),
            Ok(None) => {}
            Err(fault) => self.note(Some(fault.clone())),
        }
        answer
    }

    async fn read_after<T: Send + 'static, E>(
        &self,
        requester: Requester,
        position: LogPosition,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Option<T>, StandbyFault> {
        let work = move |tx: &mut Tx<'_>| {
            let fault = reach(tx, &position)?;
            Ok(match fault {
                None => Ok(work(tx).ok()),
                Some(fault) => Err(fault),
            })
        };
        let answer = self.queue.run(requester, work).await;
        answer.unwrap_or_else(|error: StoreError| match error {
            // Other lists took too long.
            StoreError::Busy => Ok(None),
            error => Err(StandbyFault::NoAnswer(error.to_string())),
        })
    }

    /// The log has a line when lists begin to be read elsewhere.
    fn note(&self, fault: Option<StandbyFault>) {
        let mut last = self.lock();
        match (&fault, &*last) {
            (Some(fault), None) => {
                let cause = match fault {
                    StandbyFault::NoAnswer(cause) | StandbyFault::NoPosition(cause) => {
                        Some(cause.as_str())
                    }
                    _ => None,
                };
                tracing::warn!(cause, "{fault}; lists are read from the primary");
            }
            (None, Some(_)) => tracing::info!("lists are read at the standby again"),
            _ => {}
        }
        *last = fault.map(|fault| (fault, Instant::now()));
    }

    fn lock(&self) -> MutexGuard<'_, Option<(StandbyFault, Instant)>> {
        // No code that holds it can panic in the middle of a change.
        self.last_fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until the standby has replayed the log up to the position.
fn reach(tx: &mut Tx<'_>, position: &LogPosition) -> Result<Option<StandbyFault>, StoreError> {
    let begun = Instant::now();
    loop {
        let fault = fault(tx, position)?;
        if !matches!(fault, Some(StandbyFault::Behind(_))) || begun.elapsed() > PATIENCE {
            return Ok(fault);
        }
        sleep(ASK_AGAIN);
    }
}

fn fault(tx: &mut Tx<'_>, position: &LogPosition) -> Result<Option<StandbyFault>, StoreError> {
    let Tx::Postgres(connection) = tx else {
        return Ok(Some(StandbyFault::NoStandby));
    };
    // The timeline of the last checkpoint: after a failover, the standby is not used before its next one.
    let columns = sql::<(Bool, Bool, BigInt)>(
        "pg_is_in_recovery(),
         (select system_identifier from pg_control_system()) || '/' ||
             (select timeline_id from pg_control_checkpoint()) = ",
    )
    .bind::<Text, _>(&position.history)
    .sql(", coalesce(pg_wal_lsn_diff(cast(")
    .bind::<Text, _>(&position.flushed)
    .sql(" as pg_lsn), pg_last_wal_replay_lsn()), 0)::bigint");
    let (is_standby, is_same_history, behind) = select(columns).get_result(*connection)?;
    Ok(match (is_standby, is_same_history, behind) {
        (false, _, _) => Some(StandbyFault::NoStandby),
        (_, false, _) => Some(StandbyFault::OtherHistory),
        (_, _, 1..) => Some(StandbyFault::Behind(behind)),
        _ => None,
    })
}
