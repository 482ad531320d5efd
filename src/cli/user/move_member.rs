//! `hallpass user move`

use clap::Args;

use super::{Subject, name};
use crate::cli::operator::Console;
use crate::cli::{Failure, org};
use crate::config::Variables;
use crate::domain::Role;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user move ada@example.com --from acme --to beta",
    "hallpass user move ada@example.com --from acme --to beta --role employee",
);

#[derive(Debug, Args)]
pub(crate) struct Move {
    #[command(flatten)]
    subject: Subject,
    /// Slug or id of the organization to leave
    #[arg(long, value_name = "SLUG")]
    from: String,
    /// Slug or id of the organization to join
    #[arg(long, value_name = "SLUG")]
    to: String,
    /// Role in the new organization: employee, manager or admin [default: the same as before]
    #[arg(long)]
    role: Option<Role>,
}

impl Move {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = self.subject.find(&console).await?;
        let from = org::find(&console.services, &self.from).await?;
        let to = org::find(&console.services, &self.to).await?;
        let (services, context) = (&console.services, &console.context);
        let places = (from.id, to.id);
        let member = operator::move_member(services, context, user.id, places, self.role).await?;
        let done = format!(
            "{} left {} and is now {} of {}.",
            name(&user),
            from.name,
            member.role,
            to.name
        );
        self.subject.print_member(&user, &member, &done)
    }
}
