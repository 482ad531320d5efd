//! The command line: one command per file.

/// The end of a `--help`: examples, and what the exit code says.
macro_rules! examples {
    ($($example:literal),+ $(,)?) => {
        concat!(
            "Examples:\n",
            $("  ", $example, "\n",)+
            "\nExit codes:\n",
            "  0   done\n",
            "  1   failed; the message says what to do\n",
            "  2   wrong usage\n",
            "  65  input refused\n",
            "  69  database unavailable\n",
            "  78  settings refused",
        )
    };
}

mod banner;
mod dev;
mod doctor;
mod failure;
mod logging;
mod migrate;
mod openapi;
mod operator;
mod org;
mod output;
mod secret;
mod serve;
mod user;

use std::path::Path;

use clap::{Parser, Subcommand};

pub use failure::Failure;

use crate::config::{ENV_FILE, Variables};

/// An identity service: people, organizations, sign-in and revocable tokens.
#[derive(Debug, Parser)]
#[command(
    name = "hallpass",
    version,
    after_help = examples!(
        "hallpass dev                       try it out: seeded people, no settings needed",
        "hallpass                           serve, with the settings of the environment and .env",
        "hallpass user create --help        how to make the first account",
    ),
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve in earnest (also without a command)
    #[command(after_help = serve::EXAMPLES)]
    Serve,
    /// Serve on this machine only, with a database of its own and people to sign in as
    #[command(after_help = dev::EXAMPLES)]
    Dev,
    /// Bring the database's schema up to date
    #[command(after_help = migrate::EXAMPLES)]
    Migrate,
    /// Organizations
    #[command(subcommand, after_help = org::EXAMPLES)]
    Org(org::Command),
    /// People's accounts
    #[command(subcommand, after_help = user::EXAMPLES)]
    User(user::Command),
    /// Signing secrets
    #[command(subcommand, after_help = secret::EXAMPLES)]
    Secret(secret::Command),
    /// Measure how fast this machine hashes passwords, recommend a BCRYPT_COST, look for letters that wait and for open
    /// organizations
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::Doctor),
    /// Print the API's description (OpenAPI 3.1, JSON)
    #[command(after_help = openapi::EXAMPLES)]
    Openapi,
}

/// Runs the command. Must be called within an actix system.
///
/// # Errors
/// With a sentence for standard error and an exit code.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let variables = || Variables::load(Path::new(ENV_FILE));
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&variables()?).await,
        Command::Dev => dev::run(&variables()?).await,
        Command::Migrate => migrate::run(&variables()?).await,
        Command::Org(command) => org::run(command, &variables()?).await,
        Command::User(command) => user::run(command, &variables()?).await,
        Command::Secret(command) => secret::run(&command),
        Command::Doctor(command) => doctor::run(&command, &variables()?).await,
        Command::Openapi => openapi::run(),
    }
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
        assert!(commands.len() >= 15);
        for mut command in commands {
            let help = command.render_help().to_string();
            let name = command.get_name();
            assert!(help.contains("\n  hallpass "), "{name}: {help}");
            assert!(help.contains("78  settings refused"), "{name}: {help}");
        }
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
