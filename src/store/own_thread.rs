//! Work on a thread and a connection of its own, where statements take as long as they need: migrations, copies.

use std::thread;

use tokio::sync::oneshot;

use super::StoreError;
use super::pg_runtime::wait_without_limit;

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
