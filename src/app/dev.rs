//! The overrides of `hallpass dev`.

use std::sync::Arc;

use super::{BuildError, Overrides};
use crate::adapters::{OsEntropy, SystemClock, smtp};
use crate::sandbox::mailbox::Mailbox;
use crate::sandbox::slack::SlackSandbox;

/// The Slack sandbox and the development mailbox, which no page from elsewhere may read.
///
/// # Errors
/// When the system provides no random numbers.
pub fn for_development() -> Result<Overrides, BuildError> {
    let entropy = Arc::new(OsEntropy::new()?);
    // The redirect URIs depend on the port, which is only known once the server is built.
    let slack = SlackSandbox::new(Arc::new(SystemClock), entropy, Vec::new());
    Ok(Overrides {
        slack_sandbox: Some(slack),
        mailbox: Some(Mailbox::new(smtp::written)),
        is_development: true,
        ..Overrides::default()
    })
}
