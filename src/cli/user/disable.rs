//! `hallpass user disable`

use clap::Args;

use super::{Subject, name};
use crate::cli::Failure;
use crate::cli::operator::Console;
use crate::config::Variables;
use crate::domain::Organization;
use crate::service::operations::operator::{self, Disabled};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user disable ada@example.com",
    "hallpass user disable ada@example.com --even-the-last-admin",
);

#[derive(Debug, Args)]
pub(crate) struct Disable {
    #[command(flatten)]
    subject: Subject,
    /// Disable the user even if an organization would be left without an admin
    #[arg(long)]
    even_the_last_admin: bool,
}

impl Disable {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = self.subject.find(&console).await?;
        let (services, context) = (&console.services, &console.context);
        let force = self.even_the_last_admin;
        match operator::disable_user(services, context, user.id, force).await? {
            Disabled::Done(user) => {
                let done = format!("Disabled {}. All their sessions have ended.", name(&user));
                self.subject.print(&user, &done)
            }
            Disabled::LastAdminOf(organizations) => Err(Failure::InvalidInput(last_admin(
                &name(&user),
                &organizations,
            ))),
        }
    }
}

fn last_admin(user: &str, organizations: &[Organization]) -> String {
    let names: Vec<&str> = organizations.iter().map(|o| o.name.as_str()).collect();
    format!(
        "user: {user} is the last admin of {}; make another user an admin first, or use --even-the-last-admin",
        names.join(", ")
    )
}
