//! A cache of the keys that Slack signs ID tokens with, refreshed when an unknown key id appears.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use super::http::RequestError;
use crate::crypto::id_token::PublicKey;

/// The minimum time between two fetches, whatever key ids appear.
const MIN_FETCH_INTERVAL: TimeDelta = TimeDelta::minutes(1);

#[derive(Default)]
pub(super) struct Keys(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    keys: Vec<Arc<PublicKey>>,
    asked_at: Option<DateTime<Utc>>,
}

impl Keys {
    /// The key with this id. Concurrent callers wait for the same fetch.
    ///
    /// # Errors
    /// When there is no such key, or the fetch fails.
    pub(super) async fn find<F: Future<Output = Result<Vec<u8>, RequestError>>>(
        &self,
        kid: &str,
        now: DateTime<Utc>,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<PublicKey>, RequestError> {
        let mut remembered = self.0.lock().await;
        if let Some(key) = remembered.find(kid) {
            return Ok(key);
        }
        let is_fresh = |asked_at: DateTime<Utc>| (now - asked_at).abs() < MIN_FETCH_INTERVAL;
        if remembered.asked_at.is_some_and(is_fresh) {
            return Err(RequestError::UNEXPECTED);
        }
        let keys = PublicKey::of_set(&fetch().await?).ok_or(RequestError::UNEXPECTED)?;
        remembered.keys = keys.into_iter().map(Arc::new).collect();
        remembered.asked_at = Some(now);
        remembered.find(kid).ok_or(RequestError::UNEXPECTED)
    }
}

impl Remembered {
    fn find(&self, kid: &str) -> Option<Arc<PublicKey>> {
        self.keys.iter().find(|key| key.kid() == kid).cloned()
    }
}
