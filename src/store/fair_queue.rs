//! Which job is next: requesters take turns, by the time that their jobs have taken.
//!
//! Two levels of weighted fair queueing (Demers, Keshav, Shenker 1989, with equal weights): first the group that has
//! used the least time, then the user in it. What a job takes is known only after it, and charged then. A group or user
//! without jobs saves up no time.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use crate::domain::UserId;

use super::requester::{Group, Requester};

/// How many jobs may run at once, in all and of one requester.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    pub threads: usize,
    /// Of one organization or address.
    pub group: usize,
    /// Of one user in an organization.
    pub user: usize,
}

/// The waiting jobs `J`, and who has used how much time.
pub(super) struct FairQueue<J> {
    shares: Shares,
    /// The maximum number of waiting jobs.
    capacity: usize,
    waiting: usize,
    groups: Turns<Group, Turns<Option<UserId>, VecDeque<J>>>,
}

impl<J> FairQueue<J> {
    pub(super) fn new(shares: Shares, capacity: usize) -> Self {
        Self {
            shares,
            capacity,
            waiting: 0,
            groups: Turns::default(),
        }
    }

    /// Queues a job. If there are too many, returns the newest of the group, and the user in it, that have the most.
    pub(super) fn push(&mut self, requester: Requester, job: J) -> Option<J> {
        let users = self.groups.add(requester.group);
        users.add(requester.user).push_back(job);
        self.waiting += 1;
        if self.waiting <= self.capacity {
            return None;
        }
        self.waiting -= 1;
        self.groups.shorten()?.shorten()?.pop_back()
    }

    /// Whether [`take`](Self::take) would return a job.
    pub(super) fn is_ready(&self) -> bool {
        self.next_group().is_some()
    }

    pub(super) fn has_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// The next job of a requester who does not have their share already. [`finish`](Self::finish) must follow.
    pub(super) fn take(&mut self) -> Option<(Requester, J)> {
        let group = self.next_group()?;
        let users = self.groups.start(group)?;
        let user = users.next(self.shares.user, |_| true)?;
        let job = users.start(user)?.pop_front()?;
        self.waiting -= 1;
        Some((Requester { group, user }, job))
    }

    /// Charges the requester of a job for the time it took.
    pub(super) fn finish(&mut self, requester: Requester, took: Duration) {
        if let Some(line) = self.groups.lines.get_mut(&requester.group) {
            line.work.finish(requester.user, took);
        }
        self.groups.finish(requester.group, took);
    }

    fn next_group(&self) -> Option<Group> {
        let share = self.shares.user;
        self.groups.next(self.shares.group, |users| {
            users.next(share, |_| true).is_some()
        })
    }
}

/// Keys that take turns with work `W`.
struct Turns<K, W> {
    lines: HashMap<K, Line<W>>,
    /// What a key that always had jobs would have used: a key that had none starts from here.
    fair_time: Duration,
    last_turn: u64,
}

struct Line<W> {
    waiting: usize,
    running: usize,
    used: Duration,
    /// Whether it has had a turn since it was idle, and its last turn: they order those who have used the same time.
    turn: (bool, u64),
    work: W,
}

impl<W> Line<W> {
    fn is_idle(&self) -> bool {
        self.waiting == 0 && self.running == 0
    }
}

impl<K, W> Default for Turns<K, W> {
    fn default() -> Self {
        Self {
            lines: HashMap::new(),
            fair_time: Duration::ZERO,
            last_turn: 0,
        }
    }
}

impl<K: Copy + Eq + Hash, W: Default> Turns<K, W> {
    fn add(&mut self, key: K) -> &mut W {
        self.last_turn += 1;
        let line = self.lines.entry(key).or_insert_with(|| Line {
            waiting: 0,
            running: 0,
            used: Duration::ZERO,
            turn: (false, 0),
            work: W::default(),
        });
        if line.is_idle() {
            line.used = line.used.max(self.fair_time);
            line.turn = (false, self.last_turn);
        }
        line.waiting += 1;
        &mut line.work
    }

