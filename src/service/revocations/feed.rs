//! The revocations as other services follow them: the last ones in memory, and the same bytes for all who listen.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Semaphore, broadcast};

use super::recent::Recent;
use super::revocation::{Revocation, to_json};
use crate::domain::change::RecordedChange;
use crate::domain::{FeedCursor, ServiceKeyId};

/// Pieces that a follower may be behind before its connection ends.
const BACKLOG: usize = 64;

/// How many entries an event has at most.
pub const ENTRIES: usize = 1_000;

/// How many lists are read from the database at once: each reads it in pages, while others wait.
const WHOLE_LISTS: usize = 2;

/// How many streams a key may have from one address.
const STREAMS: u8 = 2;

/// How long a packed list is shared.
const PACKED_FOR: Duration = Duration::from_secs(1);

/// What a follower is told.
#[derive(Debug, Clone)]
pub enum Signal {
    /// The next piece of every stream.
    Piece(Bytes),
    /// The database turned out to be another one: begin with the whole list.
    Restarted,
    /// The instance is stopping.
    Stopped,
}

/// The feed for other services.
pub struct RevocationFeed {
    /// `None` until everything was read, and again when the database turned out to be another one.
    recent: RwLock<Option<Recent>>,
    signals: broadcast::Sender<Signal>,
    /// Of services, as read a moment ago; `None` while there are no streams.
    keys: RwLock<Option<HashSet<ServiceKeyId>>>,
    streams: Mutex<HashMap<(ServiceKeyId, Option<IpAddr>), u8>>,
    pub(super) packed: tokio::sync::Mutex<Option<Packed>>,
    pub(super) whole_lists: Semaphore,
}

/// A packed list that was made a moment ago.
pub(super) struct Packed {
    pub made: Instant,
    pub bytes: Bytes,
}

impl Packed {
    pub(super) fn is_recent(&self) -> bool {
        self.made.elapsed() < PACKED_FOR
    }
}

impl Default for RevocationFeed {
    fn default() -> Self {
        Self {
            recent: RwLock::default(),
            signals: broadcast::channel(BACKLOG).0,
            keys: RwLock::default(),
            streams: Mutex::default(),
            packed: tokio::sync::Mutex::default(),
            whole_lists: Semaphore::new(WHOLE_LISTS),
        }
    }
}

impl RevocationFeed {
    /// Everything that the database held at `end` was read. `rows` came after `start`.
    pub fn begin(&self, start: FeedCursor, end: FeedCursor, rows: &[RecordedChange]) {
        let rows = rows.iter().filter(|row| end.has_read(row.transaction));
        let recent = Recent::new(start, end.clone(), entries(rows).collect());
        let mut current = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        *current = Some(recent);
        let _ = self.signals.send(Signal::Restarted);
    }

    /// The database is another one: nothing is said until it was read.
    pub fn lose(&self) {
        let mut current = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        *current = None;
    }

    /// Tells everybody what was read, up to `end`.
    pub fn publish(&self, rows: &[RecordedChange], end: FeedCursor) {
        let mut current = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        let Some(recent) = current.as_mut() else {
            return;
        };
        let new: Vec<(i64, Revocation)> = entries(rows.iter()).collect();
        let piece = (!new.is_empty() && self.has_listeners()).then(|| {
            let new: Vec<Revocation> = new.iter().map(|(_, entry)| *entry).collect();
            Bytes::from(data(&new) + &fresh(&end))
        });
        recent.extend(new, end);
        // Under the lock, so that whoever listens from now on finds it in memory.
        if let Some(piece) = piece {
            let _ = self.signals.send(Signal::Piece(piece));
        }
    }

    /// Tells everybody that nothing else has happened.
    pub fn beat(&self) {
        let current = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(recent) = &*current {
            let piece = Bytes::from(fresh(recent.end()));
            let _ = self.signals.send(Signal::Piece(piece));
        }
    }

    /// Ends all streams.
    pub fn stop(&self) {
        let _ = self.signals.send(Signal::Stopped);
    }

    pub fn has_listeners(&self) -> bool {
        self.signals.receiver_count() > 0
    }

    /// Listens from a cursor on, or, while the whole list is not known, from the next start on.
    pub(super) fn listen(&self) -> (broadcast::Receiver<Signal>, Option<FeedCursor>) {
        let current = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let end = current.as_ref().map(|recent| recent.end().clone());
        (self.signals.subscribe(), end)
    }

    /// What came after a cursor, and how far that is; `None` if that is not known, or the cursor not of this history.
    pub(super) fn since(&self, cursor: &FeedCursor) -> Option<(Vec<Revocation>, FeedCursor)> {
        let current = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let recent = current.as_ref()?;
        Some((recent.since(cursor)?, recent.end().clone()))
    }

    /// These keys exist.
    pub fn set_keys(&self, keys: Option<HashSet<ServiceKeyId>>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Whether a key was removed, as far as is known.
    pub(super) fn is_removed(&self, key: ServiceKeyId) -> bool {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.as_ref().is_some_and(|keys| !keys.contains(&key))
    }

    /// Counts a stream; returns whether there are not too many. The key was found a moment ago.
    pub(super) fn take_place(&self, key: ServiceKeyId, address: Option<IpAddr>) -> bool {
        if let Some(keys) = &mut *self.keys.write().unwrap_or_else(PoisonError::into_inner) {
            keys.insert(key);
        }
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let count = streams.entry((key, address)).or_default();
        if *count >= STREAMS {
            return false;
        }
        *count += 1;
        true
    }

    pub(super) fn leave_place(&self, key: ServiceKeyId, address: Option<IpAddr>) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = streams.get_mut(&(key, address)) {
            *count -= 1;
            if *count == 0 {
                streams.remove(&(key, address));
            }
        }
    }
}

fn entries<'a>(
    rows: impl Iterator<Item = &'a RecordedChange>,
) -> impl Iterator<Item = (i64, Revocation)> {
    rows.filter_map(|row| Some((row.transaction, Revocation::of(row.change)?)))
}

/// The events of a stream (<https://html.spec.whatwg.org/multipage/server-sent-events.html>) with these entries.
pub(super) fn data(entries: &[Revocation]) -> String {
    entries
        .chunks(ENTRIES)
        .map(|some| format!("data: {}\n\n", to_json(some)))
        .collect()
}

/// The event that says: the list is complete up to here. An event and no comment, because readers skip comments.
pub(super) fn fresh(cursor: &FeedCursor) -> String {
    format!("event: fresh\nid: {cursor}\ndata: {{}}\n\n")
}

/// The event that says: a new list begins, which counts from the next `fresh` on.
pub(super) const RESET: &str = "event: reset\ndata: {}\n\n";
