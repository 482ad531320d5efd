//! Rate limiting with the generic cell rate algorithm (ITU-T I.371, the leaky bucket as a meter).

/// A burst of `count`, refilled by one every `seconds / count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub count: u32,
    pub seconds: u32,
}

/// The result of one request for a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub is_granted: bool,
    /// How many more would be granted right now.
    pub remaining: u32,
    /// Seconds, rounded up: until the bucket is full again or, if not granted, until one permit is available.
    pub seconds: u32,
}

/// Microseconds.
const SECOND: i64 = 1_000_000;

impl Quota {
    /// Takes one permit from a bucket that is full again at `full_at`; returns the new `full_at`. Both times are in
    /// microseconds since 1970.
    ///
    /// If `full_at` is further away than an empty bucket allows, the clock was set back. The bucket then counts as
    /// full, so that nobody has to wait for the old time.
    pub fn draw(self, full_at: i64, now: i64) -> (i64, Allowance) {
        let interval = (i64::from(self.seconds) * SECOND / i64::from(self.count.max(1))).max(1);
        let empty = now.saturating_add(interval.saturating_mul(i64::from(self.count)));
        let full_at = if full_at > empty {
            now
        } else {
            full_at.max(now)
        };
        let after = full_at.saturating_add(interval);
        if after > empty {
            let allowance = Allowance {
                is_granted: false,
                remaining: 0,
                seconds: seconds(after - empty),
            };
            return (full_at, allowance);
        }
        let allowance = Allowance {
            is_granted: true,
            remaining: u32::try_from((empty - after) / interval).unwrap_or(u32::MAX),
            seconds: seconds(after - now),
        };
        (after, allowance)
    }
}

/// Microseconds as whole seconds, rounded up.
fn seconds(micros: i64) -> u32 {
    let rounded_up = micros / SECOND + i64::from(micros % SECOND > 0);
    u32::try_from(rounded_up).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEN_A_MINUTE: Quota = Quota {
        count: 10,
        seconds: 60,
    };

    /// Draws at each of these seconds, starting with a full bucket.
    fn draw_at(times: &[i64]) -> Vec<Allowance> {
        let mut full_at = 0;
        times
            .iter()
            .map(|second| {
                let allowance;
                (full_at, allowance) = TEN_A_MINUTE.draw(full_at, second * SECOND);
                allowance
            })
            .collect()
    }

    #[test]
    fn a_burst_up_to_the_count_is_granted_and_the_next_is_refused() {
        let drawn = draw_at(&[100; 11]);
        assert!(drawn[..10].iter().all(|allowance| allowance.is_granted));
        let remaining: Vec<u32> = drawn.iter().map(|allowance| allowance.remaining).collect();
        assert_eq!(remaining, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]);
        assert_eq!(drawn[0].seconds, 6);
        assert_eq!(drawn[9].seconds, 60);
        let refused = Allowance {
            is_granted: false,
            remaining: 0,
            seconds: 6,
        };
        assert_eq!(drawn[10], refused);
    }

    #[test]
    fn waiting_the_reported_seconds_earns_one_permit() {
        let mut times = vec![100; 11];
        times.extend([105, 106, 106]);
        let granted: Vec<bool> = draw_at(&times).iter().map(|a| a.is_granted).collect();
        assert_eq!(granted[10..], [false, false, true, false]);
    }

    #[test]
    fn a_bucket_is_full_again_after_its_seconds() {
        let mut times = vec![100; 10];
        times.push(160);
        assert_eq!(draw_at(&times)[10].remaining, 9);
    }

    #[test]
    fn a_clock_set_back_refills_the_bucket() {
        let (full_at, granted) = TEN_A_MINUTE.draw(1_000_000 * SECOND, 100 * SECOND);
        assert!(granted.is_granted);
        assert_eq!(full_at, 106 * SECOND);
        assert_eq!(TEN_A_MINUTE.draw(160 * SECOND, 100 * SECOND).1.remaining, 0);
    }

    proptest! {
        #[test]
        fn no_time_span_grants_more_than_the_burst_and_the_refill(
            count in 1_u32..50, seconds in 1_u32..4_000, pauses in prop::collection::vec(0_i64..20 * SECOND, 1..200),
        ) {
            let quota = Quota { count, seconds };
            let (mut now, mut full_at) = (1_000 * SECOND, 0);
            let mut granted = Vec::new();
            for pause in pauses {
                now += pause;
                let allowance;
                (full_at, allowance) = quota.draw(full_at, now);
                if allowance.is_granted {
                    granted.push(now);
                }
                prop_assert!(full_at >= now);
                prop_assert!(allowance.seconds <= seconds);
                prop_assert!(allowance.seconds > 0);
            }
            let interval = i64::from(seconds) * SECOND / i64::from(count);
            for (i, first) in granted.iter().enumerate() {
                for (n, last) in granted[i..].iter().enumerate() {
                    let allowed = i64::from(count) + (last - first) / interval;
                    prop_assert!(i64::try_from(n).unwrap() < allowed);
                }
            }
        }

        #[test]
        fn after_the_reported_seconds_a_refused_caller_is_granted(
            count in 1_u32..50, seconds in 1_u32..4_000, full_at: i64, now in 0..4_000_000_000 * SECOND,
        ) {
            let quota = Quota { count, seconds };
            let (full_at, refused) = quota.draw(full_at, now);
            if !refused.is_granted {
                let then = now + i64::from(refused.seconds) * SECOND;
                prop_assert!(quota.draw(full_at, then).1.is_granted);
            }
        }

        #[test]
        fn draw_never_panics(count: u32, seconds: u32, full_at: i64, now: i64) {
            Quota { count, seconds }.draw(full_at, now);
        }
    }
}
