//! The queue of hashing jobs: which is next, and which is rejected because it would take too long.

use std::time::{Duration, Instant};

use bcrypt_lanes::{Digest, Input};
use tokio::sync::oneshot;

use crate::service::hashing::Load;
use crate::service::hashing::derivations::{Derivations, Deriving};
use crate::service::hashing::pace::Pace;
use crate::service::hashing::share::Share;
use crate::service::hashing::turns::{Turns, Waiting};

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
    pub task: Task,
    pub due: Due,
}

/// What is computed where.
#[derive(Debug)]
pub(super) enum Task {
    /// bcrypt, in a lane.
    Lane(Input, oneshot::Sender<Digest>),
    /// Anything else, on a thread that does nothing else meanwhile.
    Derive(Deriving),
}

/// How long a job may wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    submitted: Instant,
    /// Whether there was a free place for the job. It is then computed, however long that takes.
    is_certain: bool,
}

impl Due {
    pub(super) fn since(submitted: Instant) -> Self {
        Self {
            submitted,
            is_certain: false,
        }
    }

    /// Of a job that continues another, which would have been in vain.
    pub(super) fn certain(submitted: Instant) -> Self {
        Self {
            submitted,
            is_certain: true,
        }
    }

    /// Whether a job with this much work left would be done too late.
    pub(super) fn is_missed(&self, now: Instant, left: Duration) -> bool {
        !self.is_certain && now.duration_since(self.submitted) + left > PATIENCE
    }
}

impl Job {
    pub(super) fn is_abandoned(&self) -> bool {
        match &self.task {
            Task::Lane(_, reply) => reply.is_closed(),
            Task::Derive(deriving) => deriving.is_abandoned(),
        }
    }

    fn work(&self) -> u64 {
        match &self.task {
            Task::Lane(input, _) => iterations(input),
            Task::Derive(deriving) => deriving.cost.work,
        }
    }

    fn is_for_lane(&self) -> bool {
        matches!(self.task, Task::Lane(..))
    }
}

/// The waiting jobs, in turn, and the load of the lanes and of the threads for derivations.
#[derive(Debug)]
pub(super) struct Backlog {
    turns: Turns<Job>,
    lanes: usize,
    begun: Begun,
    derivations: Derivations,
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
    pub(super) fn new(lanes: usize, derivations: Derivations) -> Self {
        Self {
            turns: Turns::new(),
            lanes,
            begun: Begun::default(),
            derivations,
            pace: Pace::unknown(),
        }
    }

