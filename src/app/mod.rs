//! Builds the program from its settings, starts it, and stops it.

mod build;
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

use crate::ports::{Clock, Entropy};
use crate::sandbox::mailbox::Mailbox;
use crate::sandbox::slack::SlackSandbox;
use crate::service::Services;

pub use build::Inspection;
pub use dev::for_development;
pub use error::BuildError;
pub use open_files::raise_limit_of_open_files;
pub use run::StopHandle;

/// What tests put in place of the world; `None` means the real thing.
#[derive(Default)]
pub struct Overrides {
    pub clock: Option<Arc<dyn Clock>>,
    pub entropy: Option<Arc<dyn Entropy>>,
    /// Served beside the API, and to be Slack for it; `None` where Slack is Slack.
    pub slack_sandbox: Option<SlackSandbox>,
    /// Served beside the API, and where mail goes when the settings name no server.
    pub mailbox: Option<Mailbox>,
}

/// A server that is bound to its port and has loaded what it must know, but does not answer yet.
pub struct App {
    address: SocketAddr,
    services: Arc<Services>,
    server: actix_web::dev::Server,
    /// `METRICS_ADDR`, when it is set.
    metrics: Option<actix_web::dev::Server>,
}

impl App {
    /// Where it listens; the port is the real one when the settings asked for any.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn services(&self) -> &Services {
        &self.services
    }
}
