//! `hallpass user disable`

use clap::Args;

use super::UserJson;
use crate::cli::{Failure, operator as command_line, output};
use crate::config::Variables;
use crate::domain::Email;
use crate::service::{RequestContext, operator};

pub const EXAMPLES: &str = examples!(
    "hallpass user disable ada@example.com",
    "hallpass user disable ada@example.com --json",
);

#[derive(Debug, Args)]
pub struct Disable {
    /// The account's address
    email: String,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
}

impl Disable {
    pub async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let email = Email::parse(&self.email).map_err(Failure::refused("email"))?;
        let services = command_line::open(variables).await?;
        let user =
            operator::disable_user(&services, &RequestContext::command_line(&services), &email)
                .await?
                .ok_or_else(|| Failure::Refused(format!("email: nobody's address is {email}")))?;
        if self.json {
            output::print_json(&UserJson::from(&user))
        } else {
            output::print(&format!(
                "{email} is disabled, and every session has ended."
            ))
        }
    }
}
