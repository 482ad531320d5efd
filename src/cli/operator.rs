//! What the operator's commands need: settings, logging and the database.

use stored_passwords::Peppers;
use url::Url;

use super::{Failure, logging, output};
use crate::app::App;
use crate::config::{Config, Mode, Variables};
use crate::service::{RequestContext, Services};

/// What the operator's commands work with.
pub(super) struct Console {
    pub services: Services,
    pub context: RequestContext,
    /// Where links point.
    pub app_url: Url,
    pub bcrypt_cost: u32,
    /// Secrets of other systems.
    pub peppers: Peppers,
    /// Whether running servers send e-mails.
    pub sends_email: bool,
}

impl Console {
    /// Opens the database, which must exist, and names it on standard error.
    ///
    /// # Errors
    /// Those of the settings; when there is no database, or none that answers.
    pub(super) async fn open(variables: &Variables) -> Result<Self, Failure> {
        // First, so that nothing is created in a wrong directory. An error in the setting is reported below.
        if let Ok(database) = Config::read_database(variables, Mode::Operator) {
            App::expect_database(&database).await?;
        }
        let config = read_settings(variables, Mode::Operator).await?;
        output::note(&format!("database: {}", config.database));
        let services = App::services_for_operator(&config).await?;
        Ok(Self {
            context: RequestContext::command_line(&services),
            services,
            app_url: config.accounts.app_url,
            bcrypt_cost: config.passwords.bcrypt_cost,
            peppers: config.passwords.peppers,
            sends_email: config.mail.server.is_some(),
        })
    }
}

/// Reads the settings and starts logging. No secret is generated beside a database that needs another.
pub(super) async fn read_settings(variables: &Variables, mode: Mode) -> Result<Config, Failure> {
    let needed = match Config::read_database(variables, mode) {
        Ok(database) => App::needs_a_secret(&database).await,
        Err(_) => None,
    };
    let config = Config::read_beside(variables, mode, needed)?;
    logging::start(&config.logging);
    Ok(config)
}
