//! `hallpass user unlock`

use clap::Args;

use super::UserJson;
use crate::cli::{Failure, operator as command_line, output};
use crate::config::Variables;
use crate::domain::Email;
use crate::service::RequestContext;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user unlock ada@example.com",
    "hallpass user unlock ada@example.com --json",
);

#[derive(Debug, Args)]
pub(crate) struct Unlock {
    /// The user's e-mail address
    email: String,
    /// Print the user as JSON
    #[arg(long)]
    json: bool,
}

impl Unlock {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let email = Email::parse(&self.email).map_err(Failure::invalid("email"))?;
        let services = command_line::open(variables).await?;
        let user =
            operator::unlock_user(&services, &RequestContext::command_line(&services), &email)
                .await?
                .ok_or_else(|| {
                    Failure::InvalidInput(format!("email: no user has the address {email}"))
                })?;
        if self.json {
            output::print_json(&UserJson::from(&user))
        } else {
            output::print(&format!("Unlocked {email}."))
        }
    }
}
