//! The last revocations in memory, so that a follower that comes back costs no query.

use std::collections::VecDeque;

use super::revocation::Revocation;
use crate::domain::FeedCursor;

/// How many are kept: 48 bytes each.
const MOST: usize = 65_536;

/// What came between two cursors.
#[derive(Debug)]
pub(super) struct Recent {
    start: FeedCursor,
    end: FeedCursor,
    /// With their transactions.
    rows: VecDeque<(i64, Revocation)>,
}

impl Recent {
    /// `rows` are what `end` has read and `start` has not.
    pub(super) fn new(start: FeedCursor, end: FeedCursor, rows: Vec<(i64, Revocation)>) -> Self {
        let mut recent = Self {
            start,
            end,
            rows: rows.into(),
        };
        recent.forget_oldest();
        recent
    }

    pub(super) fn end(&self) -> &FeedCursor {
        &self.end
    }

    pub(super) fn extend(
        &mut self,
        rows: impl IntoIterator<Item = (i64, Revocation)>,
        end: FeedCursor,
    ) {
        self.rows.extend(rows);
        self.end = end;
        self.forget_oldest();
    }

    fn forget_oldest(&mut self) {
        let mut forgotten = None;
        while self.rows.len() > MOST {
            let oldest = self.rows.pop_front().map(|(transaction, _)| transaction);
            forgotten = forgotten.max(oldest);
        }
        if let Some(transaction) = forgotten {
            let next = self.start.next().max(transaction + 1);
            self.start = self.start.later(next);
        }
    }

    /// What came after `cursor`; `None` if that is not known, or not of this history.
    pub(super) fn since(&self, cursor: &FeedCursor) -> Option<Vec<Revocation>> {
        let rows = self.rows.iter();
        cursor.is_after(&self.start).then(|| {
            rows.filter(|(transaction, _)| !cursor.has_read(*transaction))
                .map(|(_, entry)| *entry)
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::SessionId;

    fn entry(transaction: i64) -> (i64, Revocation) {
        let sid = SessionId(Uuid::from_u64_pair(0, transaction.unsigned_abs()));
        (transaction, Revocation::Session { sid })
    }

    fn cursor(next: i64, open: &[i64]) -> FeedCursor {
        FeedCursor::new("here", next, open)
    }

    #[test]
    fn what_was_forgotten_is_not_said_to_be_nothing() {
        let start = cursor(1, &[]);
        let mut recent = Recent::new(start.clone(), start.clone(), Vec::new());
        assert_eq!(recent.since(&start), Some(Vec::new()));
        let most = i64::try_from(MOST).unwrap();
        recent.extend((1..=most).map(entry), cursor(most + 1, &[]));
        assert_eq!(recent.since(&start).unwrap().len(), MOST);
        recent.extend([entry(most + 1)], cursor(most + 2, &[]));
        assert_eq!(recent.since(&start), None);
        assert_eq!(recent.since(&cursor(2, &[])).unwrap().len(), MOST);
        assert_eq!(recent.since(&cursor(3, &[1])), None);
        assert_eq!(recent.since(&FeedCursor::new("there", 3, &[])), None);
    }

    proptest! {
        /// Transactions end in any order, and each reader looks at its own moments.
        #[test]
        fn a_reader_at_any_moments_misses_nothing(
            ends in prop::collection::vec(0..20_usize, 1..20),
            looks in prop::collection::vec(0..20_usize, 0..6),
        ) {
            // Transaction n begins at n and ends at n + ends[n]; a moment m sees those that have ended before it.
            let count = ends.len();
            let snapshot = |moment: usize| {
                let begun = moment.min(count);
                let open: Vec<i64> = (0..begun)
                    .filter(|&n| n + ends[n] >= moment)
                    .map(|n| i64::try_from(n).unwrap())
                    .collect();
                cursor(i64::try_from(begun).unwrap(), &open)
            };
            let last = count + 21;
            let mut recent = Recent::new(snapshot(0), snapshot(0), Vec::new());
            let mut looks: BTreeSet<usize> = looks.into_iter().collect();
            let mut seen = BTreeSet::new();
            let mut mine = snapshot(0);
            looks.insert(last);
            for moment in 1..=last {
                let now = snapshot(moment);
                let before = recent.end().clone();
                let new: Vec<_> = (0..i64::try_from(count).unwrap())
                    .filter(|n| now.has_read(*n) && !before.has_read(*n))
                    .map(entry)
                    .collect();
                recent.extend(new, now.clone());
                if looks.contains(&moment) {
                    for found in recent.since(&mine).unwrap() {
                        prop_assert!(seen.insert(format!("{found:?}")), "twice: {found:?}");
                    }
                    mine = now;
                }
            }
            prop_assert_eq!(seen.len(), count);
        }
    }
}
