//! `hallpass secret generate`

use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{Failure, output};
use crate::config::random_secret;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass secret generate",
    "(umask 077; hallpass secret generate > /etc/hallpass/jwt-secret)",
    "hallpass secret generate --json | jq -r .secret",
);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print a new secret for JWT_SECRET: 32 random bytes in base64url
    #[command(after_help = EXAMPLES)]
    Generate(Generate),
}

#[derive(Debug, Args)]
pub(super) struct Generate {
    /// Print {"secret": "…"}
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Generate(Generate { json }) = command;
    let secret = random_secret::<32>().map_err(|error| Failure::Failed(error.to_string()))?;
    if *json {
        output::print_json(&json!({"secret": secret.expose_secret()}))
    } else {
        output::print(secret.expose_secret())
    }
}
