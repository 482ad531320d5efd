//! `hallpass org …`

mod create;
mod list;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Subcommand;
use serde::Serialize;

use super::{Failure, output};
use crate::config::Variables;
use crate::domain::{JoinPolicy, Organization, OrganizationId};
use crate::service::Services;
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str =
    examples!("hallpass org create \"Acme, Inc.\"", "hallpass org list");

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create an organization
    #[command(after_help = create::EXAMPLES)]
    Create(create::Create),
    /// List all organizations
    #[command(after_help = list::EXAMPLES)]
    List(list::List),
}

pub(super) async fn run(command: Command, variables: &Variables) -> Result<(), Failure> {
    match command {
        Command::Create(create) => create.run(variables).await,
        Command::List(list) => list.run(variables).await,
    }
}

/// The organization with this slug or id.
pub(super) async fn find(services: &Services, slug_or_id: &str) -> Result<Organization, Failure> {
    let id = slug_or_id.parse::<OrganizationId>().ok();
    operator::list_organizations(services)
        .await?
        .into_iter()
        .find(|organization| {
            organization.slug.as_str() == slug_or_id || Some(organization.id) == id
        })
        .ok_or_else(|| {
            Failure::InvalidInput(format!(
                "no organization has the slug or id {slug_or_id:?}; run `hallpass org list` to see them"
            ))
        })
}

/// An organization as printed by `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrganizationJson<'a> {
    id: OrganizationId,
    name: &'a str,
    slug: &'a str,
    join_policy: JoinPolicy,
    created_at: DateTime<Utc>,
}

impl<'a> From<&'a Organization> for OrganizationJson<'a> {
    fn from(organization: &'a Organization) -> Self {
        Self {
            id: organization.id,
            name: organization.name.as_str(),
            slug: organization.slug.as_str(),
            join_policy: organization.join_policy,
            created_at: organization.created_at,
        }
    }
}

fn print_table(organizations: &[Organization]) -> Result<(), Failure> {
    output::print_table(
        ["ID", "SLUG", "NAME", "JOIN POLICY", "CREATED"],
        organizations.iter().map(|organization| {
            [
                organization.id.to_string(),
                organization.slug.to_string(),
                organization.name.to_string(),
                organization.join_policy.to_string(),
                organization
                    .created_at
                    .to_rfc3339_opts(SecondsFormat::Secs, true),
            ]
        }),
    )
}
