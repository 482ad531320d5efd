//! `hallpass org create`

use clap::Args;

use super::{OrganizationJson, print_table};
use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::domain::OrganizationName;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass org create \"Acme, Inc.\"",
    "hallpass org create Acme --json | jq -r .id",
);

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The organization's name, 2 to 255 characters
    name: String,
    /// Print the organization as JSON
    #[arg(long)]
    json: bool,
}

impl Create {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let name = OrganizationName::parse(&self.name).map_err(Failure::invalid("name"))?;
        let console = Console::open(variables).await?;
        let organization =
            operator::create_organization(&console.services, &console.context, name).await?;
        if self.json {
            output::print_json(&OrganizationJson::from(&organization))
        } else {
            print_table(&[organization])
        }
    }
}
