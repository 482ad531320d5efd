//! `hallpass user create`

use std::path::PathBuf;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::{UserJson, password};
use crate::cli::{Failure, operator as command_line, org, output};
use crate::config::Variables;
use crate::domain::{Email, OrganizationId, PersonName, Role, UserId};
use crate::service::RequestContext;
use crate::service::Services;
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
    /// E-mail address of the user's manager, who must be in the organization
    #[arg(long, value_name = "EMAIL")]
    manager: Option<String>,
    /// Read the password from the first line of this file instead of standard input
    #[arg(long, value_name = "PATH", conflicts_with = "generate_password")]
    password_file: Option<PathBuf>,
    /// Generate a password and print it once
    #[arg(long)]
    generate_password: bool,
    /// Print the user as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreatedJson<'a> {
    #[serde(flatten)]
    user: UserJson<'a>,
    organization_id: OrganizationId,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

impl Create {
    pub(crate) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let email = Email::parse(&self.email).map_err(Failure::invalid("email"))?;
        let name = PersonName::parse(&self.name).map_err(Failure::invalid("name"))?;
        let manager = self.manager.as_deref().map(Email::parse).transpose();
        let manager = manager.map_err(Failure::invalid("manager"))?;
        let services = command_line::open(variables).await?;
        let organization = org::find(&services, &self.organization).await?;
        let manager_id = match &manager {
            Some(manager) => Some(find_member(&services, organization.id, manager).await?),
            None => None,
        };
        let password = self.password()?;
        let user = CreateUser {
            email,
            password: password.expose_secret(),
            name,
            organization_id: organization.id,
            role: self.role,
            manager_id,
        };
        let user = operator::create_user(&services, &RequestContext::command_line(&services), user)
            .await?;
        let shown_password = self.generate_password.then(|| password.expose_secret());
        if self.json {
            return output::print_json(&CreatedJson {
                user: UserJson::from(&user),
                organization_id: organization.id,
                role: self.role,
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
        match shown_password {
            Some(password) => output::print(&format!("\nPassword (not shown again): {password}")),
            None => Ok(()),
        }
    }

    fn password(&self) -> Result<SecretString, Failure> {
        if self.generate_password {
            password::generate()
        } else {
            password::read(self.password_file.as_deref())
        }
    }
}

async fn find_member(
    services: &Services,
    organization_id: OrganizationId,
    email: &Email,
) -> Result<UserId, Failure> {
    operator::list_users(services, Some(organization_id))
        .await?
        .into_iter()
        .find(|(user, _)| user.email.as_ref() == Some(email))
        .map(|(user, _)| user.id)
        .ok_or_else(|| {
            Failure::InvalidInput(format!(
                "manager: no member of the organization has the address {email}"
            ))
        })
}
