//! `hallpass user reset-link`

use clap::Args;
use serde_json::json;

use super::find;
use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user reset-link ada@example.com",
    "hallpass user reset-link ada@example.com --json | jq -r .link",
);

#[derive(Debug, Args)]
pub(crate) struct ResetLink {
    /// E-mail address or id of the user
    user: String,
    /// Print {"link": "…", "expiresAt": "…"}
    #[arg(long)]
    json: bool,
}

impl ResetLink {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = find("user", &console, &self.user).await?;
        let (services, context) = (&console.services, &console.context);
        let (link, expires_at) =
            operator::reset_link(services, context, user.id, &console.app_url).await?;
        if self.json {
            output::print_json(&json!({"link": link, "expiresAt": expires_at}))
        } else {
            output::print(&link)
        }
    }
}
