//! Work on a thread and a connection of its own, where statements take as long as they need: migrations, copies.

use std::thread;

use tokio::sync::oneshot;

use super::pg_runtime::wait_without_limit;
use super::sqlite::{self, Access};
use super::{Engine, StoreError, Tx};

/// Runs `work` on a thread of its own. Once started it always finishes, even if the caller is gone.
///
/// # Errors
/// Those of `work`, and when the system cannot start a thread.
pub(super) async fn run<T, E>(
    name: &str,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (done, result) = oneshot::channel();
    let work = move || {
        wait_without_limit();
        let _ = done.send(work());
    };
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    let panicked = || Err(StoreError::Failed(format!("{name} panicked")).into());
    result.await.unwrap_or_else(|_| panicked())
}

/// Opens a connection for `work`, which runs on this thread.
///
/// # Errors
/// Those of `work`, and when the database does not answer.
pub(super) fn with_connection<T, E: From<StoreError>>(
    engine: &Engine,
    access: Access,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    match engine {
        Engine::Sqlite(path) => {
            let mut connection = sqlite::open(path, access)?;
            work(&mut Tx::Sqlite(&mut connection))
        }
        Engine::Postgres(addresses) => {
            let target = addresses.direct.for_migrations();
            let (mut connection, _) = target.connect()?;
            work(&mut Tx::Postgres(&mut connection))
        }
    }
}
