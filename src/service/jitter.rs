//! Pauses that differ, so that what failed together is not all retried together.

use chrono::TimeDelta;

/// The pause, up to a fifth more or less by `chance`.
pub(in crate::service) fn jittered(pause: TimeDelta, chance: [u8; 2]) -> TimeDelta {
    let milliseconds = pause.num_milliseconds();
    let chance = i64::from(u16::from_be_bytes(chance));
    let fifth = milliseconds / 5;
    TimeDelta::milliseconds(milliseconds - fifth + 2 * fifth * chance / i64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_makes_a_fifth_more_or_less() {
        let minute = TimeDelta::minutes(1);
        assert_eq!(jittered(minute, [0, 0]), TimeDelta::seconds(48));
        assert_eq!(jittered(minute, [0xff, 0xff]), TimeDelta::seconds(72));
    }
}
