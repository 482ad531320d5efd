//! Wrong passwords, and when there have been too many (OWASP Authentication Cheat Sheet: lock by account, not only by
//! address; NIST SP 800-63B §5.2.2: at most 100 in a row).
//!
//! Accounts are counted by what was typed, whether or not anybody has that address, so that the same attempts get the
//! same answers. A failure counts when its transaction commits, and a right password is worth nothing once too many
//! have: whatever is tried at once is judged as if it had come one by one.

use std::collections::HashMap;
use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use crate::crypto::keyed_hash::keyed_hash;
use crate::domain::AddressBlock;
use crate::domain::audit::{Action, Outcome};
use crate::service::unit_of_work::{Event, Finished, UnitOfWork};
use crate::service::{Error, Result, Services};
use crate::store::{StoreError, Tx, attempts};

/// How long a failure counts against its address.
pub(in crate::service) const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Failures for one account from one address within [`WINDOW`].
const PER_PAIR: usize = 10;

/// Accounts with failures from one address within [`WINDOW`]: beyond that somebody is trying a list.
const ACCOUNTS_PER_ADDRESS: usize = 30;

/// Failures for one account since the last right password, from wherever. Then its password must be reset, or:
const IN_A_ROW: i32 = 100;

/// A row of failures is forgotten so long after the last.
pub(in crate::service) const IN_A_ROW_LASTS: TimeDelta = TimeDelta::hours(24);

/// One account, tried from one address; nothing where nothing is limited.
#[derive(Clone)]
pub(in crate::service) struct Attempt(Option<Pair>);

#[derive(Clone)]
struct Pair {
    /// A keyed hash: people mistype addresses of others, and addresses of others are none of ours to keep.
    account: String,
    address: String,
}

/// The name under which failures for an account are counted.
pub(in crate::service) struct AccountName(String);

impl Services {
    pub(in crate::service) fn account_name(&self, identity: &str) -> AccountName {
        AccountName(keyed_hash(identity, &self.tokens.keyring()))
    }

    /// An attempt at the account that `identity` names: its e-mail address, or its id where it has none.
    pub(in crate::service) fn attempt(&self, address: Option<IpAddr>, identity: &str) -> Attempt {
        Attempt(self.limits.is_on.then(|| Pair {
            account: self.account_name(identity).0,
            address: address.map_or_else(
                || "unknown".to_owned(),
                |address| AddressBlock::from(address).to_string(),
            ),
        }))
    }
}

