//! Background work: applying changes, sending e-mails, telling webhooks, purging expired data, and re-encrypting secrets.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, interval, interval_at, sleep, timeout};

use crate::domain::Priority;
use crate::service::operations::{keys, maintenance, purge};
use crate::service::sessions::follow_feed::Progress;
use crate::service::sessions::housekeeping;
use crate::service::sessions::revocation_cache::POLL_EVERY;
use crate::service::{self, Result, Services, mail, mfa, webhooks};

/// How often services that follow revocations hear that they know everything.
const BEAT_EVERY: Duration = Duration::from_secs(1);

const KEEP_ROOM_EVERY: Duration = Duration::from_secs(60);

const HOUR: Duration = Duration::from_secs(3600);

/// What has ended is marked and deleted only after a start has settled: it is not in use anyway.
const SETTLED_AFTER: Duration = Duration::from_secs(60);

/// The shortest pause between two reads of the feed.
const READ_TOGETHER: Duration = Duration::from_millis(20);

/// The pause between attempts to reach an unavailable database.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How often the outbox is polled for e-mails to retry, and for those of an instance that died.
const POLL_OUTBOX_EVERY: Duration = Duration::from_secs(2);

/// How many e-mails are sent concurrently: enough to hide latency, and few for a mail server.
const EMAILS_AT_ONCE: usize = 4;

/// How many of them may not be invitations, so that what users wait for is not held up by slow deliveries to many.
const RESERVED: usize = 1;

/// How long a shutdown waits for e-mails and events in flight; otherwise another instance or the next start sends them
/// again.
const LAST_DELIVERIES: Duration = Duration::from_secs(1);

/// How often is looked for events to retry, for those that commands of the operator write, and for those of an instance
/// that died.
const POLL_EVENTS_EVERY: Duration = Duration::from_millis(750);

/// Events that are committed within this time are claimed together.
const CLAIM_TOGETHER: Duration = Duration::from_millis(50);

/// How many hashes of right passwords are replaced at the same time, so that requests get the other lanes.
const REHASHES_AT_ONCE: usize = 2;

/// How often is counted at most which forms of passwords are stored: a fiftieth of the time at most.
const COUNT_FORMS_EVERY: Duration = Duration::from_secs(60);

/// How often is looked for weak passwords that were imported.
const WRAP_WEAK_EVERY: Duration = Duration::from_secs(600);

/// The workers, which stop when this is dropped.
pub(super) struct Workers {
    _others: JoinSet<()>,
    mail_worker: JoinHandle<()>,
    webhook_worker: JoinHandle<()>,
    stop_mail: Arc<Notify>,
    stop_webhooks: Arc<Notify>,
}

/// Starts the workers.
pub(super) fn start(services: Arc<Services>) -> Workers {
    let notify = Arc::new(Notify::new());
    let (stop_mail, stop_webhooks) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let mut others = JoinSet::new();
    others.spawn(listen(Arc::clone(&services), Arc::clone(&notify)));
    others.spawn(follow(Arc::clone(&services), notify));
    others.spawn(beat(Arc::clone(&services)));
    others.spawn(keep_room(Arc::clone(&services)));
    others.spawn(reseal(Arc::clone(&services)));
    others.spawn(note_keys(Arc::clone(&services)));
    others.spawn(keep_house(Arc::clone(&services)));
    for _ in 0..REHASHES_AT_ONCE {
        others.spawn(rehash(Arc::clone(&services)));
    }
    others.spawn(count_forms(Arc::clone(&services)));
    others.spawn(wrap_weak_hashes(Arc::clone(&services)));
    Workers {
        _others: others,
        mail_worker: tokio::spawn(send_emails(Arc::clone(&services), Arc::clone(&stop_mail))),
        webhook_worker: tokio::spawn(tell_webhooks(services, Arc::clone(&stop_webhooks))),
        stop_mail,
        stop_webhooks,
    }
}

impl Workers {
    /// Waits briefly for e-mails and events in flight.
    pub(super) async fn end(mut self) {
        self.stop_mail.notify_one();
        self.stop_webhooks.notify_one();
        let in_flight = async {
            let _ = (&mut self.mail_worker).await;
            let _ = (&mut self.webhook_worker).await;
        };
        let _ = timeout(LAST_DELIVERIES, in_flight).await;
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.mail_worker.abort();
        self.webhook_worker.abort();
    }
}

