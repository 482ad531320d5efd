//! When an event is tried again.

use chrono::TimeDelta;

use crate::service::jitter::jittered;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// Seconds after the first attempt, the second, and so on: about 75 hours until the tenth, which is the last.
const PAUSES: [i64; 9] = [
    5,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];

/// The longest pause that a receiver may ask for.
const LONGEST: TimeDelta = TimeDelta::hours(24);

/// The pause after `attempts` attempts, up to a fifth more or less by `chance`, and as long as the receiver asks for;
/// `None` after the last.
pub(super) fn pause(attempts: i32, retry_after: Option<u32>, chance: [u8; 2]) -> Option<TimeDelta> {
    let after = usize::try_from(attempts.saturating_sub(1)).unwrap_or_default();
    let pause = jittered(TimeDelta::seconds(*PAUSES.get(after)?), chance);
    let asked = TimeDelta::seconds(retry_after.unwrap_or_default().into());
    Some(pause.max(asked.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDDLE: [u8; 2] = [0x80, 0];

    #[test]
    fn ten_attempts_are_made_within_75_hours() {
        let pauses: Vec<i64> = (1..20)
            .map_while(|attempts| pause(attempts, None, MIDDLE))
            .map(|pause| pause.num_seconds())
            .collect();
        assert_eq!(pauses, PAUSES);
        let hours = pauses.iter().sum::<i64>() / HOUR;
        assert_eq!((pauses.len() + 1, hours), (10, 75));
        assert_eq!(pause(i32::MAX, Some(5), MIDDLE), None);
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause_of_a_day_at_most() {
        let seconds = |asked| pause(1, Some(asked), MIDDLE).unwrap().num_seconds();
        assert_eq!((seconds(0), seconds(1), seconds(120)), (5, 5, 120));
        assert_eq!(seconds(u32::MAX), 24 * HOUR);
    }
}
