//! Answers that take equally long, whatever was found: microseconds of difference, such as the row of a user who is
//! there, are waited out.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Many times what the work takes.
const ANSWER_AFTER: Duration = Duration::from_millis(25);

/// Runs from its making.
pub(in crate::service) struct MinimumDuration {
    answer_at: Instant,
}

impl MinimumDuration {
    pub fn begin() -> Self {
        Self {
            answer_at: Instant::now() + ANSWER_AFTER,
        }
    }

    /// Waits for what takes its own time, the same for everybody, and does not count it.
    pub async fn without<T>(&mut self, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let output = work.await;
        self.answer_at += begun.elapsed();
        output
    }

    /// Waits until the answer is due. No longer, where the work took longer than it should.
    pub async fn end(self) {
        sleep_until(self.answer_at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_answered_before_its_time() {
        let begun = Instant::now();
        MinimumDuration::begin().end().await;
        assert!(begun.elapsed() >= ANSWER_AFTER);
    }

    #[tokio::test]
    async fn what_takes_its_own_time_comes_on_top() {
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
