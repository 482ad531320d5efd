//! PostgreSQL's `LISTEN` and `NOTIFY`: instances learn of changes by others before the next poll.
//!
//! A notification is sent after the commit and on this connection, because a transaction that sends one commits alone,
//! with a flush of its own. It may be lost with the process; the poll finds the change then.

use std::convert::Infallible;
use std::future::poll_fn;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::sleep;
use tokio_postgres::AsyncMessage;

use super::changes::CHANNEL;
use super::{Engine, Store, StoreError};

/// Changes within this time are announced together.
const COALESCED: Duration = Duration::from_millis(20);

impl Store {
    /// Calls `notify` at every notification, and notifies other instances of this one's changes, until the connection
    /// is lost. SQLite has no notifications: there, it is called at changes of this process, and the future never ends.
    ///
    /// # Errors
    /// `Unavailable` when the connection fails or is lost; call again after a pause.
    pub async fn listen(&self, notify: impl Fn()) -> Result<(), StoreError> {
        let Engine::Postgres(addresses) = &self.engine else {
            loop {
                self.changes_written.notified().await;
                notify();
            }
        };
        let (client, mut connection) = addresses.direct.connect_raw().await?;
        let announce = async {
            // What a notification says may be lost: nothing waits for the disk.
            let prepare = format!("set synchronous_commit = off; listen {CHANNEL}");
            client.batch_execute(&prepare).await?;
            // There may have been changes before.
            notify();
            let command = format!("notify {CHANNEL}");
            loop {
                self.changes_written.notified().await;
                // Who follows this instance need not wait for the others.
                notify();
                sleep(COALESCED).await;
                client.batch_execute(&command).await?;
            }
        };
        let mut announcing = std::pin::pin!(announce.fuse());
        loop {
            let message = tokio::select! {
                failed = &mut announcing => {
                    let Err::<Infallible, tokio_postgres::Error>(error) = failed;
                    return Err(StoreError::Unavailable(error.to_string()));
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
