//! The queue of hashing jobs: which is next, and which is rejected because it would take too long.

use std::time::{Duration, Instant};

use bcrypt_lanes::{Digest, Input};
use tokio::sync::oneshot;

use crate::service::hashing::Load;
use crate::service::hashing::pace::Pace;
use crate::service::hashing::share::Share;
use crate::service::hashing::turns::Turns;

/// A job is admitted when it should be done within this time.
const PROMISE: Duration = Duration::from_millis(1500);

/// A job is dropped if it would be done later than this: a sign-in must be answered within two seconds, and the hash is
/// not all of it.
const PATIENCE: Duration = Duration::from_millis(1800);

/// Bounds the memory; [`PROMISE`] is reached before.
const DEPTH: usize = 4096;

/// One of so many lanes is for those who have nothing in progress, so that floods leave it free.
const RESERVED: usize = 6;

#[derive(Debug)]
pub(super) struct Job {
    pub share: Share,
    pub input: Input,
    pub reply: oneshot::Sender<Digest>,
    pub due: Due,
}

/// How long a job may wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    submitted: Instant,
    /// Whether a lane was free for the job. It is then computed, however long that takes.
    is_certain: bool,
}

impl Due {
    /// Whether a job with this much work left would be done too late.
    pub(super) fn is_missed(&self, now: Instant, left: Duration) -> bool {
        !self.is_certain && now.duration_since(self.submitted) + left > PATIENCE
    }
}

impl Job {
    pub(super) fn new(
        share: Share,
        input: Input,
        reply: oneshot::Sender<Digest>,
        submitted: Instant,
    ) -> Self {
        Self {
            share,
            input,
            reply,
            due: Due {
                submitted,
                is_certain: false,
            },
        }
    }
}

/// The waiting jobs, in turn, and the load of the lanes.
#[derive(Debug)]
pub(super) struct Backlog {
    turns: Turns<Job>,
    lanes: usize,
    begun: Begun,
    pub pace: Pace,
}

/// The jobs in lanes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Begun {
    pub lanes: usize,
    /// The sum of their remaining iterations.
    pub iterations: u64,
}

impl Backlog {
    pub(super) fn new(lanes: usize) -> Self {
        Self {
            turns: Turns::new(),
            lanes,
            begun: Begun::default(),
            pace: Pace::unknown(),
        }
    }

    /// Adds a job at its place in the order, unless it could not be done in time there. Jobs after it that would then
    /// be too late are dropped, which tells their callers.
    pub(super) fn admit(&mut self, job: Job) -> bool {
        self.turns.retain(|waiting| !waiting.job.reply.is_closed());
        let now = job.due.submitted;
        let new = self.turns.push(job.share, iterations(&job.input), job);
        let (lanes, pace, mut free) = (self.lanes, &self.pace, self.free());
        // First the jobs before it share the lanes, then it has one.
        let mut before = self.begun.iterations;
        let (mut kept, mut is_admitted) = (0, false);
        self.turns.retain(|waiting| {
            let begins = free.begins(waiting.turn);
            let time = pace.time_for(before as f64 / lanes as f64 + waiting.work as f64);
            let due = &mut waiting.job.due;
            let is_kept = if waiting.arrival == new {
                due.is_certain = begins;
                is_admitted = kept < DEPTH && (begins || time <= PROMISE);
                is_admitted
            } else {
                kept < DEPTH && !(is_admitted && due.is_missed(now, time))
            };
            if is_kept {
                kept += 1;
                before += waiting.work;
            }
            is_kept
        });
        is_admitted
    }

    fn free(&self) -> FreeLanes {
        FreeLanes {
            lanes: self.lanes.saturating_sub(self.begun.lanes),
            reserved: self.lanes / RESERVED,
        }
    }

    /// Drops jobs that can no longer be done in time, at once rather than when a lane becomes free.
    /// Call it before [`next`](Self::next).
    pub(super) fn give_up_overdue(&mut self, now: Instant) {
        let pace = &self.pace;
        // Dropping the job tells its caller.
        self.turns.retain(|waiting| {
            let left = pace.time_for(waiting.work as f64);
            !waiting.job.reply.is_closed() && !waiting.job.due.is_missed(now, left)
        });
    }

