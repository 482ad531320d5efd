//! `hallpass user join`

use clap::Args;

use super::{Subject, name};
use crate::cli::operator::Console;
use crate::cli::{Failure, org};
use crate::config::Variables;
use crate::domain::Role;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user join ada@example.com --organization acme",
    "hallpass user join ada@example.com --organization acme --role admin --json",
);

#[derive(Debug, Args)]
pub(crate) struct Join {
    #[command(flatten)]
    subject: Subject,
    /// Slug or id of the organization
    #[arg(long, value_name = "SLUG")]
    organization: String,
    /// Role in the organization: employee, manager or admin
    #[arg(long, default_value_t = Role::Employee)]
    role: Role,
}

impl Join {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = self.subject.find(&console).await?;
        let organization = org::find(&console.services, &self.organization).await?;
        let (services, context) = (&console.services, &console.context);
        let member = operator::join(services, context, user.id, organization.id, self.role).await?;
        let done = format!(
            "{} is now {} of {}.",
            name(&user),
            member.role,
            organization.name
        );
        self.subject.print_member(&user, &member, &done)
    }
}
