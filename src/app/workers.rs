//! Work that goes on beside requests: hearing of changes, and forgetting old ones.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};

use crate::service::feed::POLL_EVERY;
use crate::service::{Services, limits, mail_limit, slack};

const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// Between two attempts to reach a database that is away.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Starts the workers; they end when the answer is dropped.
pub fn start(services: Arc<Services>) -> JoinSet<()> {
    let bell = Arc::new(Notify::new());
    let mut workers = JoinSet::new();
    workers.spawn(listen(Arc::clone(&services), Arc::clone(&bell)));
    workers.spawn(follow(Arc::clone(&services), bell));
    workers.spawn(forget(services));
    workers
}

/// Reads the feed at every ring of the bell, and at every poll.
async fn follow(services: Arc<Services>, bell: Arc<Notify>) {
    let mut is_behind = false;
    loop {
        // A ring during the read is kept by `Notify`: the next round begins at once.
        let _ = timeout(POLL_EVERY, bell.notified()).await;
        match services.feed.refresh(&services.store).await {
            Ok(()) if is_behind => {
                tracing::info!("the feed of changes is read again");
                is_behind = false;
            }
            Err(error) if !is_behind => {
                tracing::error!(%error, "the feed of changes cannot be read; tokens will be checked in the database");
                is_behind = true;
            }
            Ok(()) | Err(_) => {}
        }
    }
}

async fn listen(services: Arc<Services>, bell: Arc<Notify>) {
    loop {
        if let Err(error) = services.store.listen(|| bell.notify_one()).await {
            tracing::debug!(%error, "not listening for changes; the poll goes on");
        }
        sleep(LISTEN_AGAIN_AFTER).await;
    }
}

async fn forget(services: Arc<Services>) {
    let mut hourly = interval(FORGET_EVERY);
    loop {
        let _: Instant = hourly.tick().await;
        let now = services.clock.now();
        if let Err(error) = slack::forget_expired(&services).await {
            tracing::warn!(%error, "old sign-ins with Slack were not forgotten; trying again in an hour");
        }
        if let Err(error) = limits::forget_expired(&services).await {
            tracing::warn!(%error, "old failed attempts were not forgotten; trying again in an hour");
        }
        if let Err(error) = mail_limit::forget_blanks(&services).await {
            tracing::warn!(%error, "what stood in place of letters was not forgotten; trying again in an hour");
        }
        if let Err(error) = services.feed.forget_expired(&services.store, now).await {
            tracing::warn!(%error, "old revocations were not forgotten; trying again in an hour");
        }
    }
}