    /// The next job, if there is a lane for it. It counts as begun.
    pub(super) fn next(&mut self) -> Option<Job> {
        let turn = self.turns.first()?.turn;
        if !self.free().begins(turn) {
            return None;
        }
        let begun = self.turns.begin()?;
        self.begun.lanes += 1;
        self.begun.iterations += begun.work;
        Some(begun.job)
    }

    /// A job has left its lane.
    pub(super) fn end(&mut self, share: Share, work: u64) {
        self.turns.end(share, work);
    }

    /// Replaces the load of one thread's lanes.
    pub(super) fn changed(&mut self, from: Begun, to: Begun) {
        self.begun.lanes = self.begun.lanes + to.lanes - from.lanes;
        self.begun.iterations = self.begun.iterations + to.iterations - from.iterations;
    }

    /// Drops all waiting jobs, which tells their callers.
    pub(super) fn clear(&mut self) {
        self.turns.clear();
    }

    pub(super) fn waiting(&self) -> usize {
        self.turns.len()
    }

    pub(super) fn has_free_lane(&self) -> bool {
        self.begun.lanes + self.turns.len() < self.lanes
    }

    pub(super) fn load(&self) -> Load {
        Load {
            lanes: self.lanes,
            busy: self.begun.lanes,
            waiting: self.turns.len(),
            last: None,
        }
    }
}

/// Lanes that have no job.
struct FreeLanes {
    lanes: usize,
    reserved: usize,
}

impl FreeLanes {
    /// Whether a job with this turn can begin now. It then has a lane.
    fn begins(&mut self, turn: u64) -> bool {
        let begins = self.lanes > self.reserved || (self.lanes > 0 && turn == 0);
        self.lanes -= usize::from(begins);
        begins
    }
}

