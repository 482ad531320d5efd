//! How many requests are sent at once, so that slow receivers hold nobody else up.
//!
//! A webhook whose last request was answered quickly is proven. Others share half of the slots, with one request each at
//! a time, so the rest stays free for those that are proven.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::WebhookId;

/// In an instance.
const SLOTS: usize = 64;

/// Of these, for webhooks that are not proven.
const UNPROVEN_SLOTS: usize = 32;

/// For one proven webhook.
const PER_WEBHOOK: usize = 4;

/// How many proven webhooks are remembered; when there are more, all have to prove themselves again.
const MOST_PROVEN: usize = 10_000;

#[derive(Default)]
struct State {
    in_flight: HashMap<WebhookId, usize>,
    /// Of webhooks that were not proven when they began.
    unproven: usize,
    all: usize,
    proven: HashSet<WebhookId>,
}

#[derive(Clone, Default)]
pub struct Lanes(Arc<Mutex<State>>);

/// A request in flight; the slot is free again when this is dropped.
pub(super) struct Slot {
    lanes: Lanes,
    webhook_id: WebhookId,
    was_proven: bool,
    is_quick: bool,
}

impl Lanes {
    /// How many more requests to this webhook may begin.
    pub(super) fn room(&self, webhook_id: WebhookId) -> usize {
        self.with(|state| state.room(webhook_id))
    }

    pub(super) fn begin(&self, webhook_id: WebhookId) -> Slot {
        let was_proven = self.with(|state| {
            let was_proven = state.proven.contains(&webhook_id);
            *state.in_flight.entry(webhook_id).or_default() += 1;
            state.unproven += usize::from(!was_proven);
            state.all += 1;
            was_proven
        });
        Slot {
            lanes: self.clone(),
            webhook_id,
            was_proven,
            is_quick: false,
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn room(&self, webhook_id: WebhookId) -> usize {
        let in_flight = self.in_flight.get(&webhook_id).copied().unwrap_or_default();
        let (own, shared) = if self.proven.contains(&webhook_id) {
            (PER_WEBHOOK, SLOTS.saturating_sub(self.all))
        } else {
            (1, UNPROVEN_SLOTS.saturating_sub(self.unproven))
        };
        own.saturating_sub(in_flight).min(shared)
    }

    fn end(&mut self, slot: &Slot) {
        if let Some(in_flight) = self.in_flight.get_mut(&slot.webhook_id) {
            *in_flight -= 1;
            if *in_flight == 0 {
                self.in_flight.remove(&slot.webhook_id);
            }
        }
        self.all -= 1;
        self.unproven -= usize::from(!slot.was_proven);
        if slot.is_quick {
            if self.proven.len() >= MOST_PROVEN {
                self.proven.clear();
            }
            self.proven.insert(slot.webhook_id);
        } else {
            self.proven.remove(&slot.webhook_id);
        }
    }
}

impl Slot {
    /// The request was answered well and quickly.
    pub(super) fn was_quick(&mut self) {
        self.is_quick = true;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.lanes.with(|state| state.end(self));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(n: u128) -> WebhookId {
        WebhookId(uuid::Uuid::from_u128(n))
    }

    fn prove(lanes: &Lanes, id: WebhookId) {
        lanes.begin(id).was_quick();
    }

    #[test]
    fn slow_receivers_leave_half_of_the_slots_to_proven_ones() {
        let lanes = Lanes::default();
        let quick = webhook(1000);
        prove(&lanes, quick);
        let slow: Vec<Slot> = (0..100)
            .filter(|n| lanes.room(webhook(*n)) > 0)
            .map(|n| lanes.begin(webhook(n)))
            .collect();
        assert_eq!(slow.len(), UNPROVEN_SLOTS);
        assert_eq!(lanes.room(webhook(2000)), 0);
        assert_eq!(lanes.room(quick), PER_WEBHOOK);
        drop(slow);
        assert_eq!(lanes.room(webhook(2000)), 1);
    }

    #[test]
    fn a_webhook_has_one_slot_until_it_is_proven_and_again_after_a_failure() {
        let lanes = Lanes::default();
        let id = webhook(1);
        assert_eq!(lanes.room(id), 1);
        let mut first = lanes.begin(id);
        assert_eq!(lanes.room(id), 0);
        first.was_quick();
        drop(first);
        assert_eq!(lanes.room(id), PER_WEBHOOK);
        let second = lanes.begin(id);
        assert_eq!(lanes.room(id), PER_WEBHOOK - 1);
        drop(second);
        assert_eq!(lanes.room(id), 1);
    }

    #[test]
    fn no_more_than_all_slots_are_used() {
        let lanes = Lanes::default();
        let mut slots = Vec::new();
        for n in 0..1000 {
            prove(&lanes, webhook(n));
            let room = lanes.room(webhook(n));
            slots.extend((0..room).map(|_| lanes.begin(webhook(n))));
        }
        assert_eq!(slots.len(), SLOTS);
    }
}
