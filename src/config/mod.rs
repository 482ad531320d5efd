//! Reads the settings from the environment into typed sections, and reports all errors at once.

mod accounts;
mod addresses;
mod database;
#[cfg(test)]
mod generated;
mod legacy_sessions;
mod local_secret;
mod logging;
mod mail;
mod mail_templates;
mod passwords;
mod reader;
mod retention;
mod self_service;
mod server;
mod setting_error;
pub mod settings;
mod slack;
#[cfg(test)]
mod tests;
mod tokens;
mod values;
mod variables;
mod webhooks;

pub use accounts::Accounts;
pub use database::{Database, PostgresUrls};
pub use legacy_sessions::LegacySessions;
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
pub use webhooks::Webhooks;

use reader::Reader;
use setting_error::Problem;
use stored_passwords::Peppers;

use crate::domain::{Retention, SelfService};

/// In the working directory.
pub const ENV_FILE: &str = ".env";

/// The command that the settings are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `hallpass serve` and `hallpass migrate`.
    Serve,
    /// The other commands: as `Serve`, but they create no secret.
    Operator,
    /// `hallpass dev`: other defaults, and loopback addresses only.
    Dev,
}

#[derive(Debug, Clone)]
pub struct Config {
    pub server: Server,
    pub database: Database,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub accounts: Accounts,
    pub self_service: SelfService,
    /// `None` if sign-in with Slack is not configured.
    pub slack: Option<Slack>,
    pub mail: Mail,
    pub webhooks: Webhooks,
    /// `None` if no earlier system's sessions are exchanged.
    pub legacy_sessions: Option<LegacySessions>,
    pub retention: Retention,
    pub logging: Logging,
}

impl Config {
    /// Reads every setting. If `JWT_SECRET` is not set and need not be, reads a secret from the file next to
    /// the database, or creates it if there are no other errors and the mode allows it.
    ///
    /// # Errors
    /// All errors at once.
    pub fn read(environment: &dyn Environment, mode: Mode) -> Result<Self, SettingErrors> {
        Self::read_beside(environment, mode, None)
    }

    /// As [`read`](Self::read), beside a database that may need a secret, as a sentence says: none is created then.
    ///
    /// # Errors
    /// All errors at once.
    pub fn read_beside(
        environment: &dyn Environment,
        mode: Mode,
        needed: Option<String>,
    ) -> Result<Self, SettingErrors> {
        let mut reader = Reader::new(environment, mode);
        reader.needed_secret = needed;
        match Self::sections(&mut reader) {
            Some(config) if !reader.has_errors() => Ok(config),
            _ => Err(reader.into_errors()),
        }
    }

    /// Reads only the database setting, for commands that inspect. Creates nothing, and ignores all other settings.
    ///
    /// # Errors
    /// When the setting is not valid.
    pub fn read_database(
        environment: &dyn Environment,
        mode: Mode,
    ) -> Result<Database, SettingErrors> {
        let mut reader = Reader::new(environment, mode);
        match Database::read(&mut reader) {
            Some(database) if !reader.has_errors() => Ok(database),
            _ => Err(reader.into_errors()),
        }
    }

    /// Reads only the settings of the server, as [`read_database`](Self::read_database) does.
    ///
    /// # Errors
    /// When one of them is not valid.
    pub fn read_server(environment: &dyn Environment) -> Result<Server, SettingErrors> {
        let mut reader = Reader::new(environment, Mode::Serve);
        match Server::read(&mut reader) {
            Some(server) if !reader.has_errors() => Ok(server),
            _ => Err(reader.into_errors()),
        }
    }

    /// Reads only what signs and verifies tokens, and what that depends on, as the server has it. Creates no secret.
    ///
    /// # Errors
    /// When one of these settings is not valid, or there is no secret.
    pub fn read_tokens(environment: &dyn Environment) -> Result<Tokens, SettingErrors> {
        let mut reader = Reader::new(environment, Mode::Operator);
        let server = Server::read(&mut reader);
        let database = Database::read(&mut reader);
        match Tokens::read(&mut reader, server.as_ref(), database.as_ref()) {
            Some(tokens) if !reader.has_errors() => Ok(tokens),
            _ => Err(reader.into_errors()),
        }
    }

    /// Reads only the secrets of systems that people come from, for commands that inspect.
    ///
    /// # Errors
    /// When one of these settings is not valid.
    pub fn read_peppers(environment: &dyn Environment) -> Result<Peppers, SettingErrors> {
        let mut reader = Reader::new(environment, Mode::Serve);
        let peppers = passwords::peppers(&mut reader);
        if reader.has_errors() {
            return Err(reader.into_errors());
        }
        Ok(peppers)
    }

    /// Reads only what people may do without being asked, for commands that inspect.
    ///
    /// # Errors
    /// When one of these settings is not valid.
    pub fn read_self_service(environment: &dyn Environment) -> Result<SelfService, SettingErrors> {
        let mut reader = Reader::new(environment, Mode::Serve);
        match self_service::read(&mut reader) {
            Some(rules) if !reader.has_errors() => Ok(rules),
            _ => Err(reader.into_errors()),
        }
    }

    /// `None` only after an error.
    fn sections(reader: &mut Reader<'_>) -> Option<Self> {
        let server = Server::read(reader);
        let database = Database::read(reader);
        let passwords = Passwords::read(reader);
        let accounts = Accounts::read(reader, server.as_ref());
        let retention = retention::read(reader);
        let self_service = self_service::read(reader);
        let slack = Slack::read(reader, server.as_ref());
        let mail = Mail::read(reader);
        let webhooks = Webhooks::read(reader);
        let legacy_sessions = LegacySessions::read(reader);
        let logging = Logging::read(reader);
        if let Some(server) = &server {
            reject_exposed_development(reader, server);
        }
        let tokens = Tokens::read(reader, server.as_ref(), database.as_ref());
        Some(Self {
            server: server?,
            database: database?,
            tokens: tokens?,
            passwords: passwords?,
            accounts: accounts?,
            retention: retention?,
            self_service: self_service?,
            slack,
            mail: mail?,
            webhooks: webhooks?,
            legacy_sessions,
            logging: logging?,
        })
    }
}

/// The users that `hallpass dev` creates have a publicly known password.
fn reject_exposed_development(reader: &mut Reader<'_>, server: &Server) {
    if reader.mode != Mode::Dev {
        return;
    }
    let hint = "Do not set it, or use `hallpass serve`.";
    if !server.is_on_loopback() {
        let why = "`hallpass dev` only listens on loopback addresses.";
        reader.report(&settings::HOST, Problem::new(why, hint));
    }
    if server.public_url.scheme() == "https" {
        let why = "`hallpass dev` does not support an https URL.";
        reader.report(&settings::PUBLIC_URL, Problem::new(why, hint));
    }
}
