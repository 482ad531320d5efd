//! Whose turn it is: who has the least in progress goes first, so that a flood waits behind itself.

use std::collections::{HashMap, VecDeque};

use crate::service::hashing::share::Share;

/// Waiting jobs, and the work in progress of each account and address.
///
/// A job's turn is the work that its account, or its address if that is more, has in progress or waiting before it.
/// Within an address, accounts take turns as well. Among equals the one served longest ago is first, then the first to
/// come.
#[derive(Debug)]
pub(super) struct Turns<T> {
    /// By turn, if `is_sorted`.
    waiting: VecDeque<Waiting<T>>,
    /// By account and by address.
    held: HashMap<u64, Held>,
    arrivals: u64,
    served: u64,
    is_sorted: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Held {
    /// Work in progress.
    work: u64,
    /// When a job began last; 0 if none did while others waited.
    served: u64,
}

#[derive(Debug)]
pub(super) struct Waiting<T> {
    pub job: T,
    pub share: Share,
    pub work: u64,
    pub turn: u64,
    /// The turn within the account, and when that was served.
    of_account: (u64, u64),
    served: u64,
    pub arrival: u64,
}

impl<T> Turns<T> {
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            held: HashMap::new(),
            arrivals: 0,
            served: 0,
            is_sorted: true,
        }
    }

    /// Adds a job and returns the number of its arrival.
    pub(super) fn push(&mut self, share: Share, work: u64, job: T) -> u64 {
        self.arrivals += 1;
        self.waiting.push_back(Waiting {
            job,
            share,
            work,
            turn: 0,
            of_account: (0, 0),
            served: 0,
            arrival: self.arrivals,
        });
        self.is_sorted = false;
        self.arrivals
    }

    /// Takes the job whose turn it is among those that can begin; its work is in progress until [`end`](Self::end).
    pub(super) fn begin(
        &mut self,
        can_begin: impl FnMut(&Waiting<T>) -> bool,
    ) -> Option<Waiting<T>> {
        self.sort();
        let first = self.waiting.iter().position(can_begin)?;
        let begun = self.waiting.remove(first)?;
        self.served += 1;
        for key in begun.share.keys() {
            let held = self.held.entry(key).or_default();
            held.work += begun.work;
            held.served = self.served;
        }
        Some(begun)
    }

    pub(super) fn end(&mut self, share: Share, work: u64) {
        for key in share.keys() {
            if let Some(held) = self.held.get_mut(&key) {
                held.work = held.work.saturating_sub(work);
            }
        }
        self.is_sorted = false;
    }

    /// Drops jobs; `keep` sees them by turn.
    pub(super) fn retain(&mut self, keep: impl FnMut(&mut Waiting<T>) -> bool) {
        self.sort();
        let before = self.waiting.len();
        self.waiting.retain_mut(keep);
        self.is_sorted = self.waiting.len() == before;
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn count(&self, is_counted: impl Fn(&T) -> bool) -> usize {
        let counted = self
            .waiting
            .iter()
            .filter(|waiting| is_counted(&waiting.job));
        counted.count()
    }

    fn sort(&mut self) {
        if self.is_sorted {
            return;
        }
        let mut before = HashMap::new();
        let mut place = |key: u64, work: u64| {
            let held = self.held.get(&key).copied().unwrap_or_default();
            let total = before.entry(key).or_insert(held.work);
            *total += work;
            (*total - work, held.served)
        };
        let waiting = self.waiting.make_contiguous();
        waiting.sort_unstable_by_key(|job| job.arrival);
        for job in &mut *waiting {
            job.of_account = place(job.share.account(), job.work);
        }
        waiting.sort_by_key(|job| job.of_account);
        for job in &mut *waiting {
            let (turn, served) = place(job.share.address(), job.work);
            job.turn = turn.max(job.of_account.0);
            job.served = served.max(job.of_account.1);
        }
        waiting.sort_by_key(|job| {
            (
                job.turn,
                job.of_account.0,
                job.served,
                job.of_account.1,
                job.arrival,
            )
        });
        self.held
            .retain(|key, held| held.work > 0 || before.contains_key(key));
        self.is_sorted = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As served one at a time.
    fn order(turns: &mut Turns<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| {
            let begun = turns.begin(|_| true)?;
            turns.end(begun.share, begun.work);
            Some(begun.job)
        })
        .collect()
    }

    fn turns(jobs: &[(&'static str, &str, &str)]) -> Turns<&'static str> {
        let mut turns = Turns::new();
        for (job, account, address) in jobs {
            turns.push(Share::of(account, address), 1, *job);
        }
        turns
    }

    #[test]
    fn jobs_of_different_clients_are_first_in_first_out() {
        let mut turns = turns(&[("1", "a", "x"), ("2", "b", "y"), ("3", "c", "z")]);
        assert_eq!(order(&mut turns), ["1", "2", "3"]);
    }

    #[test]
    fn a_flood_of_an_account_or_an_address_waits_behind_itself() {
        for flood in [
            ["a", "x", "a", "y", "a", "z"],
            ["a", "x", "b", "x", "c", "x"],
        ] {
            let [a, x, b, y, c, z] = flood;
            let mut turns = turns(&[("1", a, x), ("2", b, y), ("3", c, z), ("other", "o", "o")]);
            assert_eq!(order(&mut turns), ["1", "other", "2", "3"], "{flood:?}");
        }
    }

    #[test]
    fn accounts_at_one_address_take_turns() {
        let flood = [("1", "a", "x"), ("2", "a", "x"), ("3", "a", "x")];
        let mut turns = turns(&[flood.as_slice(), &[("colleague", "b", "x")]].concat());
        assert_eq!(order(&mut turns), ["1", "colleague", "2", "3"]);
    }

    #[test]
    fn work_in_progress_counts_until_it_ends() {
        let mut turns = turns(&[("1", "a", "x"), ("2", "a", "x")]);
        let first = turns.begin(|_| true).unwrap();
        turns.push(Share::of("b", "y"), 1, "other");
        turns.sort();
        assert_eq!(turns.waiting[0].job, "other");
        turns.end(first.share, first.work);
        assert_eq!(order(&mut turns), ["other", "2"]);
        turns.sort();
        assert!(turns.len() == 0 && turns.held.is_empty());
    }

    #[test]
    fn an_expensive_job_counts_for_more_than_a_cheap_one() {
        let mut turns = Turns::new();
        for (job, account, work) in [
            ("a1", "a", 4),
            ("b1", "b", 1),
            ("a2", "a", 4),
            ("b2", "b", 1),
        ] {
            turns.push(Share::of(account, account), work, job);
        }
        let begun = std::iter::from_fn(|| turns.begin(|_| true)).map(|begun| begun.job);
        assert_eq!(begun.collect::<Vec<_>>(), ["a1", "b1", "b2", "a2"]);
    }

    #[test]
    fn those_that_cannot_begin_keep_their_turn() {
        let mut turns = turns(&[("1", "a", "x"), ("2", "b", "y"), ("3", "c", "z")]);
        let begun = turns.begin(|waiting| waiting.job != "1").unwrap();
        assert_eq!(begun.job, "2");
        assert!(turns.begin(|_| false).is_none());
        turns.end(begun.share, begun.work);
        assert_eq!(order(&mut turns), ["1", "3"]);
    }

    #[test]
    fn jobs_are_dropped_from_the_end_of_the_order() {
        let mut turns = turns(&[("1", "a", "x"), ("2", "a", "x"), ("other", "b", "y")]);
        let mut seen = Vec::new();
        turns.retain(|waiting| {
            seen.push(waiting.job);
            seen.len() < 3
        });
        assert_eq!(
            (seen.as_slice(), turns.len()),
            (["1", "other", "2"].as_slice(), 2)
        );
        assert_eq!(order(&mut turns), ["1", "other"]);
    }
}
