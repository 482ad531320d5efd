//! `hallpass org members`

use clap::Args;
use serde::Serialize;

use super::find;
use crate::cli::operator::Console;
use crate::cli::user::UserJson;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::domain::{Role, UserId};
use crate::service::operations::operator;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass org members acme",
    "hallpass org members acme --json | jq -r '.[] | select(.role == \"admin\") | .email'",
);

#[derive(Debug, Args)]
pub(crate) struct Members {
    /// Slug or id of the organization
    #[arg(value_name = "SLUG")]
    organization: String,
    /// Print the members as a JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberJson<'a> {
    #[serde(flatten)]
    user: UserJson<'a>,
    role: Role,
    manager_id: Option<UserId>,
}

impl Members {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let services = Console::open(variables).await?.services;
        let organization = find(&services, &self.organization).await?;
        let people = operator::list_users(&services, Some(organization.id)).await?;
        let members = people
            .iter()
            .flat_map(|(user, places)| places.iter().map(move |place| (user, place)));
        if self.json {
            let members: Vec<_> = members
                .map(|(user, place)| MemberJson {
                    user: user.into(),
                    role: place.role,
                    manager_id: place.manager_id,
                })
                .collect();
            return output::print_json(&members);
        }
        output::print_table(
            ["ID", "E-MAIL", "NAME", "ROLE"],
            members.map(|(user, place)| {
                [
                    user.id.to_string(),
                    user.email
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default(),
                    user.name.to_string(),
                    place.role.to_string(),
                ]
            }),
        )
    }
}
