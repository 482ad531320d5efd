//! What the database can answer instead of rows, in our words.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

/// A uniqueness rule of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    UserEmail,
    OrganizationSlug,
    Membership,
    Workspace,
    Identity,
}

impl Unique {
    /// PostgreSQL names the constraint; SQLite names `table.column` in its message, and nothing else.
    fn broken(information: &dyn DatabaseErrorInformation) -> Option<Self> {
        match (information.constraint_name(), information.message()) {
            (Some("users_email_key"), _) | (None, "UNIQUE constraint failed: users.email") => {
                Some(Self::UserEmail)
            }
            (Some("organizations_slug_key"), _)
            | (None, "UNIQUE constraint failed: organizations.slug") => {
                Some(Self::OrganizationSlug)
            }
            (Some("memberships_pkey"), _)
            | (
                None,
                "UNIQUE constraint failed: memberships.user_id, memberships.organization_id",
            ) => Some(Self::Membership),
            (Some("workspaces_pkey"), _)
            | (None, "UNIQUE constraint failed: workspaces.provider, workspaces.team_id") => {
                Some(Self::Workspace)
            }
            (Some("identities_pkey"), _)
            | (
                None,
                "UNIQUE constraint failed: identities.provider, identities.team_id, identities.external_id",
            ) => Some(Self::Identity),
            _ => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with this value is there already.
    #[error("already taken: {0:?}")]
    Taken(Unique),
    /// The queue in front of the database is full, or the job waited too long; it did not run.
    #[error("the database queue is full")]
    Busy,
    /// The database does not answer, or does not take writes.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The database refused what we asked: a fault of ours.
    #[error("the database refused a query: {0}")]
    Failed(String),
}

/// What SQLite says when the file, its disk or a lock is the trouble (<https://sqlite.org/rescode.html>).
const SQLITE_TROUBLE: [&str; 7] = [
    "database is locked",
    "database table is locked",
    "disk I/O error",
    "database or disk is full",
    "unable to open database file",
    "attempt to write a readonly database",
    "locking protocol",
];

/// What PostgreSQL says when it is the server, not the query, that cannot (SQLSTATE classes 25, 40, 53, 57).
const POSTGRES_TROUBLE: [&str; 7] = [
    "terminating connection",
    "the database system is",
    "too many connections",
    "remaining connection slots are reserved",
    "deadlock detected",
    "canceling statement due to",
    "No space left on device",
];

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, information) => {
                match Unique::broken(information.as_ref()) {
                    Some(unique) => Self::Taken(unique),
                    None => Self::Failed(error.to_string()),
                }
            }
            DieselError::DatabaseError(
                DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::ReadOnlyTransaction
                | DatabaseErrorKind::SerializationFailure,
                _,
            )
            | DieselError::BrokenTransactionManager
            | DieselError::RollbackErrorOnCommit { .. } => Self::Unavailable(error.to_string()),
            DieselError::DatabaseError(_, information)
                if SQLITE_TROUBLE
                    .iter()
                    .chain(&POSTGRES_TROUBLE)
                    .any(|trouble| information.message().contains(trouble)) =>
            {
                Self::Unavailable(error.to_string())
            }
            _ => Self::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_trouble_of_the_database_and_not_a_fault_of_ours() {
        let said = |message: &str| {
            let information = Box::new(message.to_owned());
            StoreError::from(DieselError::DatabaseError(
                DatabaseErrorKind::Unknown,
                information,
            ))
        };
        for message in [
            "database or disk is full",
            "could not extend file \"base/16384/16402\": No space left on device",
        ] {
            assert!(
                matches!(said(message), StoreError::Unavailable(_)),
                "{message}"
            );
        }
        let fault = said("column \"nmae\" does not exist");
        assert!(matches!(fault, StoreError::Failed(_)));
    }
}
