//! The keys Slack signs id_tokens with, remembered until one appears that is not among them.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use super::http::Trouble;
use crate::crypto::id_token::PublicKey;

/// Slack is not asked more often, whatever names of keys turn up.
const ASK_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

#[derive(Default)]
pub struct Keys(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    keys: Vec<Arc<PublicKey>>,
    asked_at: Option<DateTime<Utc>>,
}

impl Keys {
    /// The key of this name. Who comes while Slack is being asked waits for the same answer.
    ///
    /// # Errors
    /// When there is no such key, or Slack does not tell.
    pub async fn find<F: Future<Output = Result<Vec<u8>, Trouble>>>(
        &self,
        kid: &str,
        now: DateTime<Utc>,
        ask: impl FnOnce() -> F,
    ) -> Result<Arc<PublicKey>, Trouble> {
        let mut remembered = self.0.lock().await;
        if let Some(key) = remembered.find(kid) {
            return Ok(key);
        }
        let is_fresh = |asked_at: DateTime<Utc>| (now - asked_at).abs() < ASK_AGAIN_AFTER;
        if remembered.asked_at.is_some_and(is_fresh) {
            return Err(Trouble::NOT_EXPECTED);
        }
        let keys = PublicKey::of_set(&ask().await?).ok_or(Trouble::NOT_EXPECTED)?;
        remembered.keys = keys.into_iter().map(Arc::new).collect();
        remembered.asked_at = Some(now);
        remembered.find(kid).ok_or(Trouble::NOT_EXPECTED)
    }
}

impl Remembered {
    fn find(&self, kid: &str) -> Option<Arc<PublicKey>> {
        self.keys.iter().find(|key| key.kid() == kid).cloned()
    }
}
