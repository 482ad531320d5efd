//! Counting a request against a bucket.

use std::sync::atomic::Ordering;

use crate::domain::Allowance;
use crate::service::Services;
use crate::service::limits::{Group, Key};

/// Takes one request out of a bucket; `None` if limits are off.
pub fn try_acquire(services: &Services, group: Group, key: Key) -> Option<Allowance> {
    let limits = &services.limits;
    if !limits.is_on {
        return None;
    }
    let now = services.clock.now().timestamp_micros();
    let allowance = limits.buckets.try_acquire(group, key, now);
    if !allowance.is_granted
        && let Some(refused) = limits.refused.get(group as usize)
    {
        refused.fetch_add(1, Ordering::Relaxed);
    }
    Some(allowance)
}
