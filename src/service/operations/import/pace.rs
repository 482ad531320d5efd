//! How long a run pauses between two batches, so that a running server serves sign-ins meanwhile.

use std::time::Duration;

/// A server whose writer waits for SQLite looks again after 1, 2, 5, 10 and then more milliseconds.
const LEAST: Duration = Duration::from_millis(2);

/// For how many batches somebody else's write counts.
const REMEMBERED: u32 = 50;

/// Pauses for as long as a batch took while others write, and hardly otherwise.
#[derive(Debug, Default)]
pub(super) struct Pace {
    seen: Option<i64>,
    polite: u32,
}

impl Pace {
    /// After a batch that took `took`. `others` is a number that changes when others write; `None` if that cannot be
    /// known, where they do not wait for each other.
    pub(super) fn pause(&mut self, took: Duration, others: Option<i64>) -> Duration {
        if self.seen.is_some() && others != self.seen {
            self.polite = REMEMBERED;
        }
        self.seen = others;
        if self.polite == 0 {
            return LEAST;
        }
        self.polite -= 1;
        took.max(LEAST)
    }

    /// How many people are written at once.
    pub(super) fn size(&self, most: usize) -> usize {
        if self.polite == 0 {
            most
        } else {
            (most / 5).max(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: Duration = Duration::from_millis(40);

    #[test]
    fn a_run_pauses_for_others_who_write_and_not_without_them() {
        let mut pace = Pace::default();
        assert_eq!(pace.pause(BATCH, Some(1)), LEAST);
        assert_eq!(pace.pause(BATCH, Some(1)), LEAST);
        assert_eq!(pace.size(500), 500);
        assert_eq!(pace.pause(BATCH, Some(2)), BATCH);
        assert_eq!(pace.size(500), 100);
        let pauses = (0..=REMEMBERED).map(|_| pace.pause(BATCH, Some(2)));
        assert_eq!(pauses.last(), Some(LEAST));
    }

    #[test]
    fn a_run_does_not_pause_where_nobody_waits() {
        let mut pace = Pace::default();
        assert_eq!(pace.pause(BATCH, None), LEAST);
        assert_eq!(pace.pause(BATCH, None), LEAST);
    }
}
