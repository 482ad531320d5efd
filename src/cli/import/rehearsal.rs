//! Where an import is rehearsed. Its one transaction would keep others from writing to an SQLite file until it ends, so
//! there it gets a copy of its own.

use std::path::PathBuf;

use crate::app::App;
use crate::cli::Failure;
use crate::config::{Config, Database, Mode, Variables};
use crate::service::Services;

/// The services of a copy, which is deleted when this is dropped.
pub(super) struct Copy {
    pub services: Services,
    /// Dropped after the services, which have them open.
    _files: Files,
}

/// The file, and what SQLite puts beside it.
struct Files(PathBuf);

impl Drop for Files {
    fn drop(&mut self) {
        for beside in ["", "-wal", "-shm"] {
            let mut name = self.0.as_os_str().to_owned();
            name.push(beside);
            let _ = std::fs::remove_file(name);
        }
    }
}

impl Copy {
    /// Next to the database, so that there is room for it on the same disk. `None` for PostgreSQL.
    ///
    /// # Errors
    /// When the copy cannot be written.
    pub(super) async fn of(variables: &Variables) -> Result<Option<Self>, Failure> {
        let mut config = Config::read(variables, Mode::Operator)?;
        let Database::Sqlite { path } = &config.database else {
            return Ok(None);
        };
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".dry-run-{}", std::process::id()));
        let copy = PathBuf::from(name);
        let files = Files(copy.clone());
        App::back_up(path, &copy).await?;
        config.database = Database::Sqlite { path: copy };
        let services = App::services_for_operator(&config).await?;
        Ok(Some(Self {
            services,
            _files: files,
        }))
    }
}