impl Attempt {
    /// Before anything is computed.
    ///
    /// # Errors
    /// `TooManyAttempts`, for an account and for an address that has none alike.
    pub fn may_be_made(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<()> {
        match &self.0 {
            Some(pair) => Standing::of(tx, pair, now)?.judge(now),
            None => Ok(()),
        }
    }

    /// In the transaction that a right password opens: from now on nothing counts against its account here.
    ///
    /// # Errors
    /// `TooManyAttempts`, when others have failed meanwhile.
    pub fn succeeded(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<()> {
        let Some(pair) = &self.0 else {
            return Ok(());
        };
        let standing = Standing::of(tx, pair, now)?;
        standing.judge(now)?;
        if !standing.is_empty() {
            attempts::forget_pair(tx, &pair.account, &pair.address)?;
        }
        Ok(())
    }

    /// Counts a failure; answers the locks that it brought about.
    ///
    /// # Errors
    /// `TooManyAttempts`, when it was one too many: the transaction is to be undone.
    fn count(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<Vec<Action>> {
        let Some(pair) = &self.0 else {
            return Ok(Vec::new());
        };
        let (account, address) = (&pair.account, &pair.address);
        attempts::lock_address(tx, address)?;
        let before = Standing::of(tx, pair, now)?;
        before.judge(now)?;
        attempts::insert(tx, account, address, now)?;
        let in_a_row = attempts::count_in_a_row(tx, account, now, IN_A_ROW_LASTS)?;
        if in_a_row > IN_A_ROW {
            return Err(too_many(now, now + IN_A_ROW_LASTS));
        }
        let is_new_here = before.of_pair.is_empty();
        let locks = [
            (Action::PairLocked, before.of_pair.len() + 1 == PER_PAIR),
            (Action::AccountLocked, in_a_row == IN_A_ROW),
            (
                Action::AddressLocked,
                is_new_here && before.latest_of_each.len() + 1 == ACCOUNTS_PER_ADDRESS,
            ),
        ];
        Ok(locks
            .into_iter()
            .filter_map(|(action, is_reached)| is_reached.then_some(action))
            .collect())
    }
}

/// Lets everybody try again who tried this account in vain. For the transaction that resets its password.
pub(in crate::service) fn forgive(
    tx: &mut Tx<'_>,
    account: &AccountName,
) -> std::result::Result<(), StoreError> {
    attempts::forget_account(tx, &account.0)
}

/// Counts a failed attempt and records it, with one row more for each lock that it brought about; returns how many
/// locks. One too many neither counts nor leaves a row, or a flood would fill the log.
///
/// # Errors
/// `TooManyAttempts`, when it was one too many: the transaction is rolled back.
pub(in crate::service) fn count_failure(
    unit: &mut UnitOfWork<'_, '_>,
    attempt: &Attempt,
    event: Event,
) -> Result<Finished<usize>> {
    let locks = attempt.count(unit.tx, unit.now)?;
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

/// What counts against an attempt.
struct Standing {
    /// When the account's failures from this address were, the oldest first.
    of_pair: Vec<DateTime<Utc>>,
    /// When each account last failed from this address, the oldest first.
    latest_of_each: Vec<DateTime<Utc>>,
    /// Failures of the account from wherever, and when the last of them was.
    in_a_row: Option<(i32, DateTime<Utc>)>,
}

impl Standing {
    fn of(tx: &mut Tx<'_>, pair: &Pair, now: DateTime<Utc>) -> Result<Self> {
        let failures = attempts::list_from(tx, &pair.address, now, WINDOW)?;
        let in_a_row = attempts::in_a_row(tx, &pair.account, now, IN_A_ROW_LASTS)?;
        Ok(Self::new(&pair.account, failures, in_a_row))
    }

    /// `failures` from one address, the oldest first.
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

    fn judge(&self, now: DateTime<Utc>) -> Result<()> {
        let row_ends = self
            .in_a_row
            .filter(|(failures, _)| *failures >= IN_A_ROW)
            .map(|(_, last_at)| last_at + IN_A_ROW_LASTS);
        let pair_ends = nth_newest(&self.of_pair, PER_PAIR).map(|at| at + WINDOW);
        let address_ends =
            nth_newest(&self.latest_of_each, ACCOUNTS_PER_ADDRESS).map(|at| at + WINDOW);
        match row_ends.max(pair_ends).max(address_ends) {
            Some(until) => Err(too_many(now, until)),
            None => Ok(()),
        }
    }
}

/// The one by whose end there are less than `n`; `None` where there are already. The oldest comes first.
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
        match Standing::new("ada", failures, in_a_row).judge(NOW) {
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
        // A second failure is no further account, but the first counts as late as the second does.
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
    fn who_waits_as_long_as_told_may_try_again() {
        for micros in [1, 500_000, 999_999] {
            let failed_at = NOW - WINDOW + TimeDelta::microseconds(60_000_000 + micros);
            let failures = vec![("ada".to_owned(), failed_at); PER_PAIR];
            let standing = Standing::new("ada", failures, None);
            let Err(Error::TooManyAttempts { retry_after }) = standing.judge(NOW) else {
                panic!("ten are too many")
            };
            assert_eq!(retry_after, 61, "{micros}");
        }
    }

    #[test]
    fn the_longest_wait_is_told() {
        let failures = vec![("ada", 3); 10];
        assert_eq!(wait(&failures, Some((10, 3))), 12 * 60);
        assert_eq!(wait(&failures, Some((100, 0))), 24 * 3600);
    }
}
