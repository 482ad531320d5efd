//! Sessions that an earlier system stored, brought by the operator.

use std::ops::AddAssign;

use chrono::{DateTime, Utc};

use crate::crypto::legacy_session::hash_of_stored;
use crate::service::{RequestContext, Result, Services};
use crate::store::legacy_sessions;

/// A session of an earlier system.
#[derive(Clone)]
pub struct StoredSession {
    /// In clear.
    pub token: String,
    /// The id that its owner had there.
    pub external_id: String,
    pub expires_at: DateTime<Utc>,
}

/// How many were imported, and how many not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportedSessions {
    pub imported: usize,
    pub expired: usize,
    /// Of people whom no import of the source has brought.
    pub unknown: usize,
}

impl AddAssign for ImportedSessions {
    fn add_assign(&mut self, more: Self) {
        self.imported += more.imported;
        self.expired += more.expired;
        self.unknown += more.unknown;
    }
}

/// Keeps the hashes of their tokens, in one transaction. Importing one again changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn import_sessions(
    services: &Services,
    context: &RequestContext,
    source: String,
    sessions: Vec<StoredSession>,
) -> Result<ImportedSessions> {
    services
        .operate(context, move |unit| {
            let mut done = ImportedSessions::default();
            for session in &sessions {
                let person = legacy_sessions::find_person(unit.tx, &source, &session.external_id)?;
                match person {
                    _ if session.expires_at <= unit.now => done.expired += 1,
                    None => done.unknown += 1,
                    Some(person) => {
                        let hash = hash_of_stored(&session.token);
                        let key = (source.as_str(), hash.as_str());
                        let (owner, end) = (person.user_id, session.expires_at);
                        legacy_sessions::insert(unit.tx, key, owner, end)?;
                        done.imported += 1;
                    }
                }
            }
            unit.unrecorded(done)
        })
        .await
}
