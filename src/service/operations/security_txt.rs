//! How long others may rely on a copy of `security.txt`.

use chrono::{DateTime, Utc};

use crate::domain::lifetimes;
use crate::service::Services;

impl Services {
    /// When a copy taken now is out of date.
    pub fn security_txt_expires(&self) -> DateTime<Utc> {
        self.now() + lifetimes::SECURITY_TXT
    }
}
