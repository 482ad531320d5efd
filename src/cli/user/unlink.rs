//! `hallpass user unlink`

use clap::Args;

use super::{Subject, name};
use crate::cli::Failure;
use crate::cli::operator::Console;
use crate::config::Variables;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user unlink ada@example.com",
    "hallpass user unlink ada@example.com --team T0123ABCD",
);

#[derive(Debug, Args)]
pub(crate) struct Unlink {
    #[command(flatten)]
    subject: Subject,
    /// Id of the Slack workspace [default: all that are linked]
    #[arg(long)]
    team: Option<String>,
}

impl Unlink {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = self.subject.find(&console).await?;
        let (services, context) = (&console.services, &console.context);
        let unlinked =
            operator::unlink_identities(services, context, user.id, self.team.clone()).await?;
        if unlinked == 0 {
            let name = name(&user);
            return Err(Failure::InvalidInput(match self.team {
                Some(team) => format!(
                    "team: {name} is not linked to Slack in the workspace {team}; leave out --team to unlink all"
                ),
                None => format!("user: {name} is not linked to Slack"),
            }));
        }
        let done = format!(
            "Unlinked {unlinked} of {}. All their sessions have ended.",
            name(&user)
        );
        self.subject.print(&user, &done)
    }
}
