//! `hallpass org …`

mod create;
mod delete;
mod invite;
mod list;
mod members;
mod set_policy;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Subcommand;
use serde::Serialize;

use super::{Failure, output};
use crate::config::Variables;
use crate::domain::{
    JoinPolicy, Organization, OrganizationId, SessionIdle, SessionLifetime, TokenLifetime,
};
use crate::service::operations::operator;
use crate::service::{Error, Services};

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
    /// List the members of an organization
    #[command(after_help = members::EXAMPLES)]
    Members(members::Members),
    /// Invite an e-mail address to an organization
    ///
    /// The invitation is sent by e-mail. Without SMTP_URL, or after three e-mails to the address within an hour, its
    /// link is printed instead: give it to the owner of the address only, because accepting verifies the address. It
    /// works once, for seven days; earlier links stop working.
    #[command(after_help = invite::EXAMPLES)]
    Invite(invite::Invite),
    /// Change who may join an organization, whether members need a second factor, and how long their sessions last
    ///
    /// What is not given does not change.
    #[command(after_help = set_policy::EXAMPLES)]
    SetPolicy(set_policy::SetPolicy),
    /// Delete an organization; its members keep their accounts
    #[command(after_help = delete::EXAMPLES)]
    Delete(delete::Delete),
}

pub(super) async fn run(command: Command, variables: &Variables) -> Result<(), Failure> {
    match command {
        Command::Create(create) => create.run(variables).await,
        Command::List(list) => list.run(variables).await,
        Command::Members(members) => members.run(variables).await,
        Command::Invite(invite) => invite.run(variables).await,
        Command::SetPolicy(set_policy) => set_policy.run(variables).await,
        Command::Delete(delete) => delete.run(variables).await,
    }
}

/// The organization with this slug, former slug or id.
pub(super) async fn find(services: &Services, slug_or_id: &str) -> Result<Organization, Failure> {
    operator::find_organization(services, slug_or_id)
        .await
        .map_err(|error| match error {
            Error::OrganizationNotFound => Failure::InvalidInput(format!(
                "no organization has the slug or id {slug_or_id:?}; run `hallpass org list` to see them"
            )),
            other => other.into(),
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
    allowed_domains: Vec<&'a str>,
    require_mfa: bool,
    token_lifetime: Option<TokenLifetime>,
    session_lifetime: Option<SessionLifetime>,
    session_idle: Option<SessionIdle>,
    created_at: DateTime<Utc>,
}

impl<'a> From<&'a Organization> for OrganizationJson<'a> {
    fn from(organization: &'a Organization) -> Self {
        Self {
            id: organization.id,
            name: organization.name.as_str(),
            slug: organization.slug.as_str(),
            join_policy: organization.join_policy,
            allowed_domains: organization.allowed_domains.names().collect(),
            require_mfa: organization.require_mfa,
            token_lifetime: organization.lifetimes.token,
            session_lifetime: organization.lifetimes.session,
            session_idle: organization.lifetimes.idle,
            created_at: organization.created_at,
        }
    }
}

fn print_table(organizations: &[Organization]) -> Result<(), Failure> {
    output::print_table(
        ["ID", "SLUG", "NAME", "JOIN POLICY", "MFA", "CREATED"],
        organizations.iter().map(|organization| {
            [
                organization.id.to_string(),
                organization.slug.to_string(),
                organization.name.to_string(),
                join_policy(organization),
                if organization.require_mfa {
                    "required"
                } else {
                    "optional"
                }
                .to_owned(),
                organization
                    .created_at
                    .to_rfc3339_opts(SecondsFormat::Secs, true),
            ]
        }),
    )
}

/// The policy, with its domains if they count.
fn join_policy(organization: &Organization) -> String {
    match organization.join_policy {
        JoinPolicy::Domain => {
            let names: Vec<&str> = organization.allowed_domains.names().collect();
            format!("domain: {}", names.join(", "))
        }
        policy @ (JoinPolicy::Open | JoinPolicy::Invite | JoinPolicy::Closed) => policy.to_string(),
    }
}
