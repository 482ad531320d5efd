//! The list of revocations: whole, in pages of the database or packed from memory, and what is new.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::{AcquireError, SemaphorePermit};
use tokio::time::timeout;

use super::feed::{Packed, Signal};
use super::revocation::Revocation;
use crate::domain::FeedCursor;
use crate::service::{Error, Result, Services};
use crate::store::Requester;
use crate::store::feed::{PAGE, page};

/// What came after a cursor, and how far that is.
pub struct News {
    pub cursor: FeedCursor,
    pub entries: Vec<Revocation>,
}

/// What came after a cursor; `None` if only the whole list says so: the cursor is missing, of another history, or too
/// old. With `wait`, not before there is something, if there is in that time.
///
/// # Errors
/// `Unavailable` while this instance does not know the latest revocations.
pub async fn news(
    services: &Services,
    after: Option<&FeedCursor>,
    wait: Duration,
) -> Result<Option<News>> {
    let until = Instant::now() + wait;
    loop {
        // First, so that what comes meanwhile is heard.
        let (mut signals, _) = listen(services)?;
        let Some((entries, cursor)) =
            after.and_then(|after| services.revocations.feed.since(after))
        else {
            return Ok(None);
        };
        let left = until.saturating_duration_since(Instant::now());
        if !entries.is_empty() || left.is_zero() || services.is_stopping() {
            return Ok(Some(News { cursor, entries }));
        }
        // A piece without entries says only that time has passed.
        let _ = timeout(left, signals.recv()).await;
    }
}

/// Listens to what is new from a cursor on.
///
/// # Errors
/// `Unavailable` while this instance does not know the latest revocations.
pub(super) fn listen(
    services: &Services,
) -> Result<(tokio::sync::broadcast::Receiver<Signal>, FeedCursor)> {
    let is_fresh = services.revocations.is_fresh();
    let (signals, cursor) = services.revocations.feed.listen();
    match cursor.filter(|_| is_fresh) {
        Some(cursor) => Ok((signals, cursor)),
        None => {
            let why = "the latest revocations are not known here";
            Err(Error::Unavailable(why.to_owned()))
        }
    }
}

/// The whole list as it was at `cursor` or later, read from the database in pages.
pub struct WholeList {
    services: Arc<Services>,
    requester: Requester,
    pub cursor: FeedCursor,
    last: Option<(DateTime<Utc>, i64)>,
}

impl WholeList {
    /// # Errors
    /// `Unavailable` while this instance does not know the latest revocations.
    pub fn begin(services: &Arc<Services>, requester: impl Into<Requester>) -> Result<Self> {
        let (_, cursor) = listen(services)?;
        Ok(Self::at(cursor, services, requester.into()))
    }

    pub(super) fn at(cursor: FeedCursor, services: &Arc<Services>, requester: Requester) -> Self {
        Self {
            last: Some((services.now(), i64::MAX)),
            services: Arc::clone(services),
            requester,
            cursor,
        }
    }

    /// The next entries; `None` at the end.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next(&mut self) -> Result<Option<Vec<Revocation>>> {
        let Some(last) = self.last else {
            return Ok(None);
        };
        let _turn = turn(&self.services).await?;
        let rows = self
            .services
            .store
            .read(self.requester, move |tx| page(tx, last))
            .await?;
        self.last = rows
            .last()
            .filter(|_| rows.len() == usize::from(PAGE))
            .map(|row| (row.expires_at, row.seq));
        let entries = rows.iter().filter_map(|row| Revocation::of(row.change));
        Ok(Some(entries.collect()))
    }
}

/// Few read the whole list at once, so that thousands who come back together do not stop everybody else.
async fn turn(services: &Services) -> Result<SemaphorePermit<'_>> {
    let lists = &services.revocations.feed.whole_lists;
    lists
        .acquire()
        .await
        .map_err(|error: AcquireError| Error::Internal(error.to_string()))
}

/// The first line of a packed list.
#[derive(Serialize)]
struct Head {
    cursor: String,
    sids: usize,
    others: Vec<Revocation>,
}

/// The whole list from memory: a line of JSON `{"cursor", "sids", "others"}`, and then as many times eight bytes as
/// `sids` says, little endian and ascending, which are the last eight of the id of each session that has ended.
///
/// # Errors
/// `Unavailable` while this instance does not know the latest revocations.
pub async fn packed(services: &Services) -> Result<Bytes> {
    let (_, cursor) = listen(services)?;
    let mut shared = services.revocations.feed.packed.lock().await;
    if let Some(packed) = shared.as_ref().filter(|packed| packed.is_recent()) {
        return Ok(packed.bytes.clone());
    }
    let (marks, others) = services.revocations.snapshot();
    let head = Head {
        cursor: cursor.to_string(),
        sids: marks.len(),
        others,
    };
    let mut bytes =
        serde_json::to_vec(&head).map_err(|error| Error::Internal(error.to_string()))?;
    bytes.push(b'\n');
    bytes.reserve_exact(8 * marks.len());
    for mark in marks {
        bytes.extend_from_slice(&mark.to_le_bytes());
    }
    let bytes = Bytes::from(bytes);
    *shared = Some(Packed {
        made: Instant::now(),
        bytes: bytes.clone(),
    });
    Ok(bytes)
}
