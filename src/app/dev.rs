//! What `hallpass dev` puts in place of the world.

use std::sync::Arc;

use super::{BuildError, Overrides};
use crate::adapters::{OsEntropy, SystemClock, smtp};
use crate::sandbox::mailbox::Mailbox;
use crate::sandbox::slack::SlackSandbox;

/// A Slack and a mailbox of its own.
///
/// # Errors
/// When the system has no random numbers.
pub fn for_development() -> Result<Overrides, BuildError> {
    let entropy = Arc::new(OsEntropy::new()?);
    // The port, and with it what is registered, is known when the server is built.
    let slack = SlackSandbox::new(Arc::new(SystemClock), entropy, Vec::new());
    Ok(Overrides {
        slack_sandbox: Some(slack),
        mailbox: Some(Mailbox::new(smtp::written)),
        ..Overrides::default()
    })
}
