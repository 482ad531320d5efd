//! The command line, with one command per file.

/// The end of every `--help`: examples and exit codes.
///
/// After a semicolon come exit codes that other commands do not have, or not with this meaning.
macro_rules! examples {
    ($($example:literal),+ $(,)?) => {
        examples!($($example),+; "65  invalid input")
    };
    ($($example:literal),+; $($code:literal),+ $(,)?) => {
        concat!(
            "Examples:\n",
            $("  ", $example, "\n",)+
            "\nExit codes:\n",
            "  0   success\n",
            "  1   failure, as described in the message\n",
            "  2   invalid usage\n",
            $("  ", $code, "\n",)+
            "  66  no database\n",
            "  69  database unavailable\n",
            "  78  invalid settings",
        )
    };
}

mod backup;
mod banner;
#[cfg(test)]
mod commands_page;
mod copy;
mod dev;
mod doctor;
mod export;
mod failure;
mod import;
mod logging;
mod migrate;
mod openapi;
mod operator;
mod org;
mod output;
mod restore;
mod secret;
mod serve;
mod service;
mod user;

use std::path::Path;

use clap::{Parser, Subcommand};

pub use failure::Failure;

use crate::app::App;
use crate::config::{Config, ENV_FILE, Mode, Variables};

/// An identity service: users, organizations, sign-in and revocable tokens.
#[derive(Debug, Parser)]
#[command(
    name = "hallpass",
    version,
    after_help = examples!(
        "hallpass dev                       try it out with example users, without any settings",
        "hallpass                           run the server with settings from the environment and .env",
        "hallpass user create --help        see how to create the first user",
    ),
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (the default command)
    #[command(after_help = serve::EXAMPLES)]
    Serve,
    /// Run a development server on this machine, with its own database and example users
    #[command(after_help = dev::EXAMPLES)]
    Dev,
    /// Migrate the database to the current schema
    #[command(after_help = migrate::EXAMPLES)]
    Migrate(migrate::Migrate),
    /// Back up a SQLite database, while its server runs
    ///
    /// The file is as the database at one moment, and only its owner can read it. For PostgreSQL, the command prints what
    /// to run instead.
    #[command(after_help = backup::EXAMPLES)]
    Backup(backup::Backup),
    /// Put a backup in the place of a SQLite database that no server uses
    ///
    /// A copy of the backup is examined first as `hallpass backup verify` does, and nothing is changed if it or the
    /// secrets are not right.
    #[command(after_help = restore::EXAMPLES)]
    Restore(restore::Restore),
    /// Copy a whole database into a new one, also between SQLite and PostgreSQL
    ///
    /// A server may use the source meanwhile; the copy is as it was when the command began. The target is migrated, and must
    /// hold nothing. Before anything is kept, all tables of both are compared. The target needs the JWT_SECRET of the source.
    #[command(after_help = copy::EXAMPLES)]
    Copy(copy::Copy),
    /// Write everybody to a file for another system, a line of JSON each
    ///
    /// docs/moving-out.md describes the lines. The audit log records it.
    #[command(after_help = export::EXAMPLES)]
    Export(export::Export),
    /// Manage organizations
    #[command(subcommand, after_help = org::EXAMPLES)]
    Org(org::Command),
    /// Manage users
    #[command(subcommand, after_help = user::EXAMPLES)]
    User(user::Command),
    /// Import people from other systems, with their passwords, organizations and second factors
    #[command(after_help = import::EXAMPLES)]
    Import(Box<import::Import>),
    /// Manage other services that trust Hallpass's tokens
    #[command(subcommand, after_help = service::EXAMPLES)]
    Service(service::Command),
    /// Generate the secrets and keys that sign, and print the ids of those in use
    #[command(subcommand, after_help = secret::EXAMPLES)]
    Secret(secret::Command),
    /// Recommend a BCRYPT_COST for this machine, and check for undelivered e-mails, missing keys and open organizations
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::Doctor),
    /// Print the OpenAPI 3.1 description of the API as JSON
    #[command(after_help = openapi::EXAMPLES)]
    Openapi,
}

