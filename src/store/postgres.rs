//! PostgreSQL: opens connections and detects closed ones.
//!
//! tokio-postgres with rustls needs no libpq. A connection belongs to one thread, and so does the small runtime that
//! drives it: a query wakes no other thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::dsl::{select, sql};
use diesel::sql_types::Bool;
use diesel::{QueryResult, RunQueryDsl as _};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::config::{LoadBalanceHosts, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::StoreError;
use super::pg_connection::PgConnection;
use super::pg_runtime::{block_on, set_driver};
use crate::domain::PostgresUrl;
use crate::domain::postgres_url::{PostgresHost, SessionAttributes};

/// For each host: TCP, TLS and authentication.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The server cancels a statement that takes longer, including the time it waits for locks.
const STATEMENT_TIMEOUT: &str =
    "-c statement_timeout=5s -c idle_in_transaction_session_timeout=15s";

/// After the options of the URL, which do not change it. The library asks for UTF-8 when it connects.
const TIME_ZONE: &str = "-c timezone=UTC";

/// After all other options. A migration takes as long as it needs, but while it waits for a lock, everyone who needs
/// the table waits behind it.
const MIGRATION_LIMITS: &str =
    "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c lock_timeout=2s";

/// A client and the connection that has to be polled for it.
type Raw = (
    tokio_postgres::Client,
    tokio_postgres::Connection<
        tokio_postgres::Socket,
        <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket>>::Stream,
    >,
);

/// The servers of the database and the certificates to trust. Making it does not connect.
#[derive(Clone)]
pub struct Target {
    /// In the order in which to try them. The library tries the hosts of each.
    servers: Vec<tokio_postgres::Config>,
    /// What to look for among them, one after the other: whether a server is in recovery, or `None` for any.
    wanted: &'static [Option<bool>],
    tls: MakeRustlsConnect,
    /// Connections for requests.
    pub(super) pool_size: usize,
}

impl Target {
    /// In addition to the parameters of tokio-postgres, libpq's `sslrootcert` names a PEM file of certificate
    /// authorities to trust instead of the public ones. `require`, `verify-ca` and `verify-full` all mean the same
    /// here: the certificate and its host name are verified. `pool_size` is the number of connections for requests.
    ///
    /// # Errors
    /// A sentence that does not contain the URL, which holds a password.
    pub fn new(url: &PostgresUrl, pool_size: usize) -> Result<Self, String> {
        let mut root_file = None;
        let mut parameters = String::new();
        for (key, value) in &url.parameters {
            let value = match (key.as_str(), value.as_str()) {
                ("sslrootcert", _) => {
                    root_file = Some(value.as_str());
                    continue;
                }
                ("sslmode", "verify-full" | "verify-ca") => "require",
                (_, value) => value,
            };
            let value = value.replace('\\', r"\\").replace('\'', r"\'");
            parameters.push_str(&format!("{key}='{value}' "));
        }
        let mut config: tokio_postgres::Config =
            parameters.parse().map_err(|error: tokio_postgres::Error| {
                match std::error::Error::source(&error) {
                    Some(source) => format!("{error}: {source}"),
                    None => error.to_string(),
                }
            })?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("hallpass");
        }
        let own = config.get_options().unwrap_or_default();
        let options = format!("{STATEMENT_TIMEOUT} {own} {TIME_ZONE}");
        config.options(options);
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(10));
        // The library looks for read-only servers; it does not know which one is a standby.
        let wanted: &[_] = match url.session_attributes {
            SessionAttributes::Any => &[None],
            SessionAttributes::ReadWrite => {
                config.target_session_attrs(TargetSessionAttrs::ReadWrite);
                &[None]
            }
            SessionAttributes::ReadOnly => {
                config.target_session_attrs(TargetSessionAttrs::ReadOnly);
                &[None]
            }
            SessionAttributes::Primary => &[Some(false)],
            SessionAttributes::Standby => &[Some(true)],
            SessionAttributes::PreferStandby => &[Some(true), None],
        };
        let servers = if wanted == [None] {
            vec![with_hosts(&config, &url.hosts)]
        } else if config.get_load_balance_hosts() == LoadBalanceHosts::Random {
            let why = "load_balance_hosts=random works only with target_session_attrs any, read-write and read-only";
            return Err(why.to_owned());
        } else {
            let servers = url.hosts.chunks(1);
            servers.map(|host| with_hosts(&config, host)).collect()
        };
        Ok(Self {
            servers,
            wanted,
            tls: MakeRustlsConnect::new(tls_config(root_file)?),
            pool_size,
        })
    }

    /// The same for migrations: statements without a limit. A server that is gone is noticed by TCP, in about a minute.
    pub(super) fn for_migrations(&self) -> Self {
        let mut target = self.clone();
        for server in &mut target.servers {
            let options = server.get_options().unwrap_or_default();
            server.options(format!("{options} {MIGRATION_LIMITS}"));
            server.keepalives_interval(Duration::from_secs(10));
            server.keepalives_retries(3);
        }
        target
    }

    /// A connection without Diesel, for `LISTEN`.
    pub(super) async fn connect_raw(&self) -> Result<Raw, StoreError> {
        let mut failure = None;
        for wanted in self.wanted {
            for server in &self.servers {
                // The timeout of the library covers only TCP: a server that hangs may accept the connection and send
                // nothing.
                let hosts = server.get_hosts().len().max(server.get_hostaddrs().len());
                let host_timeout = server.get_connect_timeout().unwrap_or(&CONNECT_TIMEOUT);
                let attempt = self.connect_to(server, *wanted);
                match timeout(*host_timeout * u32::try_from(hosts).unwrap_or(1), attempt).await {
                    Ok(Ok(connected)) => return Ok(connected),
                    Ok(Err(error)) => failure = Some(error),
                    Err(_) => {
                        failure = Some(refused("it accepts the connection but does not respond"));
                    }
                }
            }
        }
        Err(failure.unwrap_or_else(|| refused("the URL names no server")))
    }

    async fn connect_to(
        &self,
        server: &tokio_postgres::Config,
        wanted: Option<bool>,
    ) -> Result<Raw, StoreError> {
        let connected = server.connect(self.tls.clone()).await;
        let (client, mut connection) = connected.map_err(|error| unavailable(&error))?;
        if let Some(wanted) = wanted {
            let rows = tokio::select! {
                rows = client.simple_query("select pg_is_in_recovery()") => rows,
                _ = &mut connection => return Err(refused("it closes the connection")),
            };
            let rows = rows.map_err(|error| unavailable(&error))?;
            let is_in_recovery = rows.iter().any(|message| {
                matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("t"))
            });
            if is_in_recovery != wanted {
                let is = if wanted { "not a standby" } else { "a standby" };
                return Err(refused(&format!(
                    "it is {is}, and target_session_attrs asks for another"
                )));
            }
        }
        Ok((client, connection))
    }

    /// Connects, and drives the connection on this thread from now on.
    pub fn connect(&self) -> Result<(PgConnection, Liveness), StoreError> {
        block_on(async {
            let (client, connection) = self.connect_raw().await?;
            let liveness = Liveness::default();
            let at_end = MarkDead(Arc::clone(&liveness.dead));
            let driver = tokio::spawn(async move {
                let _at_end = at_end;
                // The next query reports the error; here only the end matters.
                let _ = connection.await;
            });
            set_driver(driver.abort_handle());
            Ok((PgConnection::new(client), liveness))
        })
    }
}