    /// Adds a job at its place in the order, unless it could not be done in time there. Jobs after it that would then
    /// be too late are dropped, which tells their callers.
    pub(super) fn admit(&mut self, job: Job) -> bool {
        self.turns.retain(|waiting| !waiting.job.is_abandoned());
        let now = job.due.submitted;
        let new = self.turns.push(job.share, job.work(), job);
        let pace = &self.pace;
        let mut places = Places {
            free: self.free(),
            lanes: self.lanes,
            before_lanes: self.begun.iterations,
            derivations: self.derivations.clone(),
            before_derivations: self.derivations.work(),
        };
        let (mut kept, mut is_admitted) = (0, false);
        self.turns.retain(|waiting| {
            let Place { begins, work } = places.of(waiting);
            let time = pace.time_for(work);
            let due = &mut waiting.job.due;
            let is_kept = if waiting.arrival == new {
                is_admitted = kept < DEPTH && (due.is_certain || begins || time <= PROMISE);
                due.is_certain |= begins;
                is_admitted
            } else {
                kept < DEPTH && !(is_admitted && due.is_missed(now, time))
            };
            if is_kept {
                kept += 1;
                places.take(waiting);
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

    /// Drops jobs that can no longer be done in time, at once rather than when a place becomes free.
    /// Call it before [`next`](Self::next).
    pub(super) fn give_up_overdue(&mut self, now: Instant) {
        let pace = &self.pace;
        // Dropping the job tells its caller.
        self.turns.retain(|waiting| {
            let left = pace.time_for(waiting.work as f64);
            !waiting.job.is_abandoned() && !waiting.job.due.is_missed(now, left)
        });
    }

    /// The next job for a lane, if there is one free. It counts as begun.
    pub(super) fn next(&mut self) -> Option<Job> {
        let mut free = self.free();
        let begun = self
            .turns
            .begin(|waiting| waiting.job.is_for_lane() && free.begins(waiting.turn))?;
        self.begun.lanes += 1;
        self.begun.iterations += begun.work;
        Some(begun.job)
    }

    /// The next job for a thread of its own, if there is one free, and memory for the job. It counts as begun.
    pub(super) fn next_derivation(&mut self) -> Option<(Share, Deriving)> {
        let derivations = &self.derivations;
        let begun = self.turns.begin(|waiting| match &waiting.job.task {
            Task::Derive(deriving) => derivations.have_room_for(deriving.cost),
            Task::Lane(..) => false,
        })?;
        match begun.job.task {
            Task::Derive(deriving) => {
                self.derivations.begin(deriving.cost);
                Some((begun.share, deriving))
            }
            Task::Lane(..) => None,
        }
    }

    /// A job has left its lane.
    pub(super) fn end(&mut self, share: Share, work: u64) {
        self.turns.end(share, work);
    }

    /// A job has left its thread.
    pub(super) fn end_derivation(&mut self, share: Share, cost: stored_passwords::Cost) {
        self.derivations.end(cost);
        self.turns.end(share, cost.work);
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

    /// Of them, those for a lane.
    pub(super) fn waiting_for_lanes(&self) -> usize {
        self.turns.count(Job::is_for_lane)
    }

    pub(super) fn has_free_lane(&self) -> bool {
        self.begun.lanes + self.waiting_for_lanes() < self.lanes
    }

    pub(super) fn load(&self) -> Load {
        Load {
            lanes: self.lanes,
            busy: self.begun.lanes,
            waiting: self.turns.len(),
            deriving: self.derivations.busy(),
            memory: self.derivations.memory(),
            ..Load::default()
        }
    }
}

/// Where the waiting jobs will be, one after the other.
struct Places {
    free: FreeLanes,
    lanes: usize,
    before_lanes: u64,
    derivations: Derivations,
    before_derivations: u64,
}

/// Of one job: whether it can begin at once, and how many iterations a lane is advanced until it is done.
struct Place {
    begins: bool,
    work: f64,
}

impl Places {
    /// First the jobs before it share the lanes or threads, then it has one.
    fn of(&mut self, waiting: &Waiting<Job>) -> Place {
        let (begins, before, shared) = match &waiting.job.task {
            Task::Lane(..) => (
                self.free.begins(waiting.turn),
                self.before_lanes,
                self.lanes,
            ),
            Task::Derive(deriving) => {
                let begins = self.derivations.have_room_for(deriving.cost);
                (begins, self.before_derivations, self.derivations.threads())
            }
        };
        Place {
            begins,
            work: before as f64 / shared as f64 + waiting.work as f64,
        }
    }

    fn take(&mut self, waiting: &Waiting<Job>) {
        match &waiting.job.task {
            Task::Lane(..) => self.before_lanes += waiting.work,
            Task::Derive(deriving) => {
                self.before_derivations += waiting.work;
                self.derivations.begin(deriving.cost);
            }
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
    use stored_passwords::{ImportedHash, Peppers, Stage};
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    /// With a full batch's iteration in 0.1 ms.
    fn backlog(lanes: usize) -> Backlog {
        let mut backlog = Backlog::new(lanes, Derivations::new(2, 100));
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
        let job = Job {
            share,
            task: Task::Lane(input, reply),
            due: Due::since(at),
        };
        (job, Caller { replied })
    }

    fn input(job: &Job) -> &Input {
        match &job.task {
            Task::Lane(input, _) => input,
            Task::Derive(_) => panic!("not for a lane"),
        }
    }

    /// Computes everything, one job at a time, and returns the order.
    fn names(backlog: &mut Backlog, now: Instant) -> Vec<u8> {
        backlog.give_up_overdue(now);
        std::iter::from_fn(|| {
            let before = backlog.begun;
            let job = backlog.next()?;
            backlog.changed(backlog.begun, before);
            backlog.end(job.share, iterations(input(&job)));
            Some(input(&job).salt()[0])
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
        assert_eq!(input(&backlog.next().unwrap()).salt()[0], 200);
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
        let waiting = backlog.turns.len();
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
        assert_eq!(backlog.turns.len(), waiting - dropped + others.len());
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
        assert_eq!(backlog.turns.len(), DEPTH);
        assert_eq!(input(&backlog.next().unwrap()).salt()[0], 0);
        assert_eq!(input(&backlog.next().unwrap()).salt()[0], 1);
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
        assert_eq!(backlog.turns.len(), 2);
        backlog.give_up_overdue(now + Duration::from_millis(1700));
        assert_eq!(early.replied.try_recv().unwrap_err(), TryRecvError::Closed);
        assert_eq!(later.replied.try_recv().unwrap_err(), TryRecvError::Empty);
        assert_eq!(backlog.turns.len(), 1);
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

    /// With so much memory of scrypt: 16 MiB, or 128 MiB.
    fn derivation(name: u8, log_n: u32, at: Instant) -> (Job, Waiter) {
        let text =
            format!("$in$raw$scrypt$ln={log_n},r=8,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let hash = ImportedHash::parse(&text).unwrap();
        let Ok(Stage::Derive(derivation)) = hash.begin("a", &Peppers::default()) else {
            panic!("scrypt is derived");
        };
        let (reply, waiter) = oneshot::channel();
        let job = Job {
            share: Share::of(name, name),
            task: Task::Derive(Deriving::new(derivation, reply)),
            due: Due::since(at),
        };
        (job, waiter)
    }

    type Waiter = oneshot::Receiver<std::result::Result<Stage, stored_passwords::Failed>>;

    /// With three threads for derivations, and 40 MiB.
    fn backlog_with_memory() -> Backlog {
        let mut backlog = backlog(12);
        backlog.derivations = Derivations::new(3, 40 << 20);
        backlog
    }

    fn next_memory(backlog: &mut Backlog) -> Option<u64> {
        let (_, deriving) = backlog.next_derivation()?;
        Some(deriving.cost.memory >> 20)
    }

    #[test]
    fn derivations_wait_for_memory_and_for_threads() {
        let now = Instant::now();
        let mut backlog = backlog_with_memory();
        let mut waiters = Vec::new();
        let mut costs = Vec::new();
        for name in 0..4 {
            let (job, waiter) = derivation(name, 14, now);
            assert!(backlog.admit(job));
            waiters.push(waiter);
        }
        for _ in 0..2 {
            let (share, deriving) = backlog.next_derivation().unwrap();
            costs.push((share, deriving.cost));
        }
        // There is a thread, and no memory.
        assert!(next_memory(&mut backlog).is_none());
        assert_eq!(backlog.load().deriving, 2);
        assert_eq!(backlog.load().memory >> 20, 32);
        let (share, cost) = costs.pop().unwrap();
        backlog.end_derivation(share, cost);
        assert_eq!(next_memory(&mut backlog), Some(16));
        assert!(next_memory(&mut backlog).is_none());
    }

    #[test]
    fn one_larger_than_the_budget_is_computed_alone() {
        let now = Instant::now();
        let mut backlog = backlog_with_memory();
        let (small, _small) = derivation(1, 14, now);
        let (large, _large) = derivation(2, 17, now);
        assert!(backlog.admit(small) && backlog.admit(large));
        let (share, deriving) = backlog.next_derivation().unwrap();
        assert!(next_memory(&mut backlog).is_none());
        backlog.end_derivation(share, deriving.cost);
        assert_eq!(next_memory(&mut backlog), Some(128));
        let (small, _small) = derivation(3, 14, now);
        assert!(backlog.admit(small));
        assert!(next_memory(&mut backlog).is_none());
    }

    #[test]
    fn lanes_and_derivations_do_not_wait_for_each_other() {
        let now = Instant::now();
        let mut backlog = backlog_with_memory();
        let mut waiters = Vec::new();
        for name in 0..6 {
            let (job, waiter) = derivation(name, 14, now);
            assert!(backlog.admit(job));
            waiters.push(waiter);
        }
        let (lane, _lane) = job(200, 10, now);
        assert!(backlog.admit(lane));
        assert!(backlog.has_free_lane());
        assert_eq!(input(&backlog.next().unwrap()).salt()[0], 200);
        assert!(backlog.next().is_none());
        assert_eq!(next_memory(&mut backlog), Some(16));
        // Those of one client take turns, whatever kind they are of.
        let (more, _more) = job(0, 10, now);
        let (other, _other) = job(201, 10, now);
        assert!(backlog.admit(more) && backlog.admit(other));
        assert_eq!(input(&backlog.next().unwrap()).salt()[0], 201);
        assert_eq!(input(&backlog.next().unwrap()).salt()[0], 0);
    }

    #[test]
    fn too_many_derivations_are_refused_and_what_follows_one_is_not() {
        let now = Instant::now();
        let mut backlog = backlog_with_memory();
        let (mut admitted, mut waiters) = (0, Vec::new());
        for name in 0..200 {
            let (job, waiter) = derivation(name, 14, now);
            admitted += u32::from(backlog.admit(job));
            waiters.push(waiter);
        }
        // Each has the work of some 655 iterations, which are 66 ms.
        assert!((55..=75).contains(&admitted), "{admitted}");
        let mut callers = flood(&mut backlog, Share::of("a", "x"), 255, now);
        let (late, _late) = job_of(Share::of("a", "x"), 1, 10, now);
        assert!(!backlog.admit(late));
        let (mut follows, caller) = job_of(Share::of("a", "x"), 1, 10, now);
        follows.due = Due::certain(now);
        assert!(backlog.admit(follows));
        callers.push(caller);
        backlog.give_up_overdue(now + 2 * PATIENCE);
        // It, and those that found one of ten lanes, or memory for two derivations.
        assert_eq!(backlog.turns.len(), 1 + 10 + 2);
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
