//! How far a reader of the feed has read: it is good at every instance, and worthless after a failover that lost
//! transactions.

use std::fmt;
use std::str::FromStr;

/// More transactions in progress are not named: those that have ended meanwhile are read twice then.
const MOST_OPEN: usize = 50;

/// Which transactions have been read, in which history of the database. Clients get it as text, which they need not
/// understand: `<history>.<next>.<open>,<open>…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedCursor {
    history: String,
    next: i64,
    open: Vec<i64>,
}

impl FeedCursor {
    /// All transactions below `next` have been read, except those in `open`.
    pub fn new(history: &str, next: i64, open: &[i64]) -> Self {
        let mut open: Vec<i64> = open.iter().copied().filter(|id| *id < next).collect();
        open.sort_unstable();
        let next = match open.first() {
            Some(first) if open.len() > MOST_OPEN => *first,
            _ => next,
        };
        open.retain(|id| *id < next);
        Self {
            history: history.to_owned(),
            next,
            open,
        }
    }

    pub fn next(&self) -> i64 {
        self.next
    }

    pub fn has_read(&self, transaction: i64) -> bool {
        transaction < self.next && self.open.binary_search(&transaction).is_err()
    }

    /// Whether all that this cursor has not read came after `start`, in the same history.
    pub fn is_after(&self, start: &Self) -> bool {
        self.history == start.history
            && self.next >= start.next
            && self.open.iter().all(|id| !start.has_read(*id))
    }

    /// The same history from `next` on.
    #[must_use]
    pub fn later(&self, next: i64) -> Self {
        Self {
            next,
            open: Vec::new(),
            ..self.clone()
        }
    }
}

impl fmt::Display for FeedCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.history, self.next)?;
        for (n, id) in self.open.iter().enumerate() {
            write!(f, "{}{id}", if n == 0 { '.' } else { ',' })?;
        }
        Ok(())
    }
}

/// Text that is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotACursor;

impl FromStr for FeedCursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let mut parts = text.split('.');
        let (Some(history), Some(next), open, None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotACursor);
        };
        let number = |text: &str| text.parse::<i64>().map_err(|_| NotACursor);
        let open: Vec<i64> = open
            .iter()
            .flat_map(|open| open.split(','))
            .map(number)
            .collect::<Result<_, _>>()?;
        if open.len() > MOST_OPEN {
            return Err(NotACursor);
        }
        Ok(Self::new(history, number(next)?, &open))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursor(next: i64, open: &[i64]) -> FeedCursor {
        FeedCursor::new("here", next, open)
    }

    #[test]
    fn a_cursor_has_read_all_but_what_was_in_progress() {
        let cursor = cursor(10, &[8, 5, 12]);
        for (id, read) in [
            (4, true),
            (5, false),
            (6, true),
            (8, false),
            (9, true),
            (10, false),
        ] {
            assert_eq!(cursor.has_read(id), read, "{id}");
        }
        assert_eq!(cursor.to_string(), "here.10.5,8");
    }

    #[test]
    fn a_log_serves_only_those_who_have_read_all_before_it() {
        let start = cursor(10, &[8]);
        for (next, open, serves) in [
            (10, &[8][..], true),
            (10, &[], true),
            (12, &[8, 11], true),
            (12, &[7], false),
            (9, &[8], false),
        ] {
            assert_eq!(
                cursor(next, open).is_after(&start),
                serves,
                "{next} {open:?}"
            );
        }
        assert!(!FeedCursor::new("there", 10, &[]).is_after(&start));
    }

    #[test]
    fn too_many_in_progress_are_read_twice() {
        let open: Vec<i64> = (100..200).collect();
        let cursor = cursor(300, &open);
        assert_eq!(cursor.to_string(), "here.100");
        assert!(!cursor.has_read(250) && cursor.has_read(99));
    }

    #[test]
    fn other_text_is_no_cursor() {
        for text in [
            "",
            "here",
            "here.",
            "here.x",
            "here.1.",
            "here.1.2.3",
            "here.1.x",
            "here.1.2,,3",
        ] {
            assert_eq!(text.parse::<FeedCursor>(), Err(NotACursor), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_written_cursor_is_read(next in 0..i64::MAX, open in prop::collection::vec(0..i64::MAX, 0..60)) {
            let cursor = cursor(next, &open);
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<FeedCursor>();
        }
    }
}
