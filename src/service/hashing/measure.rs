//! Measures how fast this machine hashes, to recommend a cost.

use std::time::{Duration, Instant};

use bcrypt_lanes::Input;

use crate::service::hashing::worker::{Batch, LANES};

/// Long enough to measure, short enough to repeat.
const COST: u32 = 8;

const ROUNDS: usize = 9;

/// The duration of one iteration on one thread, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Speed {
    pub alone: f64,
    /// With every lane of the thread busy.
    pub together: f64,
    pub lanes: usize,
}

impl Speed {
    /// The medians of some rounds; takes a third of a second of a core.
    pub fn measure() -> Self {
        let (mut alone, mut together): (Vec<f64>, Vec<f64>) =
            (0..ROUNDS).map(|_| (hash(1), hash(LANES))).unzip();
        Self {
            alone: median(&mut alone),
            together: median(&mut together),
            lanes: LANES,
        }
    }

    /// The time of one hash when nothing else is computed.
    pub fn alone(&self, cost: u32) -> Duration {
        Duration::from_secs_f64(self.alone * rounds(cost))
    }

    /// The time of one hash when every lane is busy.
    pub fn together(&self, cost: u32) -> Duration {
        Duration::from_secs_f64(self.together * rounds(cost))
    }

    /// Hashes a second when every lane of so many threads is busy.
    pub fn per_second(&self, cost: u32, threads: usize) -> f64 {
        (threads * self.lanes) as f64 / (self.together * rounds(cost))
    }
}

fn rounds(cost: u32) -> f64 {
    f64::from(cost).exp2()
}

/// Seconds for each iteration.
fn hash(lanes: usize) -> f64 {
    let mut batch: Batch<(), LANES> = Batch::new();
    for _ in 0..lanes {
        if let Ok(input) = Input::new(b"a password to measure", [0x2b; 16], COST) {
            let _ = batch.join(input, ());
        }
    }
    let begun = Instant::now();
    let iterations = batch.advance(u32::MAX, |(), _| {});
    begun.elapsed().as_secs_f64() / f64::from(iterations.max(1))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_cost_doubles_the_time_and_halves_the_rate() {
        let speed = Speed {
            alone: 50e-6,
            together: 100e-6,
            lanes: 5,
        };
        assert_eq!(speed.alone(10), Duration::from_micros(51_200));
        assert_eq!(speed.alone(11), Duration::from_micros(102_400));
        assert_eq!(speed.together(10), Duration::from_micros(102_400));
        assert!((speed.per_second(10, 2) - 10.0 / 0.1024).abs() < 1e-6);
    }

    #[test]
    fn measured_times_are_positive() {
        let speed = Speed::measure();
        assert!(speed.alone > 0.0 && speed.together > 0.0);
        assert_eq!(speed.lanes, LANES);
    }
}
