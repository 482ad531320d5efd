//! `hallpass user verify`

use clap::Args;

use super::{Subject, name};
use crate::cli::Failure;
use crate::cli::operator::Console;
use crate::config::Variables;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user verify ada@example.com",
    "hallpass user verify ada@example.com --json",
);

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    subject: Subject,
}

impl Verify {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = self.subject.find(&console).await?;
        let user = operator::verify_user(&console.services, &console.context, user.id).await?;
        self.subject
            .print(&user, &format!("The address {} is verified.", name(&user)))
    }
}
