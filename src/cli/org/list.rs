//! `hallpass org list`

use clap::Args;

use super::{OrganizationJson, print_table};
use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass org list",
    "hallpass org list --json | jq -r '.[].slug'",
);

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Print the organizations as a JSON array
    #[arg(long)]
    json: bool,
}

impl List {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let services = Console::open(variables).await?.services;
        let organizations = operator::list_organizations(&services).await?;
        if self.json {
            let organizations: Vec<_> = organizations.iter().map(OrganizationJson::from).collect();
            output::print_json(&organizations)
        } else {
            print_table(&organizations)
        }
    }
}
