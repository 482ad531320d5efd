//! `hallpass user export`

use clap::Args;

use super::find;
use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!("hallpass user export ada@example.com > ada.json");

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// E-mail address or id of the user
    user: String,
}

impl Export {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let user = find("user", &console, &self.user).await?;
        let services = &console.services;
        let mut file = operator::export_user(services, &console.context, user.id).await?;
        while let Some(text) = file.next(services).await? {
            output::write(&text)?;
        }
        Ok(())
    }
}
