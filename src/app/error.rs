//! Why the program cannot start.

use std::net::SocketAddr;

use crate::store::{MigrationError, StoreError};

/// Each variant tells the operator what to do.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("DATABASE_URL: {0}")]
    DatabaseUrl(String),
    #[error("{0}. Check DATABASE_URL, and that the database is running and reachable.")]
    Database(StoreError),
    #[error("{0}")]
    TooNew(MigrationError),
    #[error("JWT_SECRET: {0}")]
    Secrets(String),
    #[error(
        "cannot listen on {address}: {error}. Is another program using the port? Set HOST, PORT or METRICS_ADDR."
    )]
    Bind {
        address: SocketAddr,
        error: std::io::Error,
    },
    #[error("the operating system refuses to serve the program: {0}")]
    System(#[from] std::io::Error),
    #[error("there is no TLS to speak to Slack with: {0}")]
    Tls(String),
    #[error("SMTP_URL: {0}")]
    MailServer(String),
    #[error("the example people could not be created: {0}")]
    Seed(#[from] crate::service::Error),
    #[error(
        "the database holds organizations of its own, and everybody knows the password of the people \
         that `hallpass dev` would add: set DATABASE_URL to another database, or use `hallpass serve`"
    )]
    NotASeededDatabase,
}

impl From<MigrationError> for BuildError {
    fn from(error: MigrationError) -> Self {
        match error {
            MigrationError::TooNew(_) => Self::TooNew(error),
            MigrationError::Store(error) => Self::Database(error),
        }
    }
}
