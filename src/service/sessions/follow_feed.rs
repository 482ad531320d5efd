//! How the revocation cache follows the feed: it reads everything once, in pages, and then what is new.
//!
//! While it has not read everything, and after the database turned out to be another one, it is not fresh: tokens are
//! checked in the database.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::revocation_cache::{Reader, RevocationCache};
use super::revoked::{Lost, Revoked};
use crate::crypto::fingerprint::fingerprint;
use crate::domain::change::RecordedChange;
use crate::domain::{FeedCursor, lifetimes};
use crate::service::unit_of_work::Database;
use crate::store::feed::{self, News, PAGE, Position};
use crate::store::{Requester, StoreError};

/// How far back a new connection reads, before the last read: more than the clocks of instances differ.
const READ_AGAIN: TimeDelta = TimeDelta::minutes(5);

/// How many transactions back other services can have read to go on without the whole list after a start.
const TRANSACTIONS: i64 = 1_000_000;

/// How many changes are read of them: few enough for PostgreSQL to follow the index.
const AT_THE_START: usize = 4_096;

/// How many lost revocations a line of the log names.
const IN_A_LINE: usize = 50;

/// Whether there is more to read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Complete,
    More,
}

/// What the cache knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knowledge {
    /// Everything that was committed two seconds ago.
    Fresh,
    /// It reads what the database holds: so many revocations so far.
    Reading(usize),
    /// The database is a standby, which cannot be followed.
    Standby,
    /// The database could not be read for two seconds.
    Stale,
}

impl RevocationCache {
    pub fn knowledge(&self) -> Knowledge {
        if self.is_fresh() {
            return Knowledge::Fresh;
        }
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        if tables.is_standby {
            Knowledge::Standby
        } else if self.refreshed.load(Ordering::Acquire) == 0 {
            let read = tables.loading.as_ref().unwrap_or(&tables.current);
            Knowledge::Reading(read.len())
        } else {
            Knowledge::Stale
        }
    }

    /// Reads a page of what the database holds, or what is new.
    ///
    /// # Errors
    /// When the database cannot be read; what is known then stays as it is and becomes stale.
    pub async fn refresh(
        &self,
        store: &Database,
        now: DateTime<Utc>,
    ) -> Result<Progress, StoreError> {
        let mut reader = self.reader.lock().await;
        loop {
            match &mut *reader {
                Reader::Nothing => match store.read(Requester::FEED, feed::begin).await? {
                    Some(start) => *reader = self.begin(start, now),
                    None => {
                        self.forget(true);
                        return Ok(Progress::Complete);
                    }
                },
                Reader::Pages { start, last } => {
                    let page = read_page(store, *last).await?;
                    *last = page.last().map_or(*last, |row| (row.expires_at, row.seq));
                    self.load(&page);
                    if page.len() == usize::from(PAGE) {
                        return Ok(Progress::More);
                    }
                    let position = start.clone();
                    self.complete(store, now).await;
                    let history = history_of(&position, now);
                    self.begin_feed(store, &position, &history).await;
                    *reader = Reader::Following {
                        position,
                        history,
                        read_at: now,
                    };
                }
                Reader::Following {
                    position,
                    history,
                    read_at,
                } => {
                    // The time before the read, because a change committed after it may be missing.
                    let asked = self.started.elapsed();
                    let last = position.clone();
                    let news = store
                        .read(Requester::FEED, move |tx| feed::read(tx, &last))
                        .await?;
                    match news {
                        News::Changes(changes, next) => {
                            self.apply_read(&changes);
                            self.feed.publish(&changes, cursor(history, &next));
                            (*position, *read_at) = (next, now);
                            self.refreshed_at(asked);
                            return Ok(Progress::Complete);
                        }
                        News::Reconnected => {
                            match store.read(Requester::FEED, feed::begin).await? {
                                Some(start) if start.continues(position) => {
                                    let since = *read_at + lifetimes::ACCESS_TOKEN - READ_AGAIN;
                                    self.read_since(store, since).await?;
                                    *position = start;
                                    *history = history_of(position, now);
                                    self.begin_feed(store, position, history).await;
                                    // Not at once: behind a proxy each read could be on another connection.
                                    return Ok(Progress::Complete);
                                }
                                Some(_) => *reader = self.read_anew(),
                                None => *reader = Reader::Nothing,
                            }
                        }
                        News::Replaced => *reader = self.read_anew(),
                        News::Standby => *reader = Reader::Nothing,
                    }
                }
            }
        }
    }

