//! `hallpass serve`

use std::path::Path;

use super::{Failure, operator};
use crate::app::{App, Overrides, raise_limit_of_open_files};
use crate::config::{ENV_FILE, Mode, Tokens, Variables};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass serve",
    "JWT_SECRET_FILE=/run/secrets/jwt DATABASE_URL=postgres://hallpass@db/hallpass hallpass serve",
    "PORT=9000 hallpass serve",
    "kill -HUP $PID        reload the secrets and keys that sign",
    "kill -TERM $PID       drain for DRAIN_TIME, finish running requests, then stop",
);

pub(super) async fn run(variables: &Variables) -> Result<(), Failure> {
    let config = operator::read_settings(variables, Mode::Serve).await?;
    variables.warn_of_misspelt_names();
    let tokens = config.tokens.clone();
    start(App::build(config, Overrides::default()).await?, &tokens).await
}

/// Serves until a signal stops the server.
pub(super) async fn start(app: App, tokens: &Tokens) -> Result<(), Failure> {
    raise_limit_of_open_files();
    tracing::info!(address = %app.address(), "listening");
    let reread = || {
        let variables = Variables::load(Path::new(ENV_FILE))?;
        tokens.reread(&variables)
    };
    app.run_until_signalled(reread)
        .await
        .map_err(|error| Failure::Failed(format!("the listener failed: {error}")))
}
