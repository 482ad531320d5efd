//! `hallpass user set-role`

use clap::Args;

use super::{Subject, name};
use crate::cli::operator::Console;
use crate::cli::{Failure, org};
use crate::config::Variables;
use crate::domain::Role;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user set-role ada@example.com admin --organization acme",
    "hallpass user set-role ada@example.com employee --organization acme --json",
);

#[derive(Debug, Args)]
pub(crate) struct SetRole {
    #[command(flatten)]
    subject: Subject,
    /// The new role: employee, manager or admin
    role: Role,
    /// Slug or id of the organization
    #[arg(long, value_name = "SLUG")]
    organization: String,
}

impl SetRole {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = self.subject.find(&console).await?;
        let organization = org::find(&console.services, &self.organization).await?;
        let (services, context) = (&console.services, &console.context);
        let member =
            operator::set_role(services, context, user.id, organization.id, self.role).await?;
        let done = format!(
            "{} is now {} of {}.",
            name(&user),
            member.role,
            organization.name
        );
        self.subject.print_member(&user, &member, &done)
    }
}