    /// Lets other services follow, from what was written a moment ago on: most of them were only cut off.
    async fn begin_feed(&self, store: &Database, position: &Position, history: &str) {
        let from = position.clone();
        let read = store
            .read(Requester::FEED, move |tx| {
                feed::recent(tx, &from, (TRANSACTIONS, AT_THE_START))
            })
            .await;
        let (first, rows) = read.unwrap_or_else(|error| {
            tracing::debug!(%error, "services that follow revocations begin with the whole list");
            (position.unread().0, Vec::new())
        });
        let start = FeedCursor::new(history, first, &[]);
        self.feed.begin(start, cursor(history, position), &rows);
    }

    fn read_anew(&self) -> Reader {
        tracing::warn!(
            "this is not the history of the database that was read before: a standby was promoted, or a backup \
             restored; all revocations are read again"
        );
        self.forget(false);
        Reader::Nothing
    }

    fn begin(&self, start: Position, now: DateTime<Utc>) -> Reader {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.is_standby = false;
        tables.loading = Some(Revoked::default());
        Reader::Pages {
            start,
            last: (now, i64::MAX),
        }
    }

    fn load(&self, page: &[RecordedChange]) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let loading = tables.loading.get_or_insert_default();
        for row in page {
            loading.apply(row.change, row.expires_at);
        }
    }

    /// Uses what was read, and says what the database has lost of what was known.
    async fn complete(&self, store: &Database, now: DateTime<Utc>) {
        let (lost, known) = {
            let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
            let read = tables.loading.take().unwrap_or_default();
            let lost = tables.current.replace(read, now);
            (lost, tables.current.len())
        };
        self.clear_people();
        if self.was_complete.swap(true, Ordering::AcqRel) {
            report(&lost, known);
        }
        // On a read-only database they are read again each time, which costs little.
        if let Ok(true) = store.read(Requester::FEED, feed::has_foreign).await
            && let Err(error) = store.maintain(feed::adopt).await
        {
            tracing::debug!(%error, "changes of another system keep their transaction ids");
        }
    }

    /// Applies what expires after `since`.
    async fn read_since(&self, store: &Database, since: DateTime<Utc>) -> Result<(), StoreError> {
        let mut last = (since, i64::MAX);
        loop {
            let page = read_page(store, last).await?;
            self.apply_read(&page);
            match page.last() {
                Some(row) if page.len() == usize::from(PAGE) => last = (row.expires_at, row.seq),
                _ => return Ok(()),
            }
        }
    }

    fn apply_read(&self, changes: &[RecordedChange]) {
        for row in changes {
            self.apply(&[row.change], row.expires_at);
        }
    }

    fn refreshed_at(&self, asked: Duration) {
        let asked = u64::try_from(asked.as_millis()).unwrap_or(u64::MAX).max(1);
        self.refreshed.fetch_max(asked, Ordering::AcqRel);
    }

    /// From now on, tokens are checked in the database.
    fn forget(&self, is_standby: bool) {
        self.refreshed.store(0, Ordering::Release);
        self.feed.lose();
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.is_standby = is_standby;
    }
}

/// The name of a position's history in cursors.
fn history_of(position: &Position, now: DateTime<Utc>) -> String {
    let history = position.history();
    fingerprint(&history.unwrap_or_else(|| now.timestamp_micros().to_string()))
}

fn cursor(history: &str, position: &Position) -> FeedCursor {
    let (next, open) = position.unread();
    FeedCursor::new(history, next, open)
}

async fn read_page(
    store: &Database,
    after: (DateTime<Utc>, i64),
) -> Result<Vec<RecordedChange>, StoreError> {
    store
        .read(Requester::FEED, move |tx| feed::page(tx, after))
        .await
}

fn report(lost: &Lost, known: usize) {
    if lost.sessions.is_empty() && lost.users.is_empty() {
        tracing::info!(
            known,
            "revocations were read again; the database has lost none of them"
        );
        return;
    }
    tracing::error!(
        sessions = lost.sessions.len(),
        users = lost.users.len(),
        "the database has lost revocations: ended sessions are ended here only, and tokens of these users are good \
         again; end their sessions with `hallpass user sessions end --all`"
    );
    for sessions in lost.sessions.chunks(IN_A_LINE) {
        let ids: Vec<String> = sessions.iter().map(ToString::to_string).collect();
        tracing::error!(
            ids = ids.join(" "),
            "lost ends of sessions, by the end of their id"
        );
    }
    for users in lost.users.chunks(IN_A_LINE) {
        let ids: Vec<String> = users.iter().map(ToString::to_string).collect();
        tracing::error!(ids = ids.join(" "), "users whose tokens are good again");
    }
}
