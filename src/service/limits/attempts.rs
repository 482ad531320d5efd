//! Wrong passwords, and when there have been too many (OWASP Authentication Cheat Sheet: lock by account, not only by
//! address; NIST SP 800-63B §5.2.2: at most 100 in a row).
//!
//! Failures are counted by the address that was typed, whether or not it has an account, so that both get the same
//! answers. A failure counts when its transaction commits, and once there are too many a right password is refused too:
//! concurrent attempts are judged as if they had come one after the other.
//!
//! A lock spares the places from which the owner has signed in before. So that its answers do not depend on what is
//! known about a place, some passwords are hashed in spite of it everywhere, for accounts that do not exist too.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::crypto::keyed_hash::keyed_hash;
use crate::crypto::keyring::Keyring;
use crate::domain::audit::{Action, Outcome};
use crate::domain::{AddressBlock, Email, User, lifetimes};
use crate::service::unit_of_work::{Event, Finished, UnitOfWork};
use crate::service::{Error, Result, Services};
use crate::store::{StoreError, Tx, attempts, known_addresses};

/// How long a failure counts against its address.
pub(in crate::service) const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Failures for one account from one address within [`WINDOW`].
const PER_PAIR: usize = 10;

/// Accounts with failures from one address within [`WINDOW`]. More of them suggest that a list is being tried.
const ACCOUNTS_PER_ADDRESS: usize = 30;

/// Failures for one account since the last right password, from any address. The account is then locked until its
/// password is reset, or until [`IN_A_ROW_LASTS`] has passed.
const IN_A_ROW: i32 = 100;

/// Sign-ins that are hashed in spite of a lock, for one account from one address or browser within [`WINDOW`]. Only
/// then is a right password found at a place that the lock spares.
const IN_SPITE_OF_LOCK: i64 = 10;

/// How long after the last failure the count in a row starts again.
pub(in crate::service) const IN_A_ROW_LASTS: TimeDelta = TimeDelta::hours(24);

/// One account, tried from one address; `None` if limits are off.
#[derive(Clone)]
pub(in crate::service) struct Attempt(Option<Pair>);

#[derive(Clone)]
struct Pair {
    /// A keyed hash: people mistype, and we must not store the addresses of people who have no account.
    account: String,
    address: String,
    /// `None` unless it is a sign-in.
    place: Option<Place>,
}

/// Where a sign-in comes from, for the owner of the account.
#[derive(Clone)]
struct Place {
    /// What was typed.
    email: Email,
    block: Option<AddressBlock>,
    /// The owner's mark in the browser.
    mark: Option<String>,
}

/// What an attempt to sign in may still do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Standing {
    Open {
        /// Whether the owner has signed in here before.
        is_known: bool,
    },
    /// Locked, but the password is hashed all the same.
    Locked {
        /// Whether a right one signs in.
        is_spared: bool,
    },
}

impl Standing {
    /// Whether the owner has signed in here before.
    pub(in crate::service) fn is_known(self) -> bool {
        let (Self::Open { is_known }
        | Self::Locked {
            is_spared: is_known,
        }) = self;
        is_known
    }

    pub(in crate::service) fn admits(self) -> bool {
        self != Self::Locked { is_spared: false }
    }
}

/// Under which identity the failures of a user are counted.
fn identity_of(user: &User) -> String {
    let email = user.email.as_ref().map(Email::as_str);
    email.map_or_else(|| user.id.to_string(), str::to_owned)
}

/// The name under which the failures of a user are stored.
pub(in crate::service) fn counted_name(user: &User, keyring: &Keyring) -> String {
    keyed_hash(&identity_of(user), keyring)
}

/// Reads the locks of accounts.
#[derive(Clone)]
pub(in crate::service) struct Locks(Option<Arc<Keyring>>);

