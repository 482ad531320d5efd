//! `hallpass user set-email`

use clap::Args;

use super::{Subject, name};
use crate::cli::Failure;
use crate::cli::operator::Console;
use crate::config::Variables;
use crate::domain::Email;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user set-email ada@example.com ada@new.example",
    "hallpass user set-email ada@example.com ada@new.example --verified",
    "hallpass user set-email 0199e0c1-7a52-7c31-9a3e-5f2b6d8c4e10 ada@example.com",
);

#[derive(Debug, Args)]
pub(crate) struct SetEmail {
    #[command(flatten)]
    subject: Subject,
    /// The new e-mail address
    email: String,
    /// The address belongs to the user: do not send a link that verifies it
    #[arg(long)]
    verified: bool,
}

impl SetEmail {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let email = Email::parse(&self.email).map_err(Failure::invalid("email"))?;
        let console = Console::open(variables).await?;
        let user = self.subject.find(&console).await?;
        let (services, context) = (&console.services, &console.context);
        let user = operator::set_email(services, context, user.id, email, self.verified).await?;
        let how = if self.verified {
            "It is verified."
        } else {
            "A link that verifies it is sent to it."
        };
        let done = format!("The address is now {}. {how}", name(&user));
        self.subject.print(&user, &done)
    }
}
