//! Where webhooks may lead.

use super::reader::Reader;
use super::settings::WEBHOOK_ALLOW_PRIVATE;
use super::values::switch;

#[derive(Debug, Clone, Copy)]
pub struct Webhooks {
    /// Whether they may lead to addresses that are not public, and be told in plain HTTP.
    pub allow_private: bool,
}

impl Webhooks {
    /// `None` after an error.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let allow_private = reader.value(&WEBHOOK_ALLOW_PRIVATE, switch);
        Some(Self {
            allow_private: allow_private?,
        })
    }
}
