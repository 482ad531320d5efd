//! `hallpass org delete`

use clap::Args;

use super::{OrganizationJson, find};
use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::domain::OrganizationName;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!("hallpass org delete acme --name \"Acme, Inc.\"");

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Slug or id of the organization
    #[arg(value_name = "SLUG")]
    organization: String,
    /// Name of the organization, as a confirmation: it cannot be undone
    #[arg(long)]
    name: String,
    /// Print the deleted organization as JSON
    #[arg(long)]
    json: bool,
}

impl Delete {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let name = OrganizationName::parse(&self.name).map_err(Failure::invalid("name"))?;
        let console = Console::open(variables).await?;
        let organization = find(&console.services, &self.organization).await?;
        let (services, context) = (&console.services, &console.context);
        operator::delete_organization(services, context, organization.id, name).await?;
        if self.json {
            output::print_json(&OrganizationJson::from(&organization))
        } else {
            output::print(&format!(
                "Deleted {}. Its members keep their accounts.",
                organization.name
            ))
        }
    }
}
