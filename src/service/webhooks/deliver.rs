//! Sends due events: each at least once, and twice only if a crash hides that it was received.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::webhook::SwitchedOff;
use crate::domain::{EventType, Webhook};
use crate::ports::webhook_sender::{Answer, SignedRequest};
use crate::service::webhooks::event_body::body;
use crate::service::webhooks::lanes::{Lanes, Slot};
use crate::service::webhooks::retry::pause;
use crate::service::webhooks::secret;
use crate::service::{RequestContext, Result, Services};
use crate::store::webhook_deliveries::{self, Claimed, DueEvent, Failed};
use crate::store::webhooks::SealedSecrets;
use crate::store::{Requester, StoreError, webhooks};

/// Longer than any attempt can take: an instance that has not stored the outcome by then has died.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// An answer within this time is quick.
const QUICK: Duration = Duration::from_secs(2);

/// How long everything must have failed before a webhook is switched off when an event is given up: shorter than all
/// attempts take.
const FAILING: TimeDelta = TimeDelta::hours(48);

/// How long everything may fail at most, however few attempts that was.
const FAILING_AT_MOST: TimeDelta = TimeDelta::hours(96);

/// How many deliveries that have ended are kept of a webhook, about: they are counted after every 256th attempt.
const KEPT: u16 = 1000;

/// An event that is leased to this instance, and where to send it.
pub struct Delivery {
    webhook: Arc<Webhook>,
    secrets: Arc<SealedSecrets>,
    due: DueEvent,
    slot: Slot,
}

/// Returns when this process has committed what webhooks may have to be told.
pub async fn wait_until_announced(services: &Services) {
    services.store.events_announced().await;
}

/// Leases events that are due, of as many webhooks as there is room for.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn claim(services: &Services, lanes: &Lanes) -> Result<Vec<Delivery>> {
    let now = services.now();
    let mut due = services
        .store
        .read(Requester::HOUSEKEEPING, move |tx| {
            webhook_deliveries::list_due(tx, now)
        })
        .await?;
    // Nobody is always first.
    let first = usize::from(u16::from_be_bytes(services.random()));
    let first = first.checked_rem(due.len()).unwrap_or_default();
    due.rotate_left(first);
    let mut deliveries = Vec::new();
    for webhook_id in due {
        let room = lanes.room(webhook_id);
        if room == 0 {
            continue;
        }
        let claimed = services
            .store
            .maintain(move |tx| webhook_deliveries::claim(tx, webhook_id, room, now, now + LEASE))
            .await?;
        let Some(Claimed {
            webhook,
            secrets,
            events,
        }) = claimed
        else {
            continue;
        };
        let (webhook, secrets) = (Arc::new(webhook), Arc::new(secrets));
        deliveries.extend(events.into_iter().map(|due| Delivery {
            webhook: Arc::clone(&webhook),
            secrets: Arc::clone(&secrets),
            due,
            slot: lanes.begin(webhook_id),
        }));
    }
    Ok(deliveries)
}

/// Sends a leased event and stores the outcome. If that fails, it is sent again after its lease.
pub async fn deliver(services: &Services, delivery: Delivery) {
    let Delivery {
        webhook,
        secrets,
        due,
        mut slot,
    } = delivery;
    let (event_id, webhook_id) = (due.id, webhook.id);
    let begun = Instant::now();
    let answer = attempt(services, &webhook, &secrets, &due).await;
    let now = services.now();
    let stored = match answer {
        Answer::Status {
            status: status @ 200..=299,
            ..
        } => {
            if begun.elapsed() < QUICK {
                slot.was_quick();
            }
            tracing::debug!(%webhook_id, %event_id, status, "webhook told");
            services
                .store
                .maintain_persistently(move |tx| {
                    webhook_deliveries::mark_delivered(tx, &due, status, now)
                })
                .await
        }
        Answer::Status {
            status,
            retry_after,
        } => {
            let why = if (300..=399).contains(&status) {
                "redirected"
            } else {
                "refused"
            };
            failed(services, &webhook, due, (Some(status), why), retry_after).await
        }
        Answer::Nothing(why) => failed(services, &webhook, due, (None, why), None).await,
    };
    if let Err(error) = stored {
        tracing::error!(%webhook_id, %event_id, %error, "the outcome of a webhook was not stored; it will be told again");
        return;
    }
    if services.random::<1>() == [0] {
        let trimmed = services
            .store
            .maintain(move |tx| webhook_deliveries::trim(tx, webhook_id, KEPT))
            .await;
        if let Err(error) = trimmed {
            tracing::warn!(%webhook_id, %error, "old deliveries were not deleted");
        }
    }
}

