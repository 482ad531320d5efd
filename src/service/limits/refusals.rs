//! Records a flood of requests with one audit row, not one for each request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::audit::Action;
use crate::service::limits::{Group, Key};
use crate::service::{RequestContext, Services};

/// A flood that lasts longer is recorded again.
const SAME_FLOOD: TimeDelta = TimeDelta::minutes(15);

/// The maximum number of floods to remember; others are only counted in the metrics.
const FLOODS: usize = 10_000;

/// Who sends too many requests, and of which kind.
type Flood = (Group, Key);

/// The recorded floods, and when each may be recorded again.
#[derive(Default)]
pub(in crate::service) struct Refusals(Mutex<HashMap<Flood, DateTime<Utc>>>);

impl Refusals {
    /// Whether this is the first refusal of a flood.
    fn is_first(&self, group: Group, key: Key, now: DateTime<Utc>) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |until: DateTime<Utc>| now < until && until <= now + SAME_FLOOD;
        let key = (group, key);
        if noted.get(&key).is_some_and(|until| is_same(*until)) {
            return false;
        }
        if noted.len() >= FLOODS {
            noted.retain(|_, until| is_same(*until));
        }
        if noted.len() >= FLOODS {
            return false;
        }
        noted.insert(key, now + SAME_FLOOD);
        true
    }
}

/// Records that too many requests are sent, once in a quarter of an hour. The request is refused whether or not that
/// succeeds.
pub async fn note_refusal(services: &Services, context: &RequestContext, group: Group, key: Key) {
    let now = services.now();
    if !services.limits.refusals.is_first(group, key, now) {
        return;
    }
    let written = services
        .write(context, move |unit| {
            let event = unit.event(Action::AddressLimited).refused(group.name());
            unit.finish(event, ())
        })
        .await;
    match written {
        Ok(()) => tracing::warn!(
            address = context.address.map(tracing::field::display),
            group = group.name(),
            ?key,
            "too many requests are sent, and refused"
        ),
        Err(error) => tracing::warn!(%error, "a refusal was not written to the audit log"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn address(n: usize) -> Key {
        let bits = u32::try_from(n).unwrap();
        Key::Address(Some(IpAddr::V4(Ipv4Addr::from_bits(bits)).into()))
    }

    #[test]
    fn a_flood_is_recorded_once_in_15_minutes() {
        let refusals = Refusals::default();
        let now = DateTime::UNIX_EPOCH;
        assert!(refusals.is_first(Group::Login, address(1), now));
        assert!(!refusals.is_first(Group::Login, address(1), now));
        assert!(refusals.is_first(Group::Mail, address(1), now));
        assert!(refusals.is_first(Group::Login, address(2), now));
        assert!(!refusals.is_first(Group::Login, address(1), now + TimeDelta::minutes(14)));
        assert!(refusals.is_first(Group::Login, address(1), now + TimeDelta::minutes(15)));
    }

    #[test]
    fn many_addresses_cannot_fill_the_audit_log() {
        let refusals = Refusals::default();
        let now = DateTime::UNIX_EPOCH;
        let noted = (0..20_000)
            .filter(|n| refusals.is_first(Group::Login, address(*n), now))
            .count();
        assert_eq!(noted, FLOODS);
        assert!(refusals.is_first(Group::Login, address(19_999), now + SAME_FLOOD));
    }
}
