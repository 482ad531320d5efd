//! `hallpass user list`

use std::collections::HashMap;

use chrono::SecondsFormat;
use clap::Args;
use serde::Serialize;

use super::UserJson;
use crate::cli::operator::Console;
use crate::cli::{Failure, org, output};
use crate::config::Variables;
use crate::domain::{Membership, OrganizationId, Role, Slug, User, UserId};
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user list",
    "hallpass user list --organization acme",
    "hallpass user list --json | jq -r '.[] | select(.disabledAt == null) | .email'",
);

#[derive(Debug, Args)]
pub(crate) struct List {
    /// List only the members of this organization (slug or id)
    #[arg(long, value_name = "SLUG")]
    organization: Option<String>,
    /// Print the users as a JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct ListedJson<'a> {
    #[serde(flatten)]
    user: UserJson<'a>,
    memberships: Vec<MembershipJson>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MembershipJson {
    organization_id: OrganizationId,
    role: Role,
    manager_id: Option<UserId>,
}

impl From<&Membership> for MembershipJson {
    fn from(membership: &Membership) -> Self {
        Self {
            organization_id: membership.organization_id,
            role: membership.role,
            manager_id: membership.manager_id,
        }
    }
}

impl List {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let services = Console::open(variables).await?.services;
        let organization_id = match &self.organization {
            Some(organization) => Some(org::find(&services, organization).await?.id),
            None => None,
        };
        let people = operator::list_users(&services, organization_id).await?;
        if self.json {
            let people: Vec<_> = people
                .iter()
                .map(|(user, memberships)| ListedJson {
                    user: UserJson::from(user),
                    memberships: memberships.iter().map(MembershipJson::from).collect(),
                })
                .collect();
            return output::print_json(&people);
        }
        let slugs: HashMap<OrganizationId, Slug> = operator::list_organizations(&services)
            .await?
            .into_iter()
            .map(|organization| (organization.id, organization.slug))
            .collect();
        output::print_table(
            ["ID", "E-MAIL", "NAME", "ROLES", "STATE", "CREATED"],
            people.iter().map(|person| row(person, &slugs)),
        )
    }
}

fn row(
    (user, memberships): &(User, Vec<Membership>),
    slugs: &HashMap<OrganizationId, Slug>,
) -> [String; 6] {
    let roles: Vec<String> = memberships
        .iter()
        .map(|membership| match slugs.get(&membership.organization_id) {
            Some(slug) => format!("{slug}: {}", membership.role),
            None => format!("{}: {}", membership.organization_id, membership.role),
        })
        .collect();
    let state = if user.disabled_at.is_some() {
        "disabled"
    } else {
        "active"
    };
    [
        user.id.to_string(),
        user.email
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        user.name.to_string(),
        roles.join(", "),
        state.to_owned(),
        user.created_at.to_rfc3339_opts(SecondsFormat::Secs, true),
    ]
}
