//! `hallpass user reset-mfa`

use clap::Args;

use super::{Subject, name};
use crate::cli::Failure;
use crate::cli::operator::Console;
use crate::config::Variables;
use crate::service::mfa;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user reset-mfa ada@example.com",
    "hallpass user reset-mfa ada@example.com --json",
);

#[derive(Debug, Args)]
pub(crate) struct ResetMfa {
    #[command(flatten)]
    subject: Subject,
}

impl ResetMfa {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = self.subject.find(&console).await?;
        let user = mfa::reset(&console.services, &console.context, user.id).await?;
        let done = format!(
            "Removed the authenticator of {}. All their sessions have ended.",
            name(&user)
        );
        self.subject.print(&user, &done)
    }
}