/// Runs the command. Must be called within an actix system.
///
/// # Errors
/// With a message for standard error and an exit code.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let variables = || Variables::load(Path::new(ENV_FILE));
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&variables()?).await,
        Command::Dev => dev::run(&variables()?).await,
        Command::Migrate(command) => {
            let variables = variables()?;
            settled(migrate::run(&command, &variables).await, &variables).await
        }
        Command::Backup(command) => command.run(&variables()?).await,
        Command::Restore(command) => command.run(&variables()?).await,
        Command::Copy(command) => command.run(&variables()?).await,
        Command::Export(command) => {
            let variables = variables()?;
            settled(command.run(&variables).await, &variables).await
        }
        Command::Org(command) => {
            let variables = variables()?;
            settled(org::run(command, &variables).await, &variables).await
        }
        Command::User(command) => {
            let variables = variables()?;
            settled(user::run(command, &variables).await, &variables).await
        }
        Command::Import(command) => {
            let variables = variables()?;
            settled(
                Box::pin(import::run(*command, &variables)).await,
                &variables,
            )
            .await
        }
        Command::Service(command) => {
            let variables = variables()?;
            settled(service::run(command, &variables).await, &variables).await
        }
        Command::Secret(command) => secret::run(&command, variables),
        Command::Doctor(command) => doctor::run(&command, &variables()?).await,
        Command::Openapi => openapi::run(),
    }
}

/// Leaves the file of a SQLite database whole after a command that may have written to it.
async fn settled(done: Result<(), Failure>, variables: &Variables) -> Result<(), Failure> {
    if let Ok(database) = Config::read_database(variables, Mode::Operator) {
        App::settle(&database).await;
    }
    done
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn every_command(command: &clap::Command, seen: &mut Vec<clap::Command>) {
        seen.push(command.clone());
        for subcommand in command.get_subcommands() {
            every_command(subcommand, seen);
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_help_has_examples_and_exit_codes() {
        let mut commands = Vec::new();
        every_command(&Arguments::command(), &mut commands);
        assert!(commands.len() >= 30);
        for mut command in commands {
            let help = command.render_help().to_string();
            let name = command.get_name();
            assert!(help.contains("\n  hallpass "), "{name}: {help}");
            assert!(help.contains("78  invalid settings"), "{name}: {help}");
        }
    }

    #[test]
    fn every_command_that_reports_something_can_print_json() {
        let mut commands = Vec::new();
        every_command(&Arguments::command(), &mut commands);
        let without: Vec<&str> = commands
            .iter()
            .filter(|command| !command.has_subcommands())
            .filter(|command| {
                command
                    .get_arguments()
                    .all(|argument| argument.get_id() != "json")
            })
            .map(clap::Command::get_name)
            .collect();
        // The servers log; an export and the OpenAPI document are JSON.
        assert_eq!(without, ["serve", "dev", "export", "export", "openapi"]);
    }

    #[test]
    fn no_command_means_serve() {
        assert!(
            Arguments::try_parse_from(["hallpass"])
                .unwrap()
                .command
                .is_none()
        );
    }

    #[test]
    fn a_password_is_never_an_argument() {
        let arguments = "hallpass user create a@example.com --name A --organization acme";
        let parse = |more: &[&str]| {
            Arguments::try_parse_from(arguments.split(' ').chain(more.iter().copied()))
        };
        assert!(parse(&[]).is_ok());
        assert!(parse(&["--generate-password"]).is_ok());
        assert!(parse(&["--password-file", "pw"]).is_ok());
        assert!(parse(&["--password", "pw"]).is_err());
        assert!(parse(&["--generate-password", "--password-file", "pw"]).is_err());
    }
}
