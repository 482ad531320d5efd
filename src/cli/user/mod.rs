//! `hallpass user …`

mod create;
mod disable;
mod list;
mod password;
mod reset_mfa;
mod unlock;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde::Serialize;

use super::Failure;
use crate::config::Variables;
use crate::domain::{Email, User, UserId};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass user create ada@example.com --name \"Ada Lovelace\" --organization acme --role admin",
    "hallpass user list",
    "hallpass user disable ada@example.com",
    "hallpass user unlock ada@example.com",
);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a user, with a password from standard input
    #[command(after_help = create::EXAMPLES)]
    Create(create::Create),
    /// List all users, or the members of an organization
    #[command(after_help = list::EXAMPLES)]
    List(list::List),
    /// Disable a user and end all their sessions
    #[command(after_help = disable::EXAMPLES)]
    Disable(disable::Disable),
    /// Unlock a user who is locked out after too many wrong passwords
    #[command(after_help = unlock::EXAMPLES)]
    Unlock(unlock::Unlock),
    /// Remove a user's authenticator and recovery codes, and end all their sessions
    #[command(after_help = reset_mfa::EXAMPLES)]
    ResetMfa(reset_mfa::ResetMfa),
}

pub(super) async fn run(command: Command, variables: &Variables) -> Result<(), Failure> {
    match command {
        Command::Create(create) => create.run(variables).await,
        Command::List(list) => list.run(variables).await,
        Command::Disable(disable) => disable.run(variables).await,
        Command::Unlock(unlock) => unlock.run(variables).await,
        Command::ResetMfa(reset_mfa) => reset_mfa.run(variables).await,
    }
}

/// A user as printed by `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserJson<'a> {
    id: UserId,
    email: Option<&'a str>,
    name: &'a str,
    disabled_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
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