/// Sends due e-mails until shutdown, immediately if this process has queued one.
async fn send_emails(services: Arc<Services>, shutdown: Arc<Notify>) {
    if !services.has_mail_transport() {
        return;
    }
    let mut in_flight = JoinSet::new();
    let permits = Arc::new(Semaphore::new(EMAILS_AT_ONCE));
    let mut is_away = false;
    loop {
        let mut waits_for_slot = false;
        match send_due_emails(&services, &permits, &mut in_flight).await {
            Ok(has_reserved) => {
                is_away = false;
                waits_for_slot = has_reserved;
            }
            Err(error) if !is_away => {
                tracing::warn!(%error, "cannot look for e-mails to send; trying again");
                is_away = true;
            }
            Err(_) => {}
        }
        tokio::select! {
            () = mail::wait_until_queued(&services) => {}
            () = sleep(POLL_OUTBOX_EVERY) => {}
            Some(_) = in_flight.join_next(), if waits_for_slot => {}
            () = shutdown.notified() => break,
        }
    }
    while in_flight.join_next().await.is_some() {}
}

/// Returns when all due e-mails are in flight, when only reserved slots are left and nothing is due for them, or when the
/// instance is stopping; and whether invitations may be waiting for a slot.
async fn send_due_emails(
    services: &Arc<Services>,
    permits: &Arc<Semaphore>,
    in_flight: &mut JoinSet<()>,
) -> Result<bool> {
    while let Ok(permit) = Arc::clone(permits).acquire_owned().await {
        // Discard finished tasks.
        while in_flight.try_join_next().is_some() {}
        if services.is_stopping() {
            break;
        }
        let is_reserved = permits.available_permits() < RESERVED;
        let least_urgent = if is_reserved {
            Priority::Verification
        } else {
            Priority::Invitation
        };
        let Some(due) = mail::claim(services, least_urgent).await? else {
            return Ok(is_reserved);
        };
        let services = Arc::clone(services);
        in_flight.spawn(async move {
            mail::deliver(&services, due).await;
            drop(permit);
        });
    }
    Ok(false)
}

/// Tells webhooks what is due until shutdown, at once what this process has committed.
async fn tell_webhooks(services: Arc<Services>, shutdown: Arc<Notify>) {
    let mut in_flight = JoinSet::new();
    let lanes = webhooks::Lanes::default();
    let mut is_away = false;
    loop {
        match webhooks::claim(&services, &lanes).await {
            Ok(deliveries) => {
                is_away = false;
                for delivery in deliveries {
                    let services = Arc::clone(&services);
                    in_flight.spawn(async move { webhooks::deliver(&services, delivery).await });
                }
            }
            Err(error) if !is_away => {
                tracing::warn!(%error, "cannot look for events to deliver; trying again");
                is_away = true;
            }
            Err(_) => {}
        }
        tokio::select! {
            () = webhooks::wait_until_announced(&services) => sleep(CLAIM_TOGETHER).await,
            () = sleep(POLL_EVENTS_EVERY) => {}
            // There may be room for others.
            Some(_) = in_flight.join_next(), if !is_away => sleep(CLAIM_TOGETHER).await,
            () = shutdown.notified() => break,
        }
        while in_flight.try_join_next().is_some() {}
        if services.is_stopping() {
            break;
        }
    }
    while in_flight.join_next().await.is_some() {}
}

/// Refreshes the revocation cache at every notification and at every poll.
async fn follow(services: Arc<Services>, notify: Arc<Notify>) {
    let mut is_behind = false;
    loop {
        let read = maintenance::read_changes(&services).await;
        match &read {
            Ok(_) if is_behind => {
                tracing::info!("changes can be read again");
                is_behind = false;
            }
            Err(error) if !is_behind => {
                tracing::error!(%error, "changes cannot be read; tokens are checked in the database");
                is_behind = true;
            }
            Ok(_) | Err(_) => {}
        }
        if !matches!(read, Ok(Progress::More)) {
            // `Notify` stores a notification meanwhile, so that changes of many writers are read together.
            sleep(READ_TOGETHER).await;
            let _ = timeout(POLL_EVERY, notify.notified()).await;
        }
    }
}

