//! How long to wait after a failed attempt.

use chrono::TimeDelta;

use crate::service::jitter::jittered;

/// Seconds after the first attempt, the second, and so on; the last applies to all later ones.
const PAUSES: [i64; 5] = [5, 15, 60, 300, 900];

/// The pause after `attempts` attempts, up to a fifth more or less by `chance`.
pub(super) fn pause(attempts: i32, chance: [u8; 2]) -> TimeDelta {
    let after = usize::try_from(attempts.saturating_sub(1)).unwrap_or_default();
    let [.., longest] = PAUSES;
    let seconds = PAUSES.get(after).copied().unwrap_or(longest);
    jittered(TimeDelta::seconds(seconds), chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_quarter_of_an_hour() {
        let middle = [0x7f, 0xff];
        let seconds: Vec<i64> = [0, 1, 2, 3, 4, 5, 6, 1000, i32::MAX]
            .map(|attempts| (pause(attempts, middle).num_milliseconds() + 500) / 1000)
            .to_vec();
        assert_eq!(seconds, [5, 5, 15, 60, 300, 900, 900, 900, 900]);
    }
}
