//! How long is kept what has ended.

use super::reader::Reader;
use super::settings::{RETAIN_AUDIT, RETAIN_EMAILS, RETAIN_INVITATIONS, RETAIN_SESSIONS};
use super::values::duration;
use crate::domain::Retention;

/// `None` after an error.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Retention> {
    let sessions = reader.value(&RETAIN_SESSIONS, duration);
    let audit = reader.value(&RETAIN_AUDIT, duration);
    let emails = reader.value(&RETAIN_EMAILS, duration);
    let invitations = reader.value(&RETAIN_INVITATIONS, duration);
    Some(Retention {
        sessions: sessions?,
        audit: audit?,
        emails: emails?,
        invitations: invitations?,
    })
}
