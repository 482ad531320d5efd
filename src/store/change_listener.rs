//! PostgreSQL's `LISTEN`: hearing of other instances' changes before the next poll.

use std::future::poll_fn;

use futures_util::FutureExt as _;
use tokio_postgres::AsyncMessage;

use super::changes::CHANNEL;
use super::{Engine, Store, StoreError};

impl Store {
    /// Calls `notify` at every notification, until the connection breaks. SQLite has no notifications: the
    /// future never ends there, and the poll alone tells.
    ///
    /// # Errors
    /// `Unavailable` when the connection could not be made or is gone; call again after a pause.
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
                    // Whatever happened while nobody listened.
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
                        "the connection that listens for changes was closed".to_owned(),
                    ));
                }
            }
        }
    }
}
