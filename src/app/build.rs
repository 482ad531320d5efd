//! Builds the application from the settings.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::{HttpServer, web};
use chrono::{DateTime, Utc};
use stored_passwords::Peppers;
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

use super::listen::listen;
use super::server::server;
use super::{App, BuildError, Overrides};
use crate::adapters::smtp::{Smtp, Timeouts};
use crate::adapters::{self, OsEntropy, SystemClock};
use crate::config::{self, Config, Database, PostgresUrls};
use crate::crypto::decoys::DecoyKey;
use crate::crypto::jwt::Rules;
use crate::crypto::keyring::Keyring;
use crate::crypto::legacy_session::Reader;
use crate::crypto::token_keys::TokenKeys;
use crate::domain::{
    MailServer, MailTls, NewPasswordRules, ReservedSlugs, TokenDelivery, lifetimes,
};
use crate::http;
use crate::ports::{Clock as _, Mailer, WebhookSender};
use crate::sandbox::mailbox::Mailbox;
use crate::service;
use crate::service::hashing::Hashing;
use crate::service::hashing::passwords::PasswordsParts;
use crate::service::hashing::strength_worker::StrengthWorker;
use crate::service::mail::{self, Backlog};
use crate::service::operations::keys::{Lost, lost, needed_keys};
use crate::service::operations::maintenance::read_changes;
use crate::service::operations::operator::count_open_organizations;
use crate::service::{
    ExternalIdClaim, LegacySessions, Limits, MailTransport, Passwords, Services, ServicesParts,
    Slack, Tokens, count_unusable,
};
use crate::store::backup::somebody;
use crate::store::{Addresses, Engine, PlannedMigration, Requester, Route, Store, Target, Tx};

/// What `hallpass doctor` reports about a database.
pub struct Inspection {
    pub mail: Backlog,
    /// What no key opens or verifies; `None` if the keys are not known, or the schema is older.
    pub lost: Option<Lost>,
    /// How many organizations anyone who knows their id may join.
    pub open_organizations: i64,
    /// How many passwords none can be compared with.
    pub unusable_passwords: u64,
}

impl App {
    /// Opens the database, applies migrations, loads revocations, binds the port (0 picks a free one).
    ///
    /// # Errors
    /// Says what is wrong and how to fix it.
    pub async fn build(config: Config, overrides: Overrides) -> Result<Self, BuildError> {
        let sandbox = overrides.slack_sandbox.clone();
        let mailbox = overrides.mailbox.clone();
        let is_development = overrides.is_development;
        let mut parts = services_parts(&config, overrides).await?;

        if !config.server.rate_limits && !config.server.is_on_loopback() {
            tracing::warn!(
                "RATE_LIMITS=off: password guessing is not limited, unless a proxy limits it"
            );
        }
        if let Some(warning) = config.tokens.warning() {
            tracing::warn!("{warning}");
        }
        // It is not negative.
        let drain_time = config.server.drain_time.span().to_std().unwrap_or_default();
        let address = (config.server.host, config.server.port).into();
        let bind = |error| BuildError::Bind { address, error };
        let listener = listen(address).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let mut public_url = config.server.public_url;
        let mut app_url = config.accounts.app_url;
        for url in [&mut public_url, &mut app_url] {
            if url.port() == Some(0) {
                // A default derived from `PORT=0`. Setting the port cannot fail for an http URL with a host.
                let _ = url.set_port(Some(address.port()));
            }
        }
        let token_delivery = config
            .slack
            .as_ref()
            .map_or(TokenDelivery::Fragment, |slack| slack.token_delivery);
        if let Some(slack) = config.slack {
            if parts.return_urls.is_empty() {
                tracing::warn!(
                    "ALLOWED_RETURN_URLS is empty: sign-in with Slack cannot return to any application"
                );
            }
            parts.slack = Some(self::slack(slack, &public_url, address.port())?);
        }
        // With a mail server, e-mails go there instead.
        let mailbox = mailbox.filter(|_| config.mail.server.is_none());
        parts.mail_transport = mail_transport(config.mail, mailbox.clone(), app_url.clone())?;
        parts.legacy_sessions = match config.legacy_sessions {
            None => None,
            Some(legacy) => Some(legacy_sessions(legacy, parts.clock.now())?),
        };
        for entry in &mut parts.return_urls {
            *entry = entry.with_real_port(address.port());
        }
        let services = Arc::new(Services::new(parts));
        read_changes(&services).await?;
        let mut settings = http::Settings::new(
            public_url,
            app_url,
            &config.server.cors_allowed_origins,
            config.server.trusted_proxies,
            token_delivery,
            config.accounts.tenant_domain,
            config.server.security_contacts,
        )
        .reading(config.server.proxy_header);
        if is_development {
            settings = settings.for_development();
        }
        if let Some(sandbox) = &sandbox {
            sandbox.set_redirect_uris(vec![settings.slack_callback_url()]);
        }
        let settings = web::Data::new(settings);
        let data = web::Data::from(Arc::clone(&services));
        let server = server(listener, move || {
            let (sandbox, mailbox) = (sandbox.clone(), mailbox.clone());
            http::app(data.clone(), settings.clone(), move |config| {
                if let Some(mailbox) = mailbox {
                    mailbox.configure(config);
                }
                if let Some(sandbox) = sandbox {
                    sandbox.configure(config);
                    http::demo::configure(config);
                }
            })
        })?;
        let metrics = match config.server.metrics_addr {
            None => None,
            Some(address) => Some(metrics(address, Arc::clone(&services))?),
        };
        Ok(Self {
            address,
            services,
            server,
            metrics,
            drain_time,
            remembered_tokens: config.accounts.people_cache_size,
        })
    }

