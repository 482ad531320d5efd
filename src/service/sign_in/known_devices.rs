//! Which devices users have signed in with, and from where: the owner is notified of what is new.
//!
//! That is a device, by its mark or its name, or else a network. A device that moves within its networks is not new,
//! nor is one whose address or version changes.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use crate::domain::page::PageRequest;
use crate::domain::{Network, Session, User, UserId, device, lifetimes};
use crate::service::Result;
use crate::service::limits::is_marked;
use crate::service::unit_of_work::UnitOfWork;
use crate::store::known_devices::{self, KnownDevice};
use crate::store::{StoreError, Tx, sessions};

/// Devices of a user, each once for each of its networks. The latest ones are kept.
const DEVICES_PER_USER: u8 = 50;

/// Remembers the device and the network of the first session of a user.
pub(in crate::service) fn remember_first_device(
    unit: &mut UnitOfWork<'_, '_>,
    session: &Session,
) -> Result<(), StoreError> {
    known_devices::remember(unit.tx, session.user_id, &seen(session), unit.now)
}

/// Remembers the device and the network of a session that begins; returns whether the user has signed in before, but
/// not with this device or not from this network.
pub(in crate::service) fn remember_device(
    unit: &mut UnitOfWork<'_, '_>,
    session: &Session,
    user: &User,
) -> Result<bool> {
    let (this, since) = (seen(session), unit.now - lifetimes::KNOWN_PLACE);
    let earlier = known_devices::list(unit.tx, user.id)?;
    let lately = earlier.iter().filter(|(at, _)| *at > since);
    let mut known: Vec<KnownDevice> = lately.map(|(_, device)| device.clone()).collect();
    if known.is_empty() {
        known = adopt_sessions(unit, user.id)?;
    }
    let is_device_known = known.iter().any(|it| it.device == this.device) || is_marked(unit, user);
    let is_network_known = known.iter().any(|it| it.network == this.network);
    // An account that has not been used for so long may have been used before.
    let has_signed_in = !known.is_empty()
        || user.created_at < since
        || sessions::has_more_than(unit.tx, user.id, 0)?;
    known_devices::remember(unit.tx, user.id, &this, unit.now)?;
    if !known.contains(&this) {
        forget_oldest(unit, user.id, earlier)?;
    }
    Ok(has_signed_in && !(is_device_known && is_network_known))
}

/// Forgets all but about the latest devices of a user who has just signed in with a new one.
fn forget_oldest(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    earlier: Vec<(DateTime<Utc>, KnownDevice)>,
) -> Result<(), StoreError> {
    let mut times: Vec<_> = earlier.into_iter().map(|(at, _)| at).collect();
    times.sort_unstable_by_key(|at| Reverse(*at));
    // The oldest one to keep, besides the new one.
    match times.get(usize::from(DEVICES_PER_USER) - 2) {
        Some(oldest) => known_devices::forget_before(unit.tx, user_id, *oldest),
        None => Ok(()),
    }
}

/// What live sessions say, if nothing is remembered: they began before devices were, or all were forgotten.
fn adopt_sessions(unit: &mut UnitOfWork<'_, '_>, user_id: UserId) -> Result<Vec<KnownDevice>> {
    let newest = PageRequest {
        after: None,
        limit: DEVICES_PER_USER,
    };
    let live = sessions::page(unit.tx, user_id, &newest, unit.now)?;
    for session in &live {
        known_devices::remember(unit.tx, user_id, &seen(session), session.created_at)?;
    }
    Ok(live.iter().map(seen).collect())
}

/// Forgets with what a session began: its owner says that it is not theirs.
pub(in crate::service) fn forget_device(
    tx: &mut Tx<'_>,
    session: &Session,
) -> Result<(), StoreError> {
    known_devices::forget(tx, session.user_id, &seen(session))
}

fn seen(session: &Session) -> KnownDevice {
    let name = session.device.as_deref().unwrap_or_default();
    KnownDevice {
        device: device::without_version(name),
        network: session
            .address
            .map(|address| Network::from(address).to_string())
            .unwrap_or_default(),
    }
}
