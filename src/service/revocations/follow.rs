//! A stream of revocations: the whole list or what is missing, and then everything as it happens.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::broadcast::Receiver;
use tokio::time::{Instant, sleep_until};

use super::feed::{RESET, Signal, data, fresh};
use super::list::{WholeList, listen};
use crate::domain::{FeedCursor, ServiceKeyId};
use crate::service::limits::Group;
use crate::service::{Error, RequestContext, Result, ServiceCaller, Services};
use crate::store::{Requester, services as table};

/// Followers forget what has expired by a new list, once a day and not all at once: from half an hour before on.
const WHOLE_AGAIN_AFTER: Duration = Duration::from_secs(24 * 3600 - 1800);
const SPREAD: u64 = 3600;

/// When to try again who has too many streams: one that was cut off is noticed by then.
const RETRY_AFTER: u32 = 5;

/// One stream.
pub struct Follower {
    place: Place,
    requester: Requester,
    state: State,
    /// What to send before anything else.
    next: Option<Bytes>,
    whole_again_at: Instant,
}

enum State {
    Reading(WholeList),
    Listening(Receiver<Signal>),
}

impl Follower {
    /// Begins with what came after a cursor, or with the whole list.
    ///
    /// # Errors
    /// `TooManyRequests` for a third stream with this key from this address; `Unavailable` while this instance does not
    /// know the latest revocations, or is stopping.
    pub fn begin(
        services: &Arc<Services>,
        context: &RequestContext,
        caller: &ServiceCaller,
        after: Option<&FeedCursor>,
    ) -> Result<Self> {
        if services.is_stopping() {
            return Err(Error::Unavailable("this instance is stopping".to_owned()));
        }
        let (signals, _) = listen(services)?;
        let place = Place::take(services, caller.key_id, context.address)?;
        let [high, low] = services.random();
        let spread = u64::from(u16::from_be_bytes([high, low])) % SPREAD;
        let mut follower = Self {
            place,
            requester: Requester::from(context),
            state: State::Listening(signals),
            next: None,
            whole_again_at: Instant::now() + WHOLE_AGAIN_AFTER + Duration::from_secs(spread),
        };
        if !after.is_some_and(|after| follower.resume(after)) {
            follower.begin_anew();
        }
        Ok(follower)
    }

    /// The next piece; `None` at the end: the follower comes back with its last cursor.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.next.take() {
                return Some(piece);
            }
            match &mut self.state {
                State::Reading(list) => match list.next().await {
                    Ok(Some(entries)) => {
                        self.next = (!entries.is_empty()).then(|| data(&entries).into());
                    }
                    Ok(None) => {
                        let cursor = list.cursor.clone();
                        // What came while it was read is known, unless that took too long.
                        if !self.resume(&cursor) {
                            self.begin_anew();
                        }
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a stream of revocations ends: the list cannot be read");
                        return None;
                    }
                },
                State::Listening(signals) => {
                    let signal = tokio::select! {
                        signal = signals.recv() => signal,
                        () = sleep_until(self.whole_again_at) => {
                            self.whole_again_at += WHOLE_AGAIN_AFTER;
                            Ok(Signal::Restarted)
                        }
                    };
                    match signal {
                        Ok(Signal::Piece(piece)) if !self.place.is_of_removed_key() => {
                            return Some(piece);
                        }
                        Ok(Signal::Restarted) => self.begin_anew(),
                        // The last: it is too slow.
                        Ok(Signal::Piece(_) | Signal::Stopped) | Err(_) => return None,
                    }
                }
            }
        }
    }

    /// Listens, after what came since a cursor; returns whether that is known.
    fn resume(&mut self, after: &FeedCursor) -> bool {
        let revocations = &self.place.services.revocations;
        // First, so that what comes meanwhile is heard.
        let (signals, _) = revocations.feed.listen();
        let Some((entries, cursor)) = revocations.feed.since(after) else {
            return false;
        };
        let mut piece = data(&entries);
        if revocations.is_fresh() {
            piece += &fresh(&cursor);
        }
        self.state = State::Listening(signals);
        self.next = (!piece.is_empty()).then(|| piece.into());
        true
    }

    /// Reads the whole list, or waits until there is one.
    fn begin_anew(&mut self) {
        let services = &self.place.services;
        self.state = match services.revocations.feed.listen() {
            (_, Some(cursor)) => {
                self.next = Some(Bytes::from_static(RESET.as_bytes()));
                State::Reading(WholeList::at(cursor, services, self.requester))
            }
            (signals, None) => State::Listening(signals),
        };
    }
}

/// The place of a stream among those of its key and address.
struct Place {
    services: Arc<Services>,
    key: ServiceKeyId,
    address: Option<IpAddr>,
}

impl Place {
    fn take(services: &Arc<Services>, key: ServiceKeyId, address: Option<IpAddr>) -> Result<Self> {
        if !services.revocations.feed.take_place(key, address) {
            return Err(Error::TooManyRequests {
                group: Group::Services,
                retry_after: RETRY_AFTER,
            });
        }
        Ok(Self {
            services: Arc::clone(services),
            key,
            address,
        })
    }

    fn is_of_removed_key(&self) -> bool {
        self.services.revocations.feed.is_removed(self.key)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let feed = &self.services.revocations.feed;
        feed.leave_place(self.key, self.address);
    }
}

/// Tells all followers that they know everything, if this instance does. Call it every second.
pub async fn beat(services: &Services) {
    let feed = &services.revocations.feed;
    if !feed.has_listeners() {
        feed.set_keys(None);
        return;
    }
    if services.revocations.is_fresh() {
        feed.beat();
    }
    let read = services
        .store
        .read(Requester::FEED, table::list_key_ids)
        .await;
    match read {
        Ok(keys) => feed.set_keys(Some(HashSet::from_iter(keys))),
        Err(error) => tracing::debug!(%error, "keys of services cannot be read"),
    }
}
