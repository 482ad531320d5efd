//! `hallpass user …`

mod create;
mod delete;
mod disable;
mod enable;
mod export;
mod join;
mod list;
mod move_member;
pub(crate) mod password;
mod reset_link;
mod reset_mfa;
mod sessions;
mod set_email;
mod set_password;
mod set_role;
mod unlink;
mod unlock;
mod verify;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::operator::Console;
use super::{Failure, output};
use crate::config::Variables;
use crate::domain::{Email, Membership, OrganizationId, Role, User, UserId};
use crate::service::Error;
use crate::service::operations::operator::{self, Identifier};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user create ada@example.com --name \"Ada Lovelace\" --organization acme --role admin",
    "hallpass user list",
    "hallpass user set-password ada@example.com",
    "hallpass user disable ada@example.com",
);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a user, with a password from standard input
    #[command(after_help = create::EXAMPLES)]
    Create(create::Create),
    /// List all users, or the members of an organization
    #[command(after_help = list::EXAMPLES)]
    List(list::List),
    /// Set a user's password and end all their sessions
    ///
    /// The rules of new passwords apply. The user is told by e-mail. An address that is not verified stays so.
    #[command(after_help = set_password::EXAMPLES)]
    SetPassword(set_password::SetPassword),
    /// Print a link with which a user sets a new password
    ///
    /// It works once, for 30 minutes, and like an e-mailed one it verifies the user's address: give it to the owner of
    /// the address only. Earlier links to set a password stop working.
    #[command(after_help = reset_link::EXAMPLES)]
    ResetLink(reset_link::ResetLink),
    /// Mark a user's e-mail address as verified
    #[command(after_help = verify::EXAMPLES)]
    Verify(verify::Verify),
    /// Give a user another e-mail address, or a first one
    ///
    /// The old address is told. Links that were sent to it stop working.
    #[command(after_help = set_email::EXAMPLES)]
    SetEmail(set_email::SetEmail),
    /// Disable a user, end all their sessions and revoke their API tokens
    #[command(after_help = disable::EXAMPLES)]
    Disable(disable::Disable),
    /// Delete a user and everything that is kept about them
    ///
    /// Organizations without another member are deleted too. An organization with other members in which the user is the
    /// only admin needs another admin first. The audit log keeps the user's id.
    #[command(after_help = delete::EXAMPLES)]
    Delete(delete::Delete),
    /// Print everything that is kept about a user as JSON
    ///
    /// It is what the user can download themselves: no secrets, and nothing of other people. The audit log records it.
    #[command(after_help = export::EXAMPLES)]
    Export(export::Export),
    /// Enable a disabled user
    #[command(after_help = enable::EXAMPLES)]
    Enable(enable::Enable),
    /// Unlock a user who is locked out after too many wrong passwords
    #[command(after_help = unlock::EXAMPLES)]
    Unlock(unlock::Unlock),
    /// Remove a user's authenticator and recovery codes, and end all their sessions
    #[command(after_help = reset_mfa::EXAMPLES)]
    ResetMfa(reset_mfa::ResetMfa),
    /// Unlink a user from their accounts at Slack, and end all their sessions
    ///
    /// They stay members of their organizations. Who has no password or no address cannot sign in afterwards: give them
    /// both with `hallpass user set-email` and `set-password`.
    #[command(after_help = unlink::EXAMPLES)]
    Unlink(unlink::Unlink),
    /// Give a member of an organization another role
    #[command(after_help = set_role::EXAMPLES)]
    SetRole(set_role::SetRole),
    /// Add an existing user to an organization
    #[command(after_help = join::EXAMPLES)]
    Join(join::Join),
    /// Move a member from one organization to another
    ///
    /// Their sessions in the first organization end, and their reports there have no manager any more.
    #[command(after_help = move_member::EXAMPLES)]
    Move(move_member::Move),
    /// List or end a user's sessions
    #[command(subcommand, after_help = sessions::EXAMPLES)]
    Sessions(sessions::Command),
}

pub(super) async fn run(command: Command, variables: &Variables) -> Result<(), Failure> {
    match command {
        Command::Create(create) => create.run(variables).await,
        Command::List(list) => list.run(variables).await,
        Command::SetPassword(set_password) => set_password.run(variables).await,
        Command::ResetLink(reset_link) => reset_link.run(variables).await,
        Command::Verify(verify) => verify.run(variables).await,
        Command::SetEmail(set_email) => set_email.run(variables).await,
        Command::Disable(disable) => disable.run(variables).await,
        Command::Delete(delete) => delete.run(variables).await,
        Command::Export(export) => export.run(variables).await,
        Command::Enable(enable) => enable.run(variables).await,
        Command::Unlock(unlock) => unlock.run(variables).await,
        Command::ResetMfa(reset_mfa) => reset_mfa.run(variables).await,
        Command::Unlink(unlink) => unlink.run(variables).await,
        Command::SetRole(set_role) => set_role.run(variables).await,
        Command::Join(join) => join.run(variables).await,
        Command::Move(move_member) => move_member.run(variables).await,
        Command::Sessions(command) => sessions::run(command, variables).await,
    }
}

/// The user that a command is about, and how it prints them.
#[derive(Debug, Args)]
struct Subject {
    /// E-mail address or id of the user
    user: String,
    /// Print the user as JSON
    #[arg(long)]
    json: bool,
}

impl Subject {
    async fn find(&self, console: &Console) -> Result<User, Failure> {
        find("user", console, &self.user).await
    }

    /// Prints the user, or what was done.
    fn print(&self, user: &User, done: &str) -> Result<(), Failure> {
        if self.json {
            output::print_json(&UserJson::from(user))
        } else {
            output::print(done)
        }
    }

    /// Prints the user as a member, or what was done.
    fn print_member(
        &self,
        user: &User,
        membership: &Membership,
        done: &str,
    ) -> Result<(), Failure> {
        if self.json {
            output::print_json(&MemberJson {
                user: user.into(),
                organization_id: membership.organization_id,
                role: membership.role,
            })
        } else {
            output::print(done)
        }
    }
}

/// The user with this e-mail address or id.
async fn find(argument: &str, console: &Console, named: &str) -> Result<User, Failure> {
    let identifier = match named.parse() {
        Ok(id) => Identifier::Id(id),
        Err(_) => Identifier::Email(Email::parse(named).map_err(Failure::invalid(argument))?),
    };
    match operator::find_user(&console.services, identifier).await {
        Err(Error::UserNotFound) => Err(Failure::InvalidInput(format!(
            "{argument}: no user has the address or id {named}"
        ))),
        found => Ok(found?),
    }
}

/// The user's e-mail address, or their id if they have none.
fn name(user: &User) -> String {
    let email = user.email.as_ref().map(ToString::to_string);
    email.unwrap_or_else(|| user.id.to_string())
}

/// A user as printed by `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserJson<'a> {
    id: UserId,
    email: Option<&'a str>,
    name: &'a str,
    disabled_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

/// A user as a member of an organization, as printed by `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberJson<'a> {
    #[serde(flatten)]
    user: UserJson<'a>,
    organization_id: OrganizationId,
    role: Role,
}

impl<'a> From<&'a User> for UserJson<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id,
            email: user.email.as_ref().map(Email::as_str),
            name: user.name.as_str(),
            disabled_at: user.disabled_at,
            created_at: user.created_at,
        }
    }
}
