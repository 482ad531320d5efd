//! `hallpass service …`

mod add;
mod list;
mod remove;

use clap::Subcommand;

use super::Failure;
use crate::config::Variables;

pub(super) const EXAMPLES: &str =
    examples!("hallpass service add billing", "hallpass service list");

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a service, or a second key of one, and print the key
    ///
    /// The key (hps_…) is shown once. With it the service follows revocations and asks about tokens. A service has two
    /// keys at most: add the second, let the service use it, and remove the first.
    #[command(after_help = add::EXAMPLES)]
    Add(add::Add),
    /// List all services and the beginnings of their keys
    #[command(after_help = list::EXAMPLES)]
    List(list::List),
    /// Remove a service, or one of its keys
    #[command(after_help = remove::EXAMPLES)]
    Remove(remove::Remove),
}

pub(super) async fn run(command: Command, variables: &Variables) -> Result<(), Failure> {
    match command {
        Command::Add(add) => add.run(variables).await,
        Command::List(list) => list.run(variables).await,
        Command::Remove(remove) => remove.run(variables).await,
    }
}
