//! How long to wait after a failed attempt.

use chrono::TimeDelta;

/// Seconds after the first attempt, the second, and so on; the last applies to all later ones.
const PAUSES: [i64; 5] = [5, 15, 60, 300, 900];

/// The pause after `attempts` attempts, up to a fifth more or less by `chance`, so that e-mails that failed together
/// are not all retried together.
pub(super) fn pause(attempts: i32, chance: [u8; 2]) -> TimeDelta {
    let after = usize::try_from(attempts.saturating_sub(1)).unwrap_or_default();
    let [.., longest] = PAUSES;
    let milliseconds = PAUSES.get(after).copied().unwrap_or(longest) * 1000;
    let chance = i64::from(u16::from_be_bytes(chance));
    let fifth = milliseconds / 5;
    TimeDelta::milliseconds(milliseconds - fifth + 2 * fifth * chance / i64::from(u16::MAX))
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

    #[test]
    fn chance_makes_a_fifth_more_or_less() {
        assert_eq!(pause(3, [0, 0]), TimeDelta::seconds(48));
        assert_eq!(pause(3, [0xff, 0xff]), TimeDelta::seconds(72));
    }
}
