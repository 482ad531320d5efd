//! What the operator says beside the mapping.

use chrono::{DateTime, Utc};
use stored_passwords::Peppers;

/// [`Options::at`] has what holds unless the operator says otherwise.
#[derive(Clone)]
pub struct Options {
    pub now: DateTime<Utc>,
    /// Secrets of the old system: those that the mapping names ([`Mapping::peppers`](crate::Mapping::peppers)).
    pub peppers: Peppers,
    /// The team of accounts at Slack that do not name theirs; overrides the mapping.
    pub slack_team: Option<String>,
    /// Takes every address as verified.
    pub trust_emails: bool,
}

impl Options {
    pub fn at(now: DateTime<Utc>) -> Self {
        Self {
            now,
            peppers: Peppers::default(),
            slack_team: None,
            trust_emails: false,
        }
    }
}