impl Locks {
    /// Until when each account is locked for a day, if it is, with one query for all.
    pub(in crate::service) fn of(
        &self,
        tx: &mut Tx<'_>,
        users: &[&User],
        now: DateTime<Utc>,
    ) -> std::result::Result<Vec<Option<DateTime<Utc>>>, StoreError> {
        let Some(keyring) = &self.0 else {
            return Ok(vec![None; users.len()]);
        };
        let name = |user: &&User| counted_name(user, keyring);
        let names: Vec<String> = users.iter().map(name).collect();
        let locked = attempts::list_in_a_row(tx, &names, IN_A_ROW, now, IN_A_ROW_LASTS)?;
        let locked: HashMap<String, DateTime<Utc>> = locked.into_iter().collect();
        let until = |name| locked.get(name).map(|last_at| *last_at + IN_A_ROW_LASTS);
        Ok(names.iter().map(until).collect())
    }
}

impl Services {
    pub(in crate::service) fn locks(&self) -> Locks {
        Locks(self.limits.is_on.then(|| self.tokens.keyring()))
    }

    /// An attempt at the account that `identity` names: its e-mail address, or its id where it has none.
    pub(in crate::service) fn attempt(&self, address: Option<IpAddr>, identity: &str) -> Attempt {
        Attempt(self.limits.is_on.then(|| Pair {
            account: keyed_hash(identity, &self.tokens.keyring()),
            address: address.map_or_else(
                || "unknown".to_owned(),
                |address| AddressBlock::from(address).to_string(),
            ),
            place: None,
        }))
    }
}

