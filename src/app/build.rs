//! From settings to a program that is ready to run.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix_web::{HttpServer, web};
use secrecy::SecretString;

use super::{App, BuildError, Overrides};
use crate::adapters::{OsEntropy, SystemClock};
use crate::config::{Config, Database};
use crate::crypto::jwt::Rules;
use crate::crypto::keyring::Keyring;
use crate::domain::NewPasswordRules;
use crate::http;
use crate::service::hashing::Hashing;
use crate::service::judging::Judging;
use crate::service::{Passwords, Services, Tokens};
use crate::store::{Engine, Store, Target};

/// A request's head must be there by then.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// Longer than the idle time of common proxies, so that it is they who close a connection and not a
/// request that finds it closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Started requests may finish this long after the stop; with the drain before it, under ten seconds.
const SHUTDOWN_SECONDS: u64 = 8;

impl App {
    /// Opens the database, applies migrations, loads revocations, binds the port (0 picks a free one).
    ///
    /// # Errors
    /// Names what is missing and what to do about it.
    pub async fn build(config: Config, overrides: Overrides) -> Result<Self, BuildError> {
        let services = Arc::new(services(&config, overrides).await?);
        services
            .feed
            .refresh(&services.store)
            .await
            .map_err(BuildError::Database)?;

        let address = (config.server.host, config.server.port).into();
        let bind = |error| BuildError::Bind { address, error };
        let listener = TcpListener::bind(address).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let mut public_url = config.server.public_url;
        if public_url.port() == Some(0) {
            // A default made from `PORT=0`. An http URL with a host takes any port.
            let _ = public_url.set_port(Some(address.port()));
        }
        let settings = web::Data::new(http::Settings::new(
            public_url,
            &config.server.cors_allowed_origins,
            config.server.trusted_proxies,
        ));
        let data = web::Data::from(Arc::clone(&services));
        let server = HttpServer::new(move || http::app(data.clone(), settings.clone()))
            .keep_alive(KEEP_ALIVE)
            // Whoever hangs up wants no answer; what is computed for it is given up.
            .h1_allow_half_closed(false)
            .client_request_timeout(HEAD_DEADLINE)
            .client_disconnect_timeout(HEAD_DEADLINE)
            .shutdown_timeout(SHUTDOWN_SECONDS)
            .disable_signals()
            .listen(listener)?
            .run();
        Ok(Self {
            address,
            services,
            server,
        })
    }

    /// What the command line works with: no port, no background work.
    ///
    /// # Errors
    /// As `build`.
    pub async fn services_for_operator(config: &Config) -> Result<Services, BuildError> {
        services(config, Overrides::default()).await
    }

    /// Applies the migrations that are missing and returns their names.
    ///
    /// # Errors
    /// As `build`.
    pub async fn migrate(config: &Config) -> Result<Vec<String>, BuildError> {
        Ok(store(&config.database)?.migrate().await?)
    }
}

fn store(database: &Database) -> Result<Store, BuildError> {
    let engine = match database {
        Database::Sqlite { path } => Engine::Sqlite(path.clone()),
        Database::Postgres { url } => {
            Engine::Postgres(Target::parse(url).map_err(BuildError::DatabaseUrl)?)
        }
    };
    Ok(Store::start(engine)?)
}

async fn services(config: &Config, overrides: Overrides) -> Result<Services, BuildError> {
    let store = store(&config.database)?;
    for name in store.migrate().await? {
        tracing::info!(migration = name, "applied a migration");
    }
    let entropy = match overrides.entropy {
        Some(entropy) => entropy,
        None => Arc::new(OsEntropy::new()?),
    };
    let rules = Rules {
        issuer: config.tokens.issuer.clone(),
        audience: config.tokens.audience.clone(),
    };
    Ok(Services {
        store,
        clock: overrides.clock.unwrap_or_else(|| Arc::new(SystemClock)),
        tokens: Tokens::new(keyring(&config.tokens.secrets)?, rules),
        passwords: Passwords::new(
            NewPasswordRules {
                min_length: config.passwords.min_length,
            },
            config.passwords.bcrypt_cost,
            Hashing::start(config.passwords.hashing_threads)?,
            Judging::start()?,
            Arc::clone(&entropy),
        ),
        entropy,
        feed: Arc::default(),
        default_join_policy: config.accounts.default_join_policy,
        stopping: AtomicBool::new(false),
    })
}

/// The key ring of these secrets, newest first.
pub(super) fn keyring(secrets: &[SecretString]) -> Result<Keyring, BuildError> {
    Keyring::new(secrets).map_err(|error| BuildError::Secrets(error.to_string()))
}
