//! Runs the server until it is stopped.

use std::sync::Arc;

use actix_web::dev::ServerHandle;
use tokio::signal::unix::{SignalKind, signal};

use super::build::token_keys;
use super::{App, workers};
use crate::config;
use crate::service::Services;
use crate::service::operations::maintenance;
use crate::service::operations::rotate_keys::rotate_keys;

/// Stops a running server: `/readyz` returns 503, and running requests finish.
#[derive(Clone)]
pub struct StopHandle {
    services: Arc<Services>,
    server: ServerHandle,
}

impl StopHandle {
    /// Returns once the port is closed and running requests have finished.
    pub async fn stop(&self) {
        self.services.announce_stop();
        self.server.stop(true).await;
    }
}

impl App {
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle {
            services: Arc::clone(&self.services),
            server: self.server.handle(),
        }
    }

    /// Serves until stopped by a [`StopHandle`].
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run(self) -> std::io::Result<()> {
        let workers = workers::start(Arc::clone(&self.services));
        let metrics = self.metrics.map(|server| {
            let handle = server.handle();
            (tokio::spawn(server), handle)
        });
        let served = self.server.await;
        workers.end().await;
        if let Some((running, handle)) = metrics {
            handle.stop(false).await;
            running.abort();
        }
        maintenance::settle(&self.services).await;
        served
    }

    /// Serves until SIGTERM (drain, then stop) or SIGINT (stop). SIGHUP replaces the secrets and signing keys with
    /// those of `reread`, or keeps them and logs the error.
    ///
    /// # Errors
    /// When the listener fails or signal handlers cannot be installed.
    pub async fn run_until_signalled<E: std::fmt::Display>(
        self,
        reread: impl Fn() -> Result<config::Tokens, E>,
    ) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let stop = self.stop_handle();
        let services = Arc::clone(&self.services);
        let drain_time = self.drain_time;
        let remembered = self.remembered_tokens;
        let mut running = std::pin::pin!(self.run());
        loop {
            tokio::select! {
                served = &mut running => return served,
                _ = hang_up.recv() => reload(Arc::clone(&services), &reread, remembered),
                _ = terminate.recv() => {
                    tracing::info!("stopping: SIGTERM");
                    services.announce_stop();
                    tokio::select! {
                        () = tokio::time::sleep(drain_time) => {}
                        served = &mut running => return served,
                    }
                    break;
                }
                _ = interrupt.recv() => {
                    tracing::info!("stopping: SIGINT");
                    break;
                }
            }
        }
        let (served, ()) = tokio::join!(running, stop.stop());
        served
    }
}

fn reload<E: std::fmt::Display>(
    services: Arc<Services>,
    reread: &impl Fn() -> Result<config::Tokens, E>,
    remembered: u32,
) {
    let keys = reread()
        .map_err(|error| error.to_string())
        .and_then(|tokens| {
            if let Some(warning) = tokens.warning() {
                tracing::warn!("{warning}");
            }
            token_keys(&tokens, remembered).map_err(|error| error.to_string())
        });
    match keys {
        Ok(keys) => {
            tracing::info!(
                secrets = ?keys.secrets(),
                keys = ?keys.signing(),
                "signing keys reloaded"
            );
            // In a task, so that the server can handle other signals meanwhile.
            tokio::spawn(async move {
                if let Err(error) = rotate_keys(&services, keys).await {
                    tracing::error!(%error, "the audit log does not record that signing keys were replaced");
                }
            });
        }
        Err(error) => tracing::error!(error, "signing keys not reloaded; the old ones stay in use"),
    }
}