impl Attempt {
    /// Checks that the attempt is allowed, before a password is hashed.
    ///
    /// # Errors
    /// `TooManyAttempts`, whether or not the address has an account.
    pub(crate) fn check_allowed(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<()> {
        match &self.0 {
            Some(pair) => FailureCounts::of(tx, pair, now)?.judge(now),
            None => Ok(()),
        }
    }

    /// Asks [ahead](Tx::ahead) what [`check_allowed`](Self::check_allowed), [`standing`](Self::standing) and
    /// [`succeeded`](Self::succeeded) ask, for the address that was typed where it is a sign-in.
    pub(crate) fn ask(
        &self,
        tx: &mut Tx<'_>,
        now: DateTime<Utc>,
        sign_in: Option<(&Email, Option<IpAddr>)>,
    ) {
        let Some(pair) = &self.0 else {
            return;
        };
        let place = sign_in.map(|(email, address)| Place::new(email, address, None));
        let _ = (
            place.map(|place| place.is_known(tx, now)),
            FailureCounts::of(tx, pair, now),
        );
    }

    /// As [`check_allowed`](Self::check_allowed), for a sign-in with this address: says what else it may do. `mark` is
    /// the owner's in the browser.
    ///
    /// # Errors
    /// `TooManyAttempts` if too many passwords were hashed in spite of a lock, whether or not there is an account.
    pub(crate) fn standing(
        &mut self,
        tx: &mut Tx<'_>,
        now: DateTime<Utc>,
        (email, address): (&Email, Option<IpAddr>),
        mark: Option<String>,
    ) -> Result<Standing> {
        let Some(pair) = &mut self.0 else {
            return Ok(Standing::Open { is_known: false });
        };
        let place = Place::new(email, address, mark);
        pair.place = Some(place.clone());
        let is_known = place.is_known(tx, now)?;
        let Some(until) = FailureCounts::of(tx, pair, now)?.locked_until() else {
            return Ok(Standing::Open { is_known });
        };
        if !place.is_hashed(tx, pair, now)? {
            return Err(too_many(now, until));
        }
        Ok(Standing::Locked {
            is_spared: is_known,
        })
    }

    /// Deletes the failures of this account from this address, unless it is a sign-in in spite of a lock. For the
    /// transaction that makes use of a right password.
    ///
    /// # Errors
    /// `TooManyAttempts` if too many other attempts have failed since the check.
    pub(crate) fn succeeded(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<()> {
        let Some(pair) = &self.0 else {
            return Ok(());
        };
        let counts = FailureCounts::of(tx, pair, now)?;
        if let Some(until) = counts.locked_until() {
            return match &pair.place {
                Some(place) if place.is_hashed(tx, pair, now)? && place.is_known(tx, now)? => {
                    Ok(())
                }
                _ => Err(too_many(now, until)),
            };
        }
        if !counts.is_empty() {
            attempts::forget_pair(tx, &pair.account, &pair.address)?;
        }
        Ok(())
    }

    /// Counts a failure and returns the locks that it caused, or the refusal of one that was locked already: that one
    /// counts as hashed in spite of the lock, and changes nothing else.
    ///
    /// # Errors
    /// `TooManyAttempts` if it does not count: the transaction must be rolled back.
    fn count(
        &self,
        tx: &mut Tx<'_>,
        now: DateTime<Utc>,
    ) -> Result<std::result::Result<Vec<Action>, Error>> {
        let Some(pair) = &self.0 else {
            return Ok(Ok(Vec::new()));
        };
        let (account, address) = (&pair.account, &pair.address);
        attempts::lock_address(tx, address)?;
        tx.ahead(|tx| FailureCounts::lock(tx, pair, now));
        let before = FailureCounts::lock(tx, pair, now)?;
        if let Some(until) = before.locked_until() {
            let refusal = too_many(now, until);
            return match &pair.place {
                Some(place) => {
                    let tries = place.tries(address);
                    attempts::lock_address(tx, &tries)?;
                    if !place.is_hashed(tx, pair, now)? {
                        return Err(refusal);
                    }
                    attempts::insert(tx, account, &tries, now)?;
                    Ok(Err(refusal))
                }
                None => Err(refusal),
            };
        }
        attempts::insert(tx, account, address, now)?;
        attempts::count_in_a_row(tx, account, now, IN_A_ROW_LASTS)?;
        // The row is locked, so this is exact, except for first failures at the same time, far below any limit.
        let in_a_row = before.in_a_row.map_or(1, |(failures, _)| failures + 1);
        let is_new_here = before.of_pair.is_empty();
        let locks = [
            (Action::PairLocked, before.of_pair.len() + 1 == PER_PAIR),
            (Action::AccountLocked, in_a_row == IN_A_ROW),
            (
                Action::AddressLocked,
                is_new_here && before.latest_of_each.len() + 1 == ACCOUNTS_PER_ADDRESS,
            ),
        ];
        Ok(Ok(locks
            .into_iter()
            .filter_map(|(action, is_reached)| is_reached.then_some(action))
            .collect()))
    }
}

impl Place {
    fn new(email: &Email, address: Option<IpAddr>, mark: Option<String>) -> Self {
        Self {
            email: email.clone(),
            block: address.map(AddressBlock::from),
            mark,
        }
    }

    /// Under which address the passwords are counted that are hashed in spite of a lock. A browser has its own, so that
    /// others behind the same address cannot use them up.
    fn tries(&self, address: &str) -> String {
        match &self.mark {
            Some(mark) => format!("browser {mark}"),
            None => format!("locked {address}"),
        }
    }

    fn is_hashed(&self, tx: &mut Tx<'_>, pair: &Pair, now: DateTime<Utc>) -> Result<bool> {
        let tries = self.tries(&pair.address);
        let hashed = attempts::count_from(tx, &pair.account, &tries, now, WINDOW)?;
        Ok(hashed < IN_SPITE_OF_LOCK)
    }

    /// Whether the owner has signed in here before. The same query for all.
    fn is_known(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<bool> {
        let since = now - lifetimes::KNOWN_PLACE;
        let by_address = match self.block {
            Some(block) => known_addresses::is_known(tx, &self.email, block, since)?,
            None => false,
        };
        Ok(by_address || self.mark.is_some())
    }
}

/// Deletes the failures of an account; returns whether there were any. For the transaction that resets its password or
/// unlocks it.
pub(in crate::service) fn unlock_account(
    unit: &mut UnitOfWork<'_, '_>,
    user: &User,
) -> std::result::Result<bool, StoreError> {
    let name = counted_name(user, unit.keyring());
    attempts::forget_account(unit.tx, &name)
}

/// Ends the lock of an account after failures in a row; returns whether there were any. Its failures still count for
/// their addresses.
pub(in crate::service) fn end_lock(
    unit: &mut UnitOfWork<'_, '_>,
    user: &User,
) -> std::result::Result<bool, StoreError> {
    let name = counted_name(user, unit.keyring());
    attempts::forget_in_a_row(unit.tx, &name)
}

/// Counts a failed attempt and records it, and each lock that it caused; returns the number of locks. An attempt beyond
/// the limit is not recorded, because a flood would fill the log.
///
/// # Errors
/// `TooManyAttempts` beyond the limit.
pub(in crate::service) fn count_failure(
    unit: &mut UnitOfWork<'_, '_>,
    attempt: &Attempt,
    event: Event,
) -> Result<Finished<usize>> {
    let locks = match attempt.count(unit.tx, unit.now)? {
        Ok(locks) => locks,
        Err(refusal) => return unit.refused(refusal),
    };
    unit.record(event.clone())?;
    for action in &locks {
        unit.record(Event {
            action: *action,
            outcome: Outcome::Ok,
            actor_id: None,
            ..event.clone()
        })?;
    }
    unit.recorded(locks.len())
}

/// The failures that count against an attempt.
struct FailureCounts {
    /// The times of the account's failures from this address, oldest first.
    of_pair: Vec<DateTime<Utc>>,
    /// The time of the last failure of each account from this address, oldest first.
    latest_of_each: Vec<DateTime<Utc>>,
    /// The number of failures of the account from any address, and the time of the last one.
    in_a_row: Option<(i32, DateTime<Utc>)>,
}

impl FailureCounts {
    fn of(tx: &mut Tx<'_>, pair: &Pair, now: DateTime<Utc>) -> Result<Self> {
        let failures = attempts::list_from(tx, &pair.address, now, WINDOW)?;
        let in_a_row = attempts::in_a_row(tx, &pair.account, now, IN_A_ROW_LASTS)?;
        Ok(Self::new(&pair.account, failures, in_a_row))
    }

    /// As [`of`](Self::of), with the failures in a row kept as they are until the transaction ends.
    fn lock(tx: &mut Tx<'_>, pair: &Pair, now: DateTime<Utc>) -> Result<Self> {
        let failures = attempts::list_from(tx, &pair.address, now, WINDOW)?;
        let in_a_row = attempts::lock_in_a_row(tx, &pair.account, now, IN_A_ROW_LASTS)?;
        Ok(Self::new(&pair.account, failures, in_a_row))
    }

    /// `failures` are those from one address, oldest first.
    fn new(
        account: &str,
        failures: Vec<(String, DateTime<Utc>)>,
        in_a_row: Option<(i32, DateTime<Utc>)>,
    ) -> Self {
        let of_pair = failures
            .iter()
            .filter(|(whose, _)| whose == account)
            .map(|(_, at)| *at)
            .collect();
        let latest: HashMap<String, DateTime<Utc>> = failures.into_iter().collect();
        let mut latest_of_each: Vec<_> = latest.into_values().collect();
        latest_of_each.sort_unstable();
        Self {
            of_pair,
            latest_of_each,
            in_a_row,
        }
    }

    fn is_empty(&self) -> bool {
        self.of_pair.is_empty() && self.in_a_row.is_none()
    }

    /// The end of the lock that lasts longest, if there is one.
    fn locked_until(&self) -> Option<DateTime<Utc>> {
        let row_ends = self
            .in_a_row
            .filter(|(failures, _)| *failures >= IN_A_ROW)
            .map(|(_, last_at)| last_at + IN_A_ROW_LASTS);
        let pair_ends = nth_newest(&self.of_pair, PER_PAIR).map(|at| at + WINDOW);
        let address_ends =
            nth_newest(&self.latest_of_each, ACCOUNTS_PER_ADDRESS).map(|at| at + WINDOW);
        row_ends.max(pair_ends).max(address_ends)
    }

    fn judge(&self, now: DateTime<Utc>) -> Result<()> {
        match self.locked_until() {
            Some(until) => Err(too_many(now, until)),
            None => Ok(()),
        }
    }
}

/// The `n`th newest of these times, which are sorted; when it ends, fewer than `n` are left.
fn nth_newest(times: &[DateTime<Utc>], n: usize) -> Option<DateTime<Utc>> {
    times.get(times.len().checked_sub(n)?).copied()
}

/// In whole seconds, rounded up.
fn too_many(now: DateTime<Utc>, until: DateTime<Utc>) -> Error {
    let seconds = (until - now + TimeDelta::microseconds(999_999)).num_seconds();
    Error::TooManyAttempts {
        retry_after: u32::try_from(seconds).unwrap_or_default().max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn ago(minutes: i64) -> DateTime<Utc> {
        NOW - TimeDelta::minutes(minutes)
    }

    /// Seconds to wait, 0 for none.
    fn wait(failures: &[(&str, i64)], in_a_row: Option<(i32, i64)>) -> u32 {
        let failures = failures
            .iter()
            .map(|(account, minutes)| ((*account).to_owned(), ago(*minutes)))
            .collect();
        let in_a_row = in_a_row.map(|(count, minutes)| (count, ago(minutes)));
        match FailureCounts::new("ada", failures, in_a_row).judge(NOW) {
            Ok(()) => 0,
            Err(Error::TooManyAttempts { retry_after }) => retry_after,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn ten_failures_lock_an_account_until_the_oldest_is_15_minutes_old() {
        let failures: Vec<_> = (1..=10).rev().map(|minutes| ("ada", minutes)).collect();
        assert_eq!(wait(&failures, Some((10, 1))), 5 * 60);
        assert_eq!(wait(&failures[1..], Some((10, 1))), 0);
        let others: Vec<_> = failures
            .iter()
            .map(|(_, minutes)| ("bob", *minutes))
            .collect();
        assert_eq!(wait(&others, None), 0);
    }

    #[test]
    fn thirty_accounts_are_too_many_until_one_is_a_quarter_of_an_hour_old() {
        let names: Vec<String> = (0..30).map(|n| format!("user{n}")).collect();
        let mut failures: Vec<_> = names.iter().map(|name| (name.as_str(), 10)).collect();
        assert_eq!(wait(&failures, None), 5 * 60);
        assert_eq!(wait(&failures[1..], None), 0);
        // A second failure of one account counts once, with the time of the later one.
        failures.push((&names[0], 2));
        assert_eq!(wait(&failures, None), 5 * 60);
        assert_eq!(wait(&failures[1..], None), 5 * 60);
        assert_eq!(wait(&failures[2..], None), 0);
    }

    #[test]
    fn a_hundred_in_a_row_are_too_many_for_a_day() {
        assert_eq!(wait(&[], Some((99, 1))), 0);
        assert_eq!(wait(&[], Some((100, 60))), 23 * 3600);
    }

    #[test]
    fn the_returned_wait_is_long_enough() {
        for micros in [1, 500_000, 999_999] {
            let failed_at = NOW - WINDOW + TimeDelta::microseconds(60_000_000 + micros);
            let failures = vec![("ada".to_owned(), failed_at); PER_PAIR];
            let counts = FailureCounts::new("ada", failures, None);
            let Err(Error::TooManyAttempts { retry_after }) = counts.judge(NOW) else {
                panic!("ten are too many")
            };
            assert_eq!(retry_after, 61, "{micros}");
        }
    }

    #[test]
    fn the_longest_wait_is_returned() {
        let failures = vec![("ada", 3); 10];
        assert_eq!(wait(&failures, Some((10, 3))), 12 * 60);
        assert_eq!(wait(&failures, Some((100, 0))), 24 * 3600);
    }
}
