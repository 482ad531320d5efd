//! How fast full batches advance on this machine under its current load.

use std::time::Duration;

/// The weight of older observations halves each time this much was observed.
const HALF_LIFE: Duration = Duration::from_millis(500);

/// Observed time and iterations: an average over time, so that one interrupted slice counts only for its duration.
#[derive(Debug)]
pub(super) struct Pace {
    seconds: f64,
    iterations: f64,
}

impl Pace {
    /// Assumes a slow machine until a thread has measured it.
    pub(super) fn unknown() -> Self {
        Self {
            seconds: 200e-6,
            iterations: 1.0,
        }
    }

    /// One thread took every lane of a full batch `iterations` further in `time`.
    pub(super) fn learn(&mut self, iterations: u32, time: Duration) {
        self.seconds += time.as_secs_f64();
        self.iterations += f64::from(iterations);
        if self.seconds > HALF_LIFE.as_secs_f64() {
            self.seconds /= 2.0;
            self.iterations /= 2.0;
        }
    }

    /// The time a full batch takes for so many iterations of each lane.
    pub(super) fn time_for(&self, iterations: f64) -> Duration {
        Duration::try_from_secs_f64(iterations * self.seconds / self.iterations)
            .unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(observations: &[(u32, u64)]) -> f64 {
        let mut pace = Pace::unknown();
        for (iterations, milliseconds) in observations {
            pace.learn(*iterations, Duration::from_millis(*milliseconds));
        }
        pace.time_for(1000.0).as_secs_f64()
    }

    #[test]
    fn the_pace_follows_the_observations() {
        assert!((learned(&[]) - 0.2).abs() < 1e-9);
        assert!((learned(&[(1000, 100)]) - 0.1).abs() < 0.001);
        assert!((learned(&[(1000, 100); 50]) - 0.1).abs() < 0.001);
        let slower = [[(1000, 100); 50].as_slice(), &[(1000, 300); 50]].concat();
        assert!((learned(&slower) - 0.3).abs() < 0.01);
    }

    #[test]
    fn one_interrupted_slice_changes_little() {
        let interrupted = [[(10, 1); 400].as_slice(), &[(10, 20)]].concat();
        assert!((learned(&interrupted) - 0.1).abs() < 0.02);
    }

    #[test]
    fn any_number_of_iterations_has_a_duration() {
        assert_eq!(Pace::unknown().time_for(f64::MAX), Duration::MAX);
    }
}