pub(super) fn iterations(input: &Input) -> u64 {
    u64::from(input.iterations())
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    /// With a full batch's iteration in 0.1 ms.
    fn backlog(lanes: usize) -> Backlog {
        let mut backlog = Backlog::new(lanes);
        for _ in 0..100 {
            backlog.pace.learn(1000, Duration::from_millis(100));
        }
        backlog
    }

    struct Caller {
        replied: oneshot::Receiver<Digest>,
    }

    impl Caller {
        fn refusal(&mut self) -> Option<()> {
            (self.replied.try_recv().err() == Some(TryRecvError::Closed)).then_some(())
        }
    }

    /// A job whose salt is its name, of a client with that name.
    fn job(name: u8, cost: u32, at: Instant) -> (Job, Caller) {
        job_of(Share::of(name, name), name, cost, at)
    }

    fn job_of(share: Share, name: u8, cost: u32, at: Instant) -> (Job, Caller) {
        let (reply, replied) = oneshot::channel();
        let input = Input::new(b"", [name; 16], cost).unwrap();
        let caller = Caller { replied };
        (Job::new(share, input, reply, at), caller)
    }

    /// Computes everything, one job at a time, and returns the order.
    fn names(backlog: &mut Backlog, now: Instant) -> Vec<u8> {
        backlog.give_up_overdue(now);
        std::iter::from_fn(|| {
            let before = backlog.begun;
            let job = backlog.next()?;
            backlog.changed(backlog.begun, before);
            backlog.end(job.share, iterations(&job.input));
            Some(job.input.salt()[0])
        })
        .collect()
    }

    /// As many jobs of one client as are admitted.
    fn flood(backlog: &mut Backlog, share: Share, count: u8, now: Instant) -> Vec<Caller> {
        let jobs = (0..count).map(|name| job_of(share, name, 10, now));
        jobs.filter_map(|(job, caller)| backlog.admit(job).then_some(caller))
            .collect()
    }

    #[test]
    fn jobs_are_admitted_while_they_can_be_done_in_time() {
        let now = Instant::now();
        let mut backlog = backlog(5);
        let mut callers = Vec::new();
        for n in 0..200 {
            let (job, caller) = job(n, 10, now);
            if backlog.admit(job) {
                callers.push(caller);
            }
        }
        // A cost of ten is about 102 ms of a lane: fourteen times five, within 1.5 s.
        assert!((66..=75).contains(&callers.len()), "{}", callers.len());
        let served = names(&mut backlog, now);
        let expected: Vec<u8> = (0..).take(callers.len()).collect();
        assert_eq!(served, expected);
    }

    #[test]
    fn one_client_leaves_a_lane_to_others() {
        let now = Instant::now();
        let mut backlog = backlog(12);
        let _flood = flood(&mut backlog, Share::of("a", "x"), 64, now);
        let begun = std::iter::from_fn(|| backlog.next()).count();
        assert_eq!(begun, 10);
        let (other, _other) = job(200, 10, now);
        assert!(backlog.admit(other));
        assert_eq!(backlog.next().unwrap().input.salt()[0], 200);
        assert!(backlog.next().is_none());
    }

    #[test]
    fn a_flood_is_refused_and_others_are_admitted_before_it() {
        let now = Instant::now();
        let mut backlog = backlog(6);
        let flooding = Share::of("a", "x");
        let mut flooded = flood(&mut backlog, flooding, 200, now);
        assert!(flooded.len() < 100);
        let _begun: Vec<_> = std::iter::from_fn(|| backlog.next()).collect();
        let waiting = backlog.waiting();
        let (mut others, mut later) = (Vec::new(), now);
        for name in 200..=255 {
            later += Duration::from_millis(1);
            let (job, caller) = job(name, 10, later);
            assert!(backlog.admit(job), "{name}");
            others.push(caller);
        }
        // Those of the flood that would be too late now are told so at once.
        let dropped = flooded.iter_mut().filter_map(Caller::refusal).count();
        assert!(dropped > 10, "{dropped}");
        assert_eq!(backlog.waiting(), waiting - dropped + others.len());
        assert!(others.iter_mut().all(|job| job.refusal().is_none()));
    }

    #[test]
    fn a_queue_full_of_one_client_refuses_no_other() {
        let now = Instant::now();
        let mut backlog = backlog(100);
        let (mut flooded, mut admitted) = (Vec::new(), 0);
        for _ in 0..=DEPTH {
            let (job, caller) = job_of(Share::of("a", "x"), 0, 4, now);
            admitted += usize::from(backlog.admit(job));
            flooded.push(caller);
        }
        assert_eq!(admitted, DEPTH);
        let (other, _other) = job(1, 4, now);
        assert!(backlog.admit(other));
        assert_eq!(backlog.waiting(), DEPTH);
        assert_eq!(backlog.next().unwrap().input.salt()[0], 0);
        assert_eq!(backlog.next().unwrap().input.salt()[0], 1);
    }

    #[test]
    fn a_free_lane_accepts_a_job_too_long_for_the_queue() {
        let now = Instant::now();
        let mut backlog = backlog(2);
        let (first, _first) = job(1, 16, now);
        let (second, _second) = job(2, 16, now);
        let (third, _third) = job(3, 16, now);
        assert!(backlog.admit(first));
        assert!(backlog.admit(second));
        assert!(!backlog.has_free_lane());
        assert!(!backlog.admit(third));
        assert_eq!(names(&mut backlog, now), [1, 2]);
    }

    #[test]
    fn an_abandoned_job_frees_its_place() {
        let now = Instant::now();
        let mut backlog = backlog(1);
        let (stays, _stays) = job(1, 4, now);
        let (goes, gone) = job(2, 13, now);
        let (comes, _comes) = job(3, 13, now);
        let (late, _late) = job(4, 13, now);
        assert!(backlog.admit(stays));
        assert!(backlog.admit(goes));
        assert!(!backlog.admit(late));
        drop(gone);
        assert!(backlog.admit(comes));
        assert_eq!(names(&mut backlog, now), [1, 3]);
    }

    #[test]
    fn a_job_abandoned_while_waiting_is_skipped() {
        let now = Instant::now();
        let mut backlog = backlog(3);
        let (first, gone) = job(1, 4, now);
        let (second, _second) = job(2, 4, now);
        assert!(backlog.admit(first) && backlog.admit(second));
        drop(gone);
        assert_eq!(names(&mut backlog, now), [2]);
    }

    #[test]
    fn a_job_that_would_be_late_is_not_started() {
        let now = Instant::now();
        let mut backlog = backlog(1);
        let (first, _first) = job(1, 10, now);
        let (second, _second) = job(2, 10, now);
        let (third, _third) = job(3, 10, now + Duration::from_millis(900));
        for job in [first, second, third] {
            assert!(backlog.admit(job));
        }
        // The first had a lane to itself; the second would be done at 1.8 s and a little.
        assert_eq!(
            names(&mut backlog, now + Duration::from_millis(1700)),
            [1, 3]
        );
    }

    #[test]
    fn an_overdue_job_is_dropped_before_a_lane_is_free() {
        let now = Instant::now();
        let mut backlog = backlog(1);
        let (running, _running) = job(0, 10, now);
        let (first, mut early) = job(1, 10, now);
        let (second, mut later) = job(2, 10, now + Duration::from_millis(900));
        assert!(backlog.admit(running) && backlog.next().is_some());
        assert!(backlog.admit(first) && backlog.admit(second));
        backlog.give_up_overdue(now + Duration::from_millis(1690));
        assert_eq!(backlog.waiting(), 2);
        backlog.give_up_overdue(now + Duration::from_millis(1700));
        assert_eq!(early.replied.try_recv().unwrap_err(), TryRecvError::Closed);
        assert_eq!(later.replied.try_recv().unwrap_err(), TryRecvError::Empty);
        assert_eq!(backlog.waiting(), 1);
    }

    #[test]
    fn jobs_are_dropped_when_the_machine_becomes_slow() {
        let now = Instant::now();
        let mut backlog = backlog(5);
        let mut callers = Vec::new();
        for n in 0..60 {
            let (job, caller) = job(n, 10, now);
            assert!(backlog.admit(job));
            callers.push(caller);
        }
        // What took a tenth of a second takes two.
        for _ in 0..100 {
            backlog.pace.learn(1000, Duration::from_secs(2));
        }
        // But jobs that found a free lane keep it.
        let now = now + Duration::from_millis(10);
        assert_eq!(names(&mut backlog, now), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn only_a_job_that_waited_for_a_lane_can_be_overdue_in_it() {
        let now = Instant::now();
        let late = now + PATIENCE + Duration::from_millis(1);
        let mut backlog = backlog(1);
        let (first, _first) = job(1, 10, now);
        let (second, _second) = job(2, 10, now);
        assert!(backlog.admit(first) && backlog.admit(second));
        let first = backlog.next().unwrap();
        backlog.changed(backlog.begun, Begun::default());
        let second = backlog.next().unwrap();
        assert!(!first.due.is_missed(late, Duration::ZERO));
        assert!(second.due.is_missed(late, Duration::ZERO));
        assert!(!second.due.is_missed(now + PATIENCE, Duration::ZERO));
    }

    #[test]
    fn lanes_that_become_free_are_counted() {
        let now = Instant::now();
        let mut backlog = backlog(2);
        for n in 0..2 {
            let (job, caller) = job(n, 16, now);
            assert!(backlog.admit(job));
            assert!(backlog.next().is_some());
            drop(caller);
        }
        let full = backlog.begun;
        assert_eq!((full.lanes, full.iterations), (2, 2 << 16));
        backlog.changed(
            full,
            Begun {
                lanes: 1,
                iterations: 1 << 16,
            },
        );
        assert!(backlog.has_free_lane());
        assert_eq!((backlog.load().busy, backlog.load().lanes), (1, 2));
    }
}