async fn attempt(
    services: &Services,
    webhook: &Webhook,
    secrets: &SealedSecrets,
    due: &DueEvent,
) -> Answer {
    let now = services.now();
    let keyring = services.tokens.keyring();
    let Ok(body) = body(webhook, due) else {
        return Answer::Nothing("not_readable");
    };
    let timestamp = now.timestamp();
    let signatures: Vec<String> = secrets
        .in_use(now)
        .filter_map(|sealed| secret::open(sealed, webhook.id, &keyring))
        .map(|secret| secret.sign(due.id, timestamp, &body))
        .collect();
    if signatures.is_empty() {
        return Answer::Nothing("not_signed");
    }
    let request = SignedRequest {
        url: &webhook.url,
        id: due.id.to_string(),
        timestamp,
        signature: signatures.join(" "),
        body,
    };
    services.webhook_sender.send(&request).await
}

async fn failed(
    services: &Services,
    webhook: &Webhook,
    due: DueEvent,
    (status, why): (Option<u16>, &'static str),
    retry_after: Option<u32>,
) -> Result<(), StoreError> {
    let now = services.now();
    let is_gone = status == Some(410);
    let is_test = due.event == EventType::Test.as_str();
    let pause = pause(due.attempts, retry_after, services.random());
    let pause = pause.filter(|_| !is_gone && !is_test);
    let failed = Failed {
        status,
        why,
        next_attempt_at: pause.map(|pause| now + pause),
    };
    let (webhook_id, event_id, attempts) = (webhook.id, due.id, due.attempts);
    let next_attempt_at = failed.next_attempt_at;
    tracing::warn!(%webhook_id, %event_id, attempts, ?status, why, ?next_attempt_at, "webhook not told");
    services
        .store
        .maintain_persistently(move |tx| webhook_deliveries::mark_failed(tx, &due, failed, now))
        .await?;
    let has_failed_for = webhook.failing_since.map(|since| now - since);
    let has_failed_for_long = has_failed_for.is_some_and(|time| time >= FAILING_AT_MOST);
    let is_given_up = next_attempt_at.is_none() && !is_test;
    let reason = if is_gone {
        SwitchedOff::Gone
    } else if is_given_up || has_failed_for_long {
        SwitchedOff::Failing
    } else {
        return Ok(());
    };
    if let Err(error) = switch_off(services, webhook, reason).await {
        tracing::error!(%webhook_id, %error, "a webhook was not switched off");
    }
    Ok(())
}

/// Switches a webhook off that is gone, or to which nothing could be delivered for days.
async fn switch_off(services: &Services, webhook: &Webhook, why: SwitchedOff) -> Result<()> {
    let (id, organization_id) = (webhook.id, webhook.organization_id);
    let context = RequestContext::housekeeping(services);
    services
        .write(&context, move |unit| {
            let found = webhooks::find(unit.tx, id, organization_id)?;
            let Some(before) = found.filter(|webhook| webhook.disabled.is_none()) else {
                return unit.unrecorded(());
            };
            let since = before.failing_since.unwrap_or(unit.now);
            if why == SwitchedOff::Failing && unit.now - since < FAILING {
                return unit.unrecorded(());
            }
            let after = Webhook {
                disabled: Some((unit.now, why)),
                ..before
            };
            webhooks::update(unit.tx, &after)?;
            webhook_deliveries::give_up_waiting(unit.tx, id, unit.now)?;
            let event = unit
                .event(Action::WebhookSwitchedOff)
                .within(organization_id);
            unit.finish(event.detail(json!({"id": id, "why": why.as_str()})), ())
        })
        .await
}