async fn listen(services: Arc<Services>, notify: Arc<Notify>) {
    loop {
        if let Err(error) = maintenance::listen_for_changes(&services, || notify.notify_one()).await
        {
            tracing::debug!(%error, "not listening for changes; polling continues");
        }
        sleep(LISTEN_AGAIN_AFTER).await;
    }
}

async fn beat(services: Arc<Services>) {
    let mut every_second = interval(BEAT_EVERY);
    loop {
        let _: Instant = every_second.tick().await;
        maintenance::beat(&services).await;
    }
}

async fn keep_room(services: Arc<Services>) {
    let mut every_minute = interval(KEEP_ROOM_EVERY);
    loop {
        let _: Instant = every_minute.tick().await;
        if let Err(error) = maintenance::keep_room(&services).await {
            tracing::error!(%error, "cannot reserve space for writes: the disk is full or almost full");
        }
    }
}

/// In this order: what has ended is marked before it is deleted.
async fn keep_house(services: Arc<Services>) {
    let mut hourly = interval_at(Instant::now() + SETTLED_AFTER, HOUR);
    loop {
        let _: Instant = hourly.tick().await;
        if let Err(error) = housekeeping::close_ended(&services).await {
            tracing::warn!(%error, "ended sessions were not marked; trying again in an hour");
        }
        if let Err(error) = housekeeping::delete_hidden_accounts(&services).await {
            tracing::warn!(%error, "deleted accounts were not removed; trying again in an hour");
        }
        purge::purge(&services).await;
    }
}

/// Notes which keys this instance has, and says at the start which ones it lacks.
async fn note_keys(services: Arc<Services>) {
    let mut hourly = interval(HOUR);
    let mut is_start = true;
    loop {
        let _: Instant = hourly.tick().await;
        if let Err(error) = keys::note_keys(&services).await {
            tracing::warn!(%error, "the ids of the keys were not noted; trying again in an hour");
        }
        if is_start {
            report_lost(&services).await;
        }
        is_start = false;
    }
}

async fn report_lost(services: &Services) {
    match keys::lost_of(services).await {
        Ok(lost) if lost.is_nothing() => {}
        Ok(lost) => tracing::error!(
            %lost,
            "JWT_SECRET and JWT_SIGNING_KEY lack keys that the database needs: set them as before; what is sealed or \
             signed with others cannot be used"
        ),
        Err(error) => tracing::warn!(%error, "whether keys are missing could not be checked"),
    }
}

async fn reseal(services: Arc<Services>) {
    let mut hourly = interval(HOUR);
    loop {
        let _: Instant = hourly.tick().await;
        if let Err(error) = mfa::reseal_secrets(&services).await {
            tracing::warn!(%error, "authenticator secrets were not encrypted again; trying again in an hour");
        }
        if let Err(error) = webhooks::reseal_secrets(&services).await {
            tracing::warn!(%error, "secrets of webhooks were not encrypted again; trying again in an hour");
        }
    }
}

async fn rehash(services: Arc<Services>) {
    loop {
        if let Err(error) = service::rehash_next(&services).await {
            tracing::warn!(%error, "an outdated hash was not replaced; the next sign-in will do it");
        }
    }
}

async fn count_forms(services: Arc<Services>) {
    loop {
        let begun = Instant::now();
        if let Err(error) = service::count_forms(&services).await {
            tracing::warn!(%error, "the forms of stored passwords were not counted; trying again later");
        }
        sleep(COUNT_FORMS_EVERY.max(begun.elapsed() * 50)).await;
    }
}

async fn wrap_weak_hashes(services: Arc<Services>) {
    let mut now_and_then = interval(WRAP_WEAK_EVERY);
    loop {
        let _: Instant = now_and_then.tick().await;
        if let Err(error) = service::wrap_weak(&services).await {
            tracing::warn!(%error, "weak hashes were not put into bcrypt; trying again later");
        }
    }
}
