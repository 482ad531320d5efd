//! `hallpass user create`

use clap::Args;
use secrecy::ExposeSecret;
use serde::Serialize;

use super::password::{self, PasswordSource};
use super::{MemberJson, UserJson, find};
use crate::cli::operator::Console;
use crate::cli::{Failure, org, output};
use crate::config::Variables;
use crate::domain::{Email, OrganizationId, PersonName, Role, UserId};
use crate::service::Error;
use crate::service::operations::operator::{self, CreateUser};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user create ada@example.com --name \"Ada Lovelace\" --organization acme < password",
    "hallpass user create bob@example.com --name Bob --organization acme --generate-password",
    "hallpass user create eve@example.com --name Eve --organization acme --role manager \\",
    "    --manager ada@example.com --password-file /run/secrets/eve",
);

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// E-mail address to sign in with
    email: String,
    /// The user's full name, 1 to 201 characters
    #[arg(long)]
    name: String,
    /// Slug or id of the organization
    #[arg(long, value_name = "SLUG")]
    organization: String,
    /// Role in the organization: employee, manager or admin
    #[arg(long, default_value_t = Role::Employee)]
    role: Role,
    /// E-mail address or id of the user's manager, who must be in the organization
    #[arg(long, value_name = "USER")]
    manager: Option<String>,
    #[command(flatten)]
    source: PasswordSource,
    /// Print the user as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct CreatedJson<'a> {
    #[serde(flatten)]
    member: MemberJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

impl Create {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let email = Email::parse(&self.email).map_err(Failure::invalid("email"))?;
        let name = PersonName::parse(&self.name).map_err(Failure::invalid("name"))?;
        let console = Console::open(variables).await?;
        let organization = org::find(&console.services, &self.organization).await?;
        let manager_id = match &self.manager {
            Some(manager) => Some(find_member(&console, organization.id, manager).await?),
            None => None,
        };
        let password = self.source.read().await?;
        let user = CreateUser {
            email,
            password: password.expose_secret(),
            name,
            organization_id: organization.id,
            role: self.role,
            manager_id,
        };
        let user = match operator::create_user(&console.services, &console.context, user).await {
            Err(Error::EmailTaken) => {
                return Err(Failure::InvalidInput(format!(
                    "email: {} has an account already; `hallpass user join` adds it to an organization",
                    self.email
                )));
            }
            created => created?,
        };
        let shown_password = self.source.is_generated().then(|| password.expose_secret());
        if self.json {
            return output::print_json(&CreatedJson {
                member: MemberJson {
                    user: UserJson::from(&user),
                    organization_id: organization.id,
                    role: self.role,
                },
                password: shown_password,
            });
        }
        output::print_table(
            ["ID", "E-MAIL", "NAME", "ORGANIZATION", "ROLE"],
            [[
                user.id.to_string(),
                user.email
                    .map(|email| email.to_string())
                    .unwrap_or_default(),
                user.name.to_string(),
                organization.slug.to_string(),
                self.role.to_string(),
            ]],
        )?;
        password::show(shown_password)
    }
}

async fn find_member(
    console: &Console,
    organization_id: OrganizationId,
    named: &str,
) -> Result<UserId, Failure> {
    let manager = find("manager", console, named).await?;
    let members = operator::list_users(&console.services, Some(organization_id)).await?;
    if members.iter().any(|(member, _)| member.id == manager.id) {
        Ok(manager.id)
    } else {
        Err(Failure::InvalidInput(format!(
            "manager: {named} is not a member of the organization"
        )))
    }
}
