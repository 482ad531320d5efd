//! `hallpass user delete`

use clap::Args;

use super::{Subject, name};
use crate::cli::Failure;
use crate::cli::operator::Console;
use crate::config::Variables;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!("hallpass user delete ada@example.com --yes");

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    subject: Subject,
    /// Do it: it cannot be undone
    #[arg(long)]
    yes: bool,
}

impl Delete {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = self.subject.find(&console).await?;
        let named = name(&user);
        if !self.yes {
            return Err(Failure::InvalidInput(format!(
                "user: nothing was deleted; to delete {named} for good, with the organizations that have no other \
                 member, add --yes"
            )));
        }
        operator::delete_user(&console.services, &console.context, user.id).await?;
        self.subject.print(&user, &format!("Deleted {named}."))
    }
}
