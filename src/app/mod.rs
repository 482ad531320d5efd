//! Builds the application from its settings, runs it, and stops it.

mod backup;
mod build;
mod copy;
mod dev;
mod error;
mod listen;
mod open_files;
mod run;
pub mod seed;
mod server;
mod workers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::ports::{Clock, Entropy};
use crate::sandbox::mailbox::Mailbox;
use crate::sandbox::slack::SlackSandbox;
use crate::service::Services;

pub use backup::{Backup, BackupError, Examined};
pub use build::Inspection;
pub use copy::CopyFailure;
pub use dev::for_development;
pub use error::BuildError;
pub use open_files::raise_limit_of_open_files;
pub use run::StopHandle;

pub use crate::store::PlannedMigration;
pub use crate::store::copy::CopiedTable;

/// Replacements for external systems, for tests and `hallpass dev`; `None` means the real one.
#[derive(Default)]
pub struct Overrides {
    pub clock: Option<Arc<dyn Clock>>,
    pub entropy: Option<Arc<dyn Entropy>>,
    /// Served next to the API, as a stand-in for Slack.
    pub slack_sandbox: Option<SlackSandbox>,
    /// Served next to the API; receives e-mails if no mail server is configured.
    pub mailbox: Option<Mailbox>,
    /// Requests that name another host than `PUBLIC_URL`'s or this machine are refused, and every origin on this
    /// machine is allowed.
    pub is_development: bool,
}

/// A server that is bound to its port and has loaded its data, but does not accept requests yet.
pub struct App {
    address: SocketAddr,
    services: Arc<Services>,
    server: actix_web::dev::Server,
    /// `METRICS_ADDR`, when it is set.
    metrics: Option<actix_web::dev::Server>,
    /// From SIGTERM until the port closes.
    drain_time: Duration,
    remembered_tokens: u32,
}

impl App {
    /// The listen address, with the actual port if the settings say 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn services(&self) -> &Services {
        &self.services
    }
}