    /// Checks that a database exists, and creates nothing.
    ///
    /// # Errors
    /// `NoDatabase`, also for a database without our tables; or when it is unreachable.
    pub async fn expect_database(database: &Database) -> Result<(), BuildError> {
        match store(database)?.exists().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(BuildError::NoDatabase(database.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// The services for the command line, without a port and without background work.
    ///
    /// # Errors
    /// As `build`.
    pub async fn services_for_operator(config: &Config) -> Result<Services, BuildError> {
        services_parts(config, Overrides::default())
            .await
            .map(Services::new)
    }

    /// Encrypts connections to databases of other systems.
    ///
    /// # Errors
    /// Never with the cryptography that is compiled in.
    pub fn foreign_tls() -> Result<MakeRustlsConnect, BuildError> {
        crate::store::foreign_tls().map_err(BuildError::Tls)
    }

    /// Inspects a database before `serve` uses it; `None` if it does not exist yet. Neither creates nor migrates it.
    ///
    /// # Errors
    /// When the database is unreachable or has an unexpected schema.
    pub async fn inspect(
        database: &Database,
        tokens: Option<&config::Tokens>,
        peppers: &Peppers,
    ) -> Result<Option<Inspection>, BuildError> {
        match Self::expect_database(database).await {
            Err(BuildError::NoDatabase(_)) => return Ok(None),
            checked => checked?,
        }
        let store = store(database)?;
        let is_current = matches!(store.pending_migrations().await.as_deref(), Ok([]));
        let store = service::Database::new(store);
        let lost = match tokens.filter(|_| is_current) {
            Some(tokens) => Some(lost(&store, &token_keys(tokens, 0)?, SystemClock.now()).await?),
            None => None,
        };
        let mail = mail::backlog(&store, SystemClock.now()).await;
        let open_organizations = count_open_organizations(&store).await;
        let unusable_passwords = count_unusable(&store, peppers).await;
        Ok(Some(Inspection {
            mail: mail?,
            lost,
            open_organizations: open_organizations?,
            unusable_passwords: unusable_passwords?,
        }))
    }

    /// What a SQLite database needs that only its secret opens or verifies, as part of a sentence; `None` if it needs
    /// none, or cannot be read, which later steps report.
    pub async fn needs_a_secret(database: &Database) -> Option<String> {
        let Database::Sqlite { .. } = database else {
            return None;
        };
        let store = store(database).ok()?;
        if !store.exists().await.ok()? {
            return None;
        }
        let pending = store.pending_migrations().await.ok()?;
        let store = service::Database::new(store);
        if !pending.is_empty() {
            // What it needs is noted only from the next start on.
            let read = |tx: &mut Tx<'_>| somebody(tx);
            let somebody = store.read(Requester::OPERATOR, read).await.ok()?;
            return somebody.map(|_| format!("{database} has people who use the old one"));
        }
        let keys = needed_keys(&store, SystemClock.now()).await.ok()?;
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        (!keys.is_empty()).then(|| format!("{database} needs {}", keys.join(", ")))
    }

    /// What [`migrate`](Self::migrate) would do to the database.
    ///
    /// # Errors
    /// As `build`.
    pub async fn plan_migrations(config: &Config) -> Result<Vec<PlannedMigration>, BuildError> {
        Ok(store(&config.database)?.plan().await?)
    }

    /// Applies the missing migrations and returns their names.
    ///
    /// # Errors
    /// As `build`.
    pub async fn migrate(config: &Config) -> Result<Vec<String>, BuildError> {
        Ok(store(&config.database)?.migrate().await?)
    }
}

/// The listener for metrics, separate so that it need not be public.
fn metrics(address: SocketAddr, services: Arc<Services>) -> Result<Server, BuildError> {
    let listener =
        TcpListener::bind(address).map_err(|error| BuildError::Bind { address, error })?;
    let data = web::Data::from(services);
    Ok(HttpServer::new(move || {
        actix_web::App::new()
            .app_data(data.clone())
            .configure(http::metrics::configure)
    })
    .workers(1)
    .disable_signals()
    .listen(listener)?
    .run())
}

pub(super) fn store(database: &Database) -> Result<Store, BuildError> {
    let engine = match database {
        Database::Sqlite { path } => Engine::Sqlite(path.clone()),
        Database::Postgres(urls) => Engine::Postgres(addresses(urls)?),
    };
    Ok(Store::start(engine)?)
}

fn addresses(urls: &PostgresUrls) -> Result<Addresses, BuildError> {
    let target = |url, route: Route| {
        let setting = route.setting();
        Target::new(url, route).map_err(|why| BuildError::DatabaseUrl { setting, why })
    };
    let (requests, direct) = match &urls.direct {
        None => (target(&urls.requests, Route::Only)?, None),
        Some(direct) => (
            target(&urls.requests, Route::Pooler)?,
            Some(target(direct, Route::Direct)?),
        ),
    };
    let standby = urls.standby.as_ref();
    let standby = standby.map(|url| target(url, Route::Standby)).transpose()?;
    Ok(Addresses::new(requests, direct, urls.pool_size).with_standby(standby))
}

async fn services_parts(
    config: &Config,
    overrides: Overrides,
) -> Result<ServicesParts, BuildError> {
    let store = store(&config.database)?;
    store.expect_connections().await?;
    for name in store.migrate().await? {
        tracing::info!(migration = name, "applied a migration");
    }
    let entropy = match overrides.entropy {
        Some(entropy) => entropy,
        None => Arc::new(OsEntropy::new()?),
    };
    let external_ids = if config.tokens.external_id {
        ExternalIdClaim::Present
    } else {
        ExternalIdClaim::Absent
    };
    let keys = token_keys(&config.tokens, config.accounts.people_cache_size)?;
    let decoy_key = DecoyKey::new(keys.secrets());
    Ok(ServicesParts {
        store: service::Database::new(store),
        clock: overrides.clock.unwrap_or_else(|| Arc::new(SystemClock)),
        tokens: Tokens::new(keys, rules(&config.tokens), external_ids),
        passwords: Passwords::new(PasswordsParts {
            rules: NewPasswordRules {
                min_length: config.passwords.min_length,
                min_guesses: config.passwords.min_guesses,
            },
            cost: config.passwords.bcrypt_cost,
            peppers: config.passwords.peppers.clone(),
            decoy_key,
            hashing: Hashing::start(config.passwords.hashing_threads)?,
            judging: StrengthWorker::start()?,
            entropy: Arc::clone(&entropy),
        }),
        entropy,
        limits: Limits::new(config.server.rate_limits),
        default_join_policy: config.accounts.default_join_policy,
        self_service: Arc::new(config.self_service.clone()),
        reserved_slugs: reserved_slugs(config),
        require_verified_email: config.accounts.require_verified_email,
        sessions_per_user: config.accounts.sessions_per_user,
        people_cache_size: config.accounts.people_cache_size,
        lifetimes: config.tokens.lifetimes,
        retention: config.retention,
        return_urls: config.accounts.allowed_return_urls.clone(),
        slack: None,
        mail_transport: None,
        webhook_sender: webhook_sender(config.webhooks)?,
        legacy_sessions: None,
    })
}

/// # Errors
/// When they would be exchanged for too long.
fn legacy_sessions(
    config: config::LegacySessions,
    now: DateTime<Utc>,
) -> Result<LegacySessions, BuildError> {
    let (until, latest) = (config.until, now + lifetimes::LEGACY_SESSIONS);
    if until > latest {
        return Err(BuildError::LegacySessionsTooLong { until, latest });
    }
    if let Some(warning) = config.warning() {
        tracing::warn!("{warning}");
    }
    if until <= now {
        tracing::warn!(
            "LEGACY_SESSION_UNTIL has passed: sessions of the earlier system are no longer exchanged. Remove the \
             LEGACY_SESSION settings"
        );
    }
    Ok(LegacySessions {
        reader: Reader::new(config.format, &config.secrets, config.cookie.as_deref())
            .of_issuer(config.issuer),
        source: config.source,
        until,
        cut_over: config.cut_over,
    })
}

/// What tokens say of their issuer and audience.
pub(super) fn rules(tokens: &config::Tokens) -> Rules {
    Rules {
        issuer: tokens.issuer.clone(),
        audience: tokens.audience.clone(),
    }
}

fn webhook_sender(config: config::Webhooks) -> Result<Arc<dyn WebhookSender>, BuildError> {
    let sender = adapters::webhooks::Webhooks::new(config.allow_private);
    Ok(Arc::new(sender.map_err(BuildError::Tls)?))
}

fn reserved_slugs(config: &Config) -> ReservedSlugs {
    let applications = config.server.cors_allowed_origins.iter();
    let applications: Vec<Url> = applications
        .filter_map(|origin| Url::parse(origin).ok())
        .collect();
    let own = [&config.server.public_url, &config.accounts.app_url];
    ReservedSlugs::new(
        config.accounts.tenant_domain.as_deref(),
        own.into_iter().chain(&applications),
    )
}

/// The Slack client, or a client of the sandbox on our own `port`.
fn slack(config: config::Slack, public_url: &Url, port: u16) -> Result<Slack, BuildError> {
    if config.token_delivery == TokenDelivery::Query {
        tracing::warn!(
            "SLACK_TOKEN_DELIVERY=query puts tokens into URLs, which proxies log and browsers remember"
        );
    }
    let mut base_url = config.base_url;
    if public_url.scheme() != "https" && base_url.host_str() == Some("slack.com") {
        tracing::warn!(
            %public_url,
            "PUBLIC_URL is not https: Slack does not redirect to such a URL, so sign-in with Slack will fail"
        );
    }
    if base_url.port() == Some(0) {
        let _ = base_url.set_port(Some(port));
    }
    let api = adapters::slack::Slack::new(
        config.client_id,
        config.client_secret,
        config.flow,
        base_url,
    )
    .map_err(BuildError::Tls)?;
    Ok(Slack {
        api: Arc::new(api),
        allow_guests: config.allow_guests,
        first_user_role: config.first_user_role,
    })
}

/// The mail server, or else the development mailbox; `None` if there is neither.
fn mail_transport(
    mail: config::Mail,
    mailbox: Option<Mailbox>,
    app_url: Url,
) -> Result<Option<MailTransport>, BuildError> {
    let mailer: Option<Arc<dyn Mailer>> = match (mail.server, mailbox) {
        (Some(server), _) => Some(Arc::new(smtp(server, &app_url)?)),
        (None, Some(mailbox)) => Some(Arc::new(mailbox)),
        (None, None) => {
            tracing::warn!("SMTP_URL is not set: e-mails wait until it is");
            None
        }
    };
    Ok(mailer
        .zip(mail.sender)
        .map(|(mailer, sender)| MailTransport {
            mailer,
            templates: mail.templates,
            app_url,
            sender,
        }))
}

fn smtp(server: MailServer, app_url: &Url) -> Result<Smtp, BuildError> {
    let can_be_read = matches!(server.tls, MailTls::WhenOffered | MailTls::Never);
    if can_be_read && !server.is_on_loopback() {
        tracing::warn!(
            "SMTP_URL does not require TLS: others on the network could read the links in e-mails"
        );
    }
    Smtp::new(server, app_url, Timeouts::default()).map_err(BuildError::MailServer)
}

/// Remembers at most `remembered` tokens that a signing key has signed.
pub(super) fn token_keys(
    tokens: &config::Tokens,
    remembered: u32,
) -> Result<TokenKeys, BuildError> {
    let secrets =
        Keyring::new(&tokens.secrets).map_err(|error| BuildError::Secrets(error.to_string()))?;
    Ok(TokenKeys::new(
        secrets,
        tokens.signing.clone(),
        remembered as usize,
    ))
}
