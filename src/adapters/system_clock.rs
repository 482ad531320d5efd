//! The system clock.

use chrono::{DateTime, Utc};

use crate::ports::Clock;

pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that uses it")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
