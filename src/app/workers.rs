//! Work that goes on beside requests: hearing of changes, sending letters, forgetting what is old, changing keys.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, interval, sleep, timeout};

use crate::service::feed::POLL_EVERY;
use crate::service::{Result, Services, api_tokens, limits, mail, mail_limit, mfa, slack};

const KEEP_ROOM_EVERY: Duration = Duration::from_secs(60);

const TIDY_EVERY: Duration = Duration::from_secs(3600);

/// Between two attempts to reach a database that is away.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How often the outbox is looked into when nothing was written here: for letters that are to be tried again, and for
/// those of an instance that died.
const LOOK_FOR_LETTERS_EVERY: Duration = Duration::from_secs(2);

/// Letters on their way at once: enough to hide how long one takes, and few for a mail server.
const LETTERS_AT_ONCE: usize = 4;

/// A mail that is being handed over at the end may take so long; another instance, or the next start, sends it else.
const LAST_LETTERS: Duration = Duration::from_secs(1);

/// The workers; what they do ends with this value.
pub struct Workers {
    _others: JoinSet<()>,
    postman: JoinHandle<()>,
    end_of_day: Arc<Notify>,
}

/// Starts the workers.
pub fn start(services: Arc<Services>) -> Workers {
    let bell = Arc::new(Notify::new());
    let end_of_day = Arc::new(Notify::new());
    let mut others = JoinSet::new();
    others.spawn(listen(Arc::clone(&services), Arc::clone(&bell)));
    others.spawn(follow(Arc::clone(&services), bell));
    others.spawn(keep_room(Arc::clone(&services)));
    others.spawn(tidy(Arc::clone(&services)));
    Workers {
        _others: others,
        postman: tokio::spawn(carry_letters(services, Arc::clone(&end_of_day))),
        end_of_day,
    }
}

impl Workers {
    /// Lets letters that are being handed over arrive, for a moment.
    pub async fn end(mut self) {
        self.end_of_day.notify_one();
        let _ = timeout(LAST_LETTERS, &mut self.postman).await;
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.postman.abort();
    }
}

/// Sends what is due, at once when this process has written a letter, until the end of the day.
async fn carry_letters(services: Arc<Services>, end_of_day: Arc<Notify>) {
    if services.post_office.is_none() {
        return;
    }
    let mut on_their_way = JoinSet::new();
    let permits = Arc::new(Semaphore::new(LETTERS_AT_ONCE));
    let mut is_away = false;
    loop {
        match send_what_is_due(&services, &permits, &mut on_their_way).await {
            Ok(()) => is_away = false,
            Err(error) if !is_away => {
                tracing::warn!(%error, "letters cannot be looked for; trying again");
                is_away = true;
            }
            Err(_) => {}
        }
        tokio::select! {
            () = services.store.letters_written() => {}
            () = sleep(LOOK_FOR_LETTERS_EVERY) => {}
            () = end_of_day.notified() => break,
        }
    }
    while on_their_way.join_next().await.is_some() {}
}

/// Returns when nothing is due that is not on its way, or when the instance is to stop.
async fn send_what_is_due(
    services: &Arc<Services>,
    permits: &Arc<Semaphore>,
    on_their_way: &mut JoinSet<()>,
) -> Result<()> {
    while let Ok(permit) = Arc::clone(permits).acquire_owned().await {
        // Those that have arrived are of no more interest.
        while on_their_way.try_join_next().is_some() {}
        if services.is_stopping() {
            break;
        }
        let Some(due) = mail::claim(services).await? else {
            break;
        };
        let services = Arc::clone(services);
        on_their_way.spawn(async move {
            if let Some(post_office) = &services.post_office {
                mail::deliver(&services, post_office, due).await;
            }
            drop(permit);
        });
    }
    Ok(())
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

async fn keep_room(services: Arc<Services>) {
    let mut every_minute = interval(KEEP_ROOM_EVERY);
    loop {
        let _: Instant = every_minute.tick().await;
        if let Err(error) = services.store.keep_room().await {
            tracing::error!(%error, "no room is kept for writes: the disk is full, or nearly so");
        }
    }
}

async fn tidy(services: Arc<Services>) {
    let mut hourly = interval(TIDY_EVERY);
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
        if let Err(error) = mail::forget_settled(&services).await {
            tracing::warn!(%error, "old letters were not forgotten; trying again in an hour");
        }
        if let Err(error) = api_tokens::forget_spent(&services).await {
            tracing::warn!(%error, "spent API tokens were not forgotten; trying again in an hour");
        }
        if let Err(error) = services.feed.forget_expired(&services.store, now).await {
            tracing::warn!(%error, "old revocations were not forgotten; trying again in an hour");
        }
        if let Err(error) = mfa::reseal_secrets(&services).await {
            tracing::warn!(%error, "authenticators were not put under the newest key; trying again in an hour");
        }
    }
}
