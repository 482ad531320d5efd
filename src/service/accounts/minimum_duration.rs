//! A minimum duration for answers, so that their timing does not show whether a user exists.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Many times what the work takes.
const ANSWER_AFTER: Duration = Duration::from_millis(25);

/// Starts when it is created.
pub(in crate::service) struct MinimumDuration {
    answer_at: Instant,
}

impl MinimumDuration {
    pub(crate) fn begin() -> Self {
        Self {
            answer_at: Instant::now() + ANSWER_AFTER,
        }
    }

    /// Runs `work` without counting its time, which must not depend on the user.
    pub(crate) async fn without<T>(&mut self, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let output = work.await;
        self.answer_at += begun.elapsed();
        output
    }

    /// Waits until the minimum duration has passed.
    pub(crate) async fn end(self) {
        sleep_until(self.answer_at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_answer_comes_before_the_minimum_duration() {
        let begun = Instant::now();
        MinimumDuration::begin().end().await;
        assert!(begun.elapsed() >= ANSWER_AFTER);
    }

    #[tokio::test]
    async fn uncounted_work_is_added_to_the_minimum_duration() {
        let begun = Instant::now();
        let mut time = MinimumDuration::begin();
        let hash = Duration::from_millis(1);
        let work = async {
            let begun = Instant::now();
            while begun.elapsed() < hash {}
            "digest"
        };
        assert_eq!(time.without(work).await, "digest");
        assert!(time.answer_at >= begun + ANSWER_AFTER + hash);
    }
}
