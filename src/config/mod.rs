//! The environment, read once into typed sections, all faults at once.

mod accounts;
mod addresses;
mod database;
#[cfg(test)]
mod generated;
mod local_secret;
mod logging;
mod mail;
mod mail_templates;
mod passwords;
mod reader;
mod server;
mod setting_error;
pub mod settings;
mod slack;
#[cfg(test)]
mod tests;
mod tokens;
mod variables;
mod words;

pub use accounts::Accounts;
pub use database::Database;
pub use local_secret::{LocalSecretError, random_secret};
pub use logging::{LogFormat, Logging};
pub use mail::Mail;
pub use passwords::Passwords;
pub use reader::Environment;
pub use server::Server;
pub use setting_error::SettingErrors;
pub use slack::Slack;
pub use tokens::Tokens;
pub use variables::Variables;

use reader::Reader;
use setting_error::Problem;

/// In the working directory.
pub const ENV_FILE: &str = ".env";

/// What the program is started as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// In earnest.
    Serve,
    /// For trying out: other defaults, and this machine only.
    Dev,
}

#[derive(Debug, Clone)]
pub struct Config {
    pub server: Server,
    pub database: Database,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub accounts: Accounts,
    /// Missing when sign-in with Slack is not set up.
    pub slack: Option<Slack>,
    pub mail: Mail,
    pub logging: Logging,
}

impl Config {
    /// Reads every setting. Without `JWT_SECRET`, where that is allowed, a secret is read from beside
    /// the database file, or made there if nothing else is wrong.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn read(environment: Environment<'_>, mode: Mode) -> Result<Self, SettingErrors> {
        let mut reader = Reader::new(environment, mode);
        match Self::sections(&mut reader) {
            Some(config) if !reader.has_faults() => Ok(config),
            _ => Err(reader.into_faults()),
        }
    }

    /// The database alone, for those who only look: nothing is made, and no other setting needs to be there.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn read_database(environment: Environment<'_>) -> Result<Database, SettingErrors> {
        let mut reader = Reader::new(environment, Mode::Serve);
        Database::read(&mut reader).ok_or_else(|| reader.into_faults())
    }

    /// `None` only after a fault.
    fn sections(reader: &mut Reader<'_>) -> Option<Self> {
        let server = Server::read(reader);
        let database = Database::read(reader);
        let passwords = Passwords::read(reader);
        let accounts = Accounts::read(reader, server.as_ref());
        let slack = Slack::read(reader, server.as_ref());
        let mail = Mail::read(reader);
        let logging = Logging::read(reader);
        if let Some(server) = &server {
            refuse_exposed_development(reader, server);
        }
        let tokens = Tokens::read(reader, server.as_ref(), database.as_ref());
        Some(Self {
            server: server?,
            database: database?,
            tokens: tokens?,
            passwords: passwords?,
            accounts: accounts?,
            slack,
            mail: mail?,
            logging: logging?,
        })
    }
}

/// The people `hallpass dev` seeds share a password that everybody knows.
fn refuse_exposed_development(reader: &mut Reader<'_>, server: &Server) {
    if reader.mode != Mode::Dev {
        return;
    }
    let hint = "Use `hallpass serve` for others, or leave it unset.";
    if !server.is_on_loopback() {
        let why = "`hallpass dev` listens on loopback addresses only.";
        reader.complain(&settings::HOST, Problem::new(why, hint));
    }
    if server.public_url.scheme() == "https" {
        let why = "`hallpass dev` is not for an https address.";
        reader.complain(&settings::PUBLIC_URL, Problem::new(why, hint));
    }
}
