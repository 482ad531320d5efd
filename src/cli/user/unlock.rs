//! `hallpass user unlock`

use clap::Args;

use super::{Subject, name};
use crate::cli::Failure;
use crate::cli::operator::Console;
use crate::config::Variables;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user unlock ada@example.com",
    "hallpass user unlock ada@example.com --json",
);

#[derive(Debug, Args)]
pub(crate) struct Unlock {
    #[command(flatten)]
    subject: Subject,
}

impl Unlock {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = self.subject.find(&console).await?;
        let user = operator::unlock_user(&console.services, &console.context, user.id).await?;
        self.subject
            .print(&user, &format!("Unlocked {}.", name(&user)))
    }
}
