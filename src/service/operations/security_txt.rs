//! The expiry of `security.txt`.

use chrono::{DateTime, Utc};

use crate::domain::lifetimes;
use crate::service::Services;

impl Services {
    /// When a copy fetched now expires.
    pub fn security_txt_expires(&self) -> DateTime<Utc> {
        self.now() + lifetimes::SECURITY_TXT
    }
}
