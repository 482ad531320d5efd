//! `hallpass org invite`

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::find;
use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::domain::{Email, InvitationId, OrganizationId, Role};
use crate::service::invitations::{self, Invite as Invitation};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass org invite acme bob@example.com",
    "hallpass org invite acme ada@example.com --role admin --json | jq -r .link",
);

#[derive(Debug, Args)]
pub(crate) struct Invite {
    /// Slug or id of the organization
    #[arg(value_name = "SLUG")]
    organization: String,
    /// E-mail address to invite
    email: String,
    /// Role in the organization: employee, manager or admin
    #[arg(long, default_value_t = Role::Employee)]
    role: Role,
    /// Print the invitation as JSON; its link is null if it is sent
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InvitationJson<'a> {
    id: InvitationId,
    organization_id: OrganizationId,
    email: &'a str,
    role: Role,
    expires_at: DateTime<Utc>,
    link: Option<&'a str>,
}

impl Invite {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let email = Email::parse(&self.email).map_err(Failure::invalid("email"))?;
        let console = Console::open(variables).await?;
        let organization = find(&console.services, &self.organization).await?;
        let (invitation, link) = invitations::invite_by_operator(
            &console.services,
            &console.context,
            organization.id,
            Invitation {
                email,
                role: self.role,
            },
            console.sends_email,
            &console.app_url,
        )
        .await?;
        if self.json {
            return output::print_json(&InvitationJson {
                id: invitation.id,
                organization_id: invitation.organization_id,
                email: invitation.email.as_str(),
                role: invitation.role,
                expires_at: invitation.expires_at,
                link: link.as_deref(),
            });
        }
        match link {
            Some(link) => output::print(&link),
            None => output::print(&format!("The invitation is sent to {}.", invitation.email)),
        }
    }
}