    /// The key that has used the least time, of those with work that `may` start and less than `share` running.
    fn next(&self, share: usize, may: impl Fn(&W) -> bool) -> Option<K> {
        let ready = self
            .lines
            .iter()
            .filter(|(_, line)| line.waiting > 0 && line.running < share && may(&line.work));
        let (key, _) = ready.min_by_key(|(_, line)| (line.used, line.turn))?;
        Some(*key)
    }

    fn start(&mut self, key: K) -> Option<&mut W> {
        self.last_turn += 1;
        let line = self.lines.get_mut(&key)?;
        line.waiting -= 1;
        line.running += 1;
        line.turn = (true, self.last_turn);
        Some(&mut line.work)
    }

    fn finish(&mut self, key: K, took: Duration) {
        let active = self.lines.values().filter(|line| !line.is_idle()).count();
        let active = u32::try_from(active).unwrap_or(u32::MAX).max(1);
        self.fair_time += took / active;
        if let Some(line) = self.lines.get_mut(&key) {
            line.running -= 1;
            line.used += took;
        }
        let fair_time = self.fair_time;
        self.lines
            .retain(|_, line| !line.is_idle() || line.used > fair_time);
    }

    /// Takes one job from the key with the most waiting, the newest such key.
    fn shorten(&mut self) -> Option<&mut W> {
        let lines = self.lines.values_mut();
        let longest = lines.max_by_key(|line| (line.waiting, line.turn))?;
        longest.waiting -= 1;
        Some(&mut longest.work)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::domain::{AddressBlock, OrganizationId};

    const SHARES: Shares = Shares {
        threads: 8,
        group: 4,
        user: 3,
    };
    const ONE_THREAD: Shares = Shares {
        threads: 1,
        group: 1,
        user: 1,
    };

    fn organization(n: u128) -> OrganizationId {
        OrganizationId(uuid::Uuid::from_u128(n))
    }

    fn member(organization_number: u128, user: u128) -> Requester {
        let user_id = UserId(uuid::Uuid::from_u128(user));
        Requester::member(organization(organization_number), user_id)
    }

    fn client(n: u8) -> Requester {
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, n));
        Requester::address(AddressBlock::from(address))
    }

    /// Runs the next job for `took`.
    fn run_one(queue: &mut FairQueue<&'static str>, took: Duration) -> Option<&'static str> {
        let (requester, job) = queue.take()?;
        queue.finish(requester, took);
        Some(job)
    }

    #[test]
    fn one_organizations_many_jobs_wait_behind_one_job_of_another() {
        let mut queue = FairQueue::new(ONE_THREAD, 100);
        for _ in 0..64 {
            assert!(queue.push(member(1, 1), "many").is_none());
        }
        assert_eq!(run_one(&mut queue, Duration::from_millis(5)), Some("many"));
        queue.push(member(2, 2), "one");
        assert_eq!(run_one(&mut queue, Duration::from_millis(5)), Some("one"));
        assert_eq!(run_one(&mut queue, Duration::from_millis(5)), Some("many"));
    }

    #[test]
    fn one_users_many_jobs_wait_behind_one_job_of_a_colleague() {
        let mut queue = FairQueue::new(ONE_THREAD, 100);
        for _ in 0..64 {
            queue.push(member(1, 1), "many");
        }
        assert_eq!(run_one(&mut queue, Duration::from_millis(5)), Some("many"));
        queue.push(member(1, 2), "one");
        assert_eq!(run_one(&mut queue, Duration::from_millis(5)), Some("one"));
        assert_eq!(run_one(&mut queue, Duration::from_millis(5)), Some("many"));
    }

    #[test]
    fn two_busy_organizations_get_the_same_time_not_the_same_count() {
        let mut queue = FairQueue::new(ONE_THREAD, 1000);
        for _ in 0..400 {
            queue.push(member(1, 1), "heavy");
            queue.push(member(2, 2), "light");
        }
        let (mut heavy, mut light) = (0, 0);
        for _ in 0..220 {
            let (requester, job) = queue.take().unwrap();
            let milliseconds = if job == "heavy" { 10 } else { 1 };
            queue.finish(requester, Duration::from_millis(milliseconds));
            if job == "heavy" {
                heavy += 1;
            } else {
                light += 1;
            }
        }
        assert_eq!((heavy, light), (20, 200));
    }

    #[test]
    fn a_busy_organization_does_not_starve_behind_ever_new_ones() {
        let mut queue = FairQueue::new(ONE_THREAD, 1000);
        queue.push(member(1, 1), "heavy");
        queue.push(member(1, 1), "heavy");
        assert_eq!(
            run_one(&mut queue, Duration::from_millis(50)),
            Some("heavy")
        );
        let mut served = 0;
        for n in 2..1000 {
            queue.push(member(n, n), "new");
            queue.push(member(n + 1000, n), "new");
            served += usize::from(run_one(&mut queue, Duration::from_millis(1)) == Some("heavy"));
        }
        assert_eq!(served, 1);
    }

    #[test]
    fn time_is_not_saved_up_while_there_is_nothing_to_do() {
        let mut queue = FairQueue::new(ONE_THREAD, 1000);
        for _ in 0..100 {
            queue.push(member(1, 1), "busy");
        }
        for _ in 0..50 {
            assert_eq!(run_one(&mut queue, Duration::from_millis(10)), Some("busy"));
        }
        for _ in 0..50 {
            queue.push(member(2, 2), "late");
        }
        let served: Vec<_> = (0..10)
            .filter_map(|_| run_one(&mut queue, Duration::from_millis(10)))
            .collect();
        assert_eq!(served.iter().filter(|job| **job == "busy").count(), 5);
    }

    #[test]
    fn nobody_gets_more_than_their_share_of_the_threads() {
        let mut queue = FairQueue::new(SHARES, 100);
        for _ in 0..10 {
            queue.push(member(1, 1), "first user");
        }
        let running: Vec<_> = std::iter::from_fn(|| queue.take()).collect();
        assert_eq!(running.len(), 3);
        for _ in 0..10 {
            queue.push(member(1, 2), "second user");
            queue.push(client(1), "another client");
        }
        let more: Vec<_> = std::iter::from_fn(|| queue.take())
            .map(|(_, job)| job)
            .collect();
        let count = |wanted| more.iter().filter(|job| **job == wanted).count();
        assert_eq!((count("second user"), count("another client")), (1, 3));
        assert!(!queue.is_ready());
        queue.finish(member(1, 1), Duration::from_millis(1));
        assert!(queue.is_ready());
    }

    #[test]
    fn a_full_queue_refuses_the_newest_job_of_those_who_have_most() {
        let mut queue = FairQueue::new(SHARES, 10);
        for job in ["oldest", "2", "3", "4", "5", "6", "7", "newest"] {
            assert_eq!(queue.push(member(1, 1), job), None);
        }
        assert_eq!(queue.push(member(1, 2), "a colleague's"), None);
        assert_eq!(queue.push(member(2, 1), "first"), None);
        assert_eq!(queue.push(client(1), "second"), Some("newest"));
        assert_eq!(queue.push(member(1, 1), "own"), Some("own"));
        let mut jobs: Vec<_> = std::iter::from_fn(|| run_one(&mut queue, Duration::ZERO)).collect();
        jobs.sort_unstable();
        let left = [
            "2",
            "3",
            "4",
            "5",
            "6",
            "7",
            "a colleague's",
            "first",
            "oldest",
            "second",
        ];
        assert_eq!(jobs, left);
    }

    #[test]
    fn of_equally_short_lines_the_newcomer_is_refused() {
        let mut queue = FairQueue::new(SHARES, 2);
        assert_eq!(queue.push(client(1), "first"), None);
        assert_eq!(queue.push(client(2), "second"), None);
        assert_eq!(queue.push(client(3), "third"), Some("third"));
    }

    #[test]
    fn those_without_jobs_are_forgotten() {
        let mut queue = FairQueue::new(ONE_THREAD, 100);
        for n in 0..1000 {
            queue.push(member(n, n), "job");
            run_one(&mut queue, Duration::from_millis(1));
        }
        assert!(queue.groups.lines.is_empty());
    }
}
