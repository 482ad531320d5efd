//! PostgreSQL's `LISTEN`: learns of changes by other instances before the next poll.

use std::future::poll_fn;

use futures_util::FutureExt as _;
use tokio_postgres::AsyncMessage;

use super::changes::CHANNEL;
use super::{Engine, Store, StoreError};

impl Store {
    /// Calls `notify` at every notification, until the connection is lost. SQLite has no notifications: there, the
    /// future never ends, and polling alone finds changes.
    ///
    /// # Errors
    /// `Unavailable` when the connection fails or is lost; call again after a pause.
    pub async fn listen(&self, notify: impl Fn()) -> Result<(), StoreError> {
        let Engine::Postgres(target) = &self.engine else {
            return std::future::pending().await;
        };
        let (client, mut connection) = target.connect_raw().await?;
        let command = format!("listen {CHANNEL}");
        let mut listening = std::pin::pin!(client.batch_execute(&command).fuse());
        loop {
            let message = tokio::select! {
                done = &mut listening => {
                    done.map_err(|error| StoreError::Unavailable(error.to_string()))?;
                    // There may have been changes before.
                    notify();
                    continue;
                }
                message = poll_fn(|cx| connection.poll_message(cx)) => message,
            };
            match message {
                Some(Ok(AsyncMessage::Notification(_))) => notify(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(StoreError::Unavailable(error.to_string())),
                None => {
                    return Err(StoreError::Unavailable(
                        "the connection for notifications was closed".to_owned(),
                    ));
                }
            }
        }
    }
}
