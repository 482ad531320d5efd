//! Errors that prevent the application from starting.

use std::net::SocketAddr;

use chrono::{DateTime, Utc};

use crate::store::{MigrationError, StoreError};

/// Each variant tells the operator what to do.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("{setting}: {why}")]
    DatabaseUrl { setting: &'static str, why: String },
    #[error("{0}")]
    UnsuitableDatabase(String),
    #[error("{0}. Check DATABASE_URL, and that the database is running and reachable.")]
    Database(StoreError),
    #[error(
        "there is no database of Hallpass at {0}, which DATABASE_URL names: use the settings of the server, or create \
         it with `hallpass migrate`"
    )]
    NoDatabase(String),
    #[error("{0}")]
    Schema(MigrationError),
    #[error("JWT_SECRET: {0}")]
    Secrets(String),
    #[error(
        "cannot listen on {address}: {error}. Is another program using the port? Set HOST, PORT or METRICS_ADDR."
    )]
    Bind {
        address: SocketAddr,
        error: std::io::Error,
    },
    #[error("operating system error: {0}")]
    System(#[from] std::io::Error),
    #[error("TLS for Slack is not available: {0}")]
    Tls(String),
    #[error("SMTP_URL: {0}")]
    MailServer(String),
    #[error(
        "LEGACY_SESSION_UNTIL: {until} is more than 60 days ahead. Set it to {latest} or earlier: until then, old \
         sessions sign people in."
    )]
    LegacySessionsTooLong {
        until: DateTime<Utc>,
        latest: DateTime<Utc>,
    },
    #[error("cannot create the example users: {0}")]
    Seed(#[from] crate::service::Error),
    #[error(
        "the database already contains other organizations, and `hallpass dev` would add users with a publicly known \
         password: set DATABASE_URL to another database, or use `hallpass serve`"
    )]
    NotASeededDatabase,
}

impl From<MigrationError> for BuildError {
    fn from(error: MigrationError) -> Self {
        match error {
            MigrationError::TooNew(_) | MigrationError::ReadOnly(_) => Self::Schema(error),
            MigrationError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for BuildError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unsuitable(why) => Self::UnsuitableDatabase(why),
            error => Self::Database(error),
        }
    }
}
