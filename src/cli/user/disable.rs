//! `hallpass user disable`

use clap::Args;

use super::UserJson;
use crate::cli::{Failure, operator as command_line, output};
use crate::config::Variables;
use crate::domain::{Email, Organization};
use crate::service::RequestContext;
use crate::service::operations::operator::{self, Disabled};

pub const EXAMPLES: &str = examples!(
    "hallpass user disable ada@example.com",
    "hallpass user disable ada@example.com --even-the-last-admin",
);

#[derive(Debug, Args)]
pub struct Disable {
    /// The account's address
    email: String,
    /// Disable the account although nobody else administers its organization
    #[arg(long)]
    even_the_last_admin: bool,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
}

impl Disable {
    pub async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let email = Email::parse(&self.email).map_err(Failure::refused("email"))?;
        let services = command_line::open(variables).await?;
        let context = RequestContext::command_line(&services);
        let insists = self.even_the_last_admin;
        let user = match operator::disable_user(&services, &context, &email, insists).await? {
            Disabled::Done(user) => user,
            Disabled::LastAdminOf(organizations) => {
                return Err(Failure::Refused(last_admin(&email, &organizations)));
            }
            Disabled::UnknownEmail => {
                return Err(Failure::Refused(format!(
                    "email: nobody's address is {email}"
                )));
            }
        };
        if self.json {
            output::print_json(&UserJson::from(&user))
        } else {
            output::print(&format!(
                "{email} is disabled, and every session has ended."
            ))
        }
    }
}

fn last_admin(email: &Email, organizations: &[Organization]) -> String {
    let names: Vec<&str> = organizations.iter().map(|o| o.name.as_str()).collect();
    format!(
        "email: {email} is the last admin of {}. Make somebody else an admin first, or insist with \
         --even-the-last-admin.",
        names.join(", ")
    )
}
