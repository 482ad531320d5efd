//! `hallpass user enable`

use clap::Args;

use super::{Subject, name};
use crate::cli::Failure;
use crate::cli::operator::Console;
use crate::config::Variables;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user enable ada@example.com",
    "hallpass user enable ada@example.com --json",
);

#[derive(Debug, Args)]
pub(crate) struct Enable {
    #[command(flatten)]
    subject: Subject,
}

impl Enable {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = self.subject.find(&console).await?;
        let user = operator::enable_user(&console.services, &console.context, user.id).await?;
        let done = format!(
            "{} can sign in again. Earlier sessions and API tokens stay revoked.",
            name(&user)
        );
        self.subject.print(&user, &done)
    }
}
