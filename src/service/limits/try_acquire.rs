//! Counting a request against the bucket of its address.

use std::net::IpAddr;
use std::sync::atomic::Ordering;

use crate::domain::{AddressBlock, Allowance};
use crate::service::Services;
use crate::service::limits::Group;

/// Takes one request out of the bucket of its address; `None` if limits are off.
pub fn try_acquire(
    services: &Services,
    group: Group,
    address: Option<IpAddr>,
) -> Option<Allowance> {
    let limits = &services.limits;
    if !limits.is_on {
        return None;
    }
    let now = services.clock.now().timestamp_micros();
    let allowance = limits
        .buckets
        .try_acquire(group, address.map(AddressBlock::from), now);
    if !allowance.is_granted
        && let Some(refused) = limits.refused.get(group as usize)
    {
        refused.fetch_add(1, Ordering::Relaxed);
    }
    Some(allowance)
}
