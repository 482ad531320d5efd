//! `hallpass dev`

use super::banner::banner;
use super::{Failure, operator, output, serve};
use crate::app::seed::seed;
use crate::app::{App, for_development};
use crate::config::{Mode, Variables};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass dev",
    "PORT=9000 hallpass dev",
    "rm hallpass-dev.db* && hallpass dev        start over",
);

pub(super) async fn run(variables: &Variables) -> Result<(), Failure> {
    let config = operator::read_settings(variables, Mode::Dev).await?;
    variables.warn_of_misspelt_names();
    let tokens = config.tokens.clone();
    let app = App::build(config, for_development()?).await?;
    let seeded = seed(app.services()).await?;
    output::print(&banner(&seeded, app.address()))?;
    serve::start(app, &tokens).await
}
