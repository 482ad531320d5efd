//! `hallpass user disable`

use clap::Args;

use super::UserJson;
use crate::cli::{Failure, operator as command_line, output};
use crate::config::Variables;
use crate::domain::{Email, Organization};
use crate::service::RequestContext;
use crate::service::operations::operator::{self, Disabled};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user disable ada@example.com",
    "hallpass user disable ada@example.com --even-the-last-admin",
);

#[derive(Debug, Args)]
pub(crate) struct Disable {
    /// The user's e-mail address
    email: String,
    /// Disable the user even if an organization would be left without an admin
    #[arg(long)]
    even_the_last_admin: bool,
    /// Print the user as JSON
    #[arg(long)]
    json: bool,
}

impl Disable {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let email = Email::parse(&self.email).map_err(Failure::invalid("email"))?;
        let services = command_line::open(variables).await?;
        let context = RequestContext::command_line(&services);
        let force = self.even_the_last_admin;
        let user = match operator::disable_user(&services, &context, &email, force).await? {
            Disabled::Done(user) => user,
            Disabled::LastAdminOf(organizations) => {
                return Err(Failure::InvalidInput(last_admin(&email, &organizations)));
            }
            Disabled::UnknownEmail => {
                return Err(Failure::InvalidInput(format!(
                    "email: no user has the address {email}"
                )));
            }
        };
        if self.json {
            output::print_json(&UserJson::from(&user))
        } else {
            output::print(&format!("Disabled {email}. All their sessions have ended."))
        }
    }
}

fn last_admin(email: &Email, organizations: &[Organization]) -> String {
    let names: Vec<&str> = organizations.iter().map(|o| o.name.as_str()).collect();
    format!(
        "email: {email} is the last admin of {}; make another user an admin first, or use --even-the-last-admin",
        names.join(", ")
    )
}
