//! The runtime of a thread that uses PostgreSQL, and what happens when the server does not respond.

use std::cell::{Cell, OnceCell, RefCell};
use std::pin::pin;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Longer than the statement timeout: a server that has sent nothing for so long hangs or is unreachable.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(6);

thread_local! {
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
    /// The task that reads and writes this thread's connection.
    static DRIVER: RefCell<Option<AbortHandle>> = const { RefCell::new(None) };
    static IS_PATIENT: Cell<bool> = const { Cell::new(false) };
}

/// From now on, statements of this thread may take as long as they need. That the server is gone is left to TCP.
pub(super) fn wait_without_limit() {
    IS_PATIENT.set(true);
}

/// From now on, this task reads and writes this thread's connection.
pub(super) fn set_driver(driver: AbortHandle) {
    DRIVER.set(Some(driver));
}

/// Blocks on the runtime of this thread.
#[expect(clippy::panic, reason = "without epoll there is no server either")]
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.with(|cell| {
        cell.get_or_init(|| {
            Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap_or_else(|error| panic!("cannot start a database runtime: {error}"))
        })
        .block_on(with_response_timeout(future))
    })
}

/// Stops the driver after the timeout, which closes the connection and makes the future return an error.
async fn with_response_timeout<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    if IS_PATIENT.get() {
        return future.await;
    }
    if let Ok(output) = timeout(RESPONSE_TIMEOUT, &mut future).await {
        return output;
    }
    if let Some(driver) = DRIVER.take() {
        tracing::warn!("PostgreSQL does not respond; closing the connection");
        driver.abort();
    }
    future.await
}