fn with_hosts(config: &tokio_postgres::Config, hosts: &[PostgresHost]) -> tokio_postgres::Config {
    let mut config = config.clone();
    for host in hosts {
        if !host.name.is_empty() {
            config.host(&host.name);
        }
        if let Some(address) = host.address {
            config.hostaddr(address);
        }
        config.port(host.port);
    }
    config
}

fn refused(why: &str) -> StoreError {
    StoreError::Unavailable(format!("cannot connect to PostgreSQL: {why}"))
}

fn unavailable(error: &tokio_postgres::Error) -> StoreError {
    let cause = match std::error::Error::source(error) {
        Some(source) => format!("cannot connect to PostgreSQL: {error}: {source}"),
        None => format!("cannot connect to PostgreSQL: {error}"),
    };
    if error.code() == Some(&SqlState::INVALID_CATALOG_NAME) {
        return StoreError::NoDatabase(cause);
    }
    StoreError::Unavailable(cause)
}

fn tls_config(root_file: Option<&str>) -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    match root_file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let unreadable = |error: &dyn std::fmt::Display| format!("sslrootcert {path}: {error}");
            for certificate in
                CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))?
            {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
            }
            if roots.is_empty() {
                return Err(unreadable(&"it contains no certificate"));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Whether a connection's socket is still open, as far as this thread's runtime has noticed.
#[derive(Default)]
#[expect(
    unnameable_types,
    reason = "it appears in public signatures, and only this folder uses it"
)]
pub struct Liveness {
    dead: Arc<AtomicBool>,
}

impl Liveness {
    /// Lets the runtime check the socket first: between two jobs it does not run, so it may not have noticed that the
    /// server closed the connection.
    pub fn is_dead(&self) -> bool {
        block_on(async {
            for _ in 0..2 {
                tokio::task::yield_now().await;
            }
        });
        self.dead.load(Ordering::Acquire)
    }
}

/// False on a standby, and where an administrator has set the database to read-only.
pub(super) fn takes_writes(connection: &mut PgConnection) -> QueryResult<bool> {
    let is_off = sql::<Bool>("current_setting('transaction_read_only') = 'off'");
    select(is_off).get_result(connection)
}

struct MarkDead(Arc<AtomicBool>);

impl Drop for MarkDead {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
