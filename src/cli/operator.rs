//! What the operator's commands need: settings, logging and the database.

use super::{Failure, logging};
use crate::app::App;
use crate::config::{Config, Mode, Variables};
use crate::service::Services;

/// Opens the database.
pub(super) async fn open(variables: &Variables) -> Result<Services, Failure> {
    let config = read_settings(variables)?;
    Ok(App::services_for_operator(&config).await?)
}

/// Reads the settings and starts logging.
pub(super) fn read_settings(variables: &Variables) -> Result<Config, Failure> {
    let config = Config::read(&|name| variables.get(name), Mode::Serve)?;
    logging::start(&config.logging);
    Ok(config)
}
