//! Copies one database into another.

use super::build::store;
use super::{App, BuildError};
use crate::config::Database;
use crate::store::copy::{CopiedTable, CopyError};

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyFailure {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("{0}")]
    Copy(#[from] CopyError),
}

impl App {
    /// Copies everything into a database that holds nothing, and compares all tables.
    ///
    /// # Errors
    /// Says what is in the way. The target then holds nothing but empty tables.
    pub async fn copy(from: &Database, to: &Database) -> Result<Vec<CopiedTable>, CopyFailure> {
        let (from, to) = (store(from)?, store(to)?);
        Ok(from.copy_to(&to).await?)
    }
}
