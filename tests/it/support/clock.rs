//! A clock that stands still until a test moves it.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use hallpass::ports::Clock;

pub struct StoppedClock(Mutex<DateTime<Utc>>);

impl StoppedClock {
    /// An instant between two seconds, so that rounding shows.
    pub fn new() -> Self {
        Self::at(Utc.with_ymd_and_hms(2027, 1, 15, 12, 0, 0).unwrap())
    }

    /// Not long after this second.
    pub fn at(second: DateTime<Utc>) -> Self {
        Self(Mutex::new(second + TimeDelta::microseconds(654_321)))
    }

    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }

    /// Seconds since 1970, as in tokens.
    pub fn timestamp(&self) -> i64 {
        self.now().timestamp()
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}
