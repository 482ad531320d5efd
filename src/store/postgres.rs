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

/// Seconds after which the server cancels a statement, including the time it waits for locks, and ends a transaction
/// that is idle.
const LIMITS: [(&str, u8); 2] = [
    ("statement_timeout", 5),
    ("idle_in_transaction_session_timeout", 15),
];

/// After the options of the URL, which do not change it. The library asks for UTF-8 when it connects.
const TIME_ZONE: &str = "-c timezone=UTC";

/// After all other options. A migration takes as long as it needs, but while it waits for a lock, everyone who needs
/// the table waits behind it. The last one is for [`LACKS_OPTIONS`].
const MIGRATION_OPTIONS: &str = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c lock_timeout=2s \
                                 -c hallpass.options=kept";

/// A pooler may have been told to drop the options. Asked once at every start, before the migrations.
const LACKS_OPTIONS: &str =
    "select 1 where current_setting('hallpass.options', true) is distinct from 'kept'";

/// A client and the connection that has to be polled for it.
type Raw = (
    tokio_postgres::Client,
    tokio_postgres::Connection<
        tokio_postgres::Socket,
        <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket>>::Stream,
    >,
);

/// The database by its addresses. Making it does not connect.
#[derive(Clone)]
pub struct Addresses {
    /// Units of work.
    pub(super) requests: Target,
    /// What belongs to one connection: `LISTEN`, the feed, migrations.
    pub(super) direct: Target,
    /// Lists, where a standby is to answer them.
    pub(super) standby: Option<Target>,
    /// Connections for requests.
    pub(super) pool_size: usize,
}

impl Addresses {
    /// `pool_size` is the number of connections for requests. Without a `direct` target, all are made as they are.
    pub fn new(requests: Target, direct: Option<Target>, pool_size: usize) -> Self {
        Self {
            direct: direct.unwrap_or_else(|| requests.clone()),
            requests,
            standby: None,
            pool_size,
        }
    }

    /// Has lists read at a standby.
    #[must_use]
    pub fn with_standby(self, standby: Option<Target>) -> Self {
        Self { standby, ..self }
    }

    pub(super) fn is_pooled(&self) -> bool {
        self.requests.route == Route::Pooler
    }
}

/// The setting that an address is from, which says what is on the way to PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `DATABASE_URL`, to PostgreSQL itself.
    Only,
    /// `DATABASE_URL` beside a `DATABASE_DIRECT_URL`, through a pooler. It carries no startup options, and it may give
    /// each transaction another connection, so that nothing may be left on one: no settings, no prepared statements.
    Pooler,
    /// `DATABASE_DIRECT_URL`, to PostgreSQL itself.
    Direct,
    /// `DATABASE_READ_URL`, to a standby itself.
    Standby,
}

impl Route {
    /// The setting.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Only | Self::Pooler => "DATABASE_URL",
            Self::Direct => "DATABASE_DIRECT_URL",
            Self::Standby => "DATABASE_READ_URL",
        }
    }

    /// What to do when startup options do not reach PostgreSQL.
    fn without_options(self) -> StoreError {
        let setting = self.setting();
        StoreError::Unsuitable(match self {
            Self::Only => format!(
                "{setting} leads to a connection pooler, which does not pass startup options on: set \
                 DATABASE_DIRECT_URL to the address of PostgreSQL itself"
            ),
            Self::Direct | Self::Standby => format!(
                "{setting} leads to a connection pooler, which does not pass startup options on: set it to the \
                 address of PostgreSQL itself"
            ),
            Self::Pooler => format!(
                "the connection pooler of {setting} refuses a parameter of the URL: remove `options` from it, and \
                 set them for the role with `alter role … set …`"
            ),
        })
    }
}

/// A query that answers, for each limit that the connection lacks, with the statement that sets it for the role.
fn missing_limits() -> String {
    let limits = LIMITS.map(|(name, seconds)| format!("('{name}', {seconds})"));
    format!(
        "select format('alter role %I in database %I set %s = %L', session_user, current_database(), name, most || 's')
         from (values {}) as limits (name, most) join pg_settings using (name)
         where setting::int not between 1 and most * 1000 order by most",
        limits.join(", ")
    )
}

/// The servers of an address and the certificates to trust.
#[derive(Clone)]
pub struct Target {
    route: Route,
    /// A query for each new connection; its rows say what is wrong with it.
    question: Option<String>,
    /// In the order in which to try them. The library tries the hosts of each.
    servers: Vec<tokio_postgres::Config>,
    /// What to look for among them, one after the other: whether a server is in recovery, or `None` for any.
    wanted: &'static [Option<bool>],
    tls: MakeRustlsConnect,
}

impl Target {
    /// In addition to the parameters of tokio-postgres, libpq's `sslrootcert` names a PEM file of certificate
    /// authorities to trust instead of the public ones. `require`, `verify-ca` and `verify-full` all mean the same
    /// here: the certificate and its host name are verified.
    ///
    /// # Errors
    /// A sentence that does not contain the URL, which holds a password.
    pub fn new(url: &PostgresUrl, route: Route) -> Result<Self, String> {
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
        if route != Route::Pooler {
            let limits = LIMITS.map(|(name, seconds)| format!("-c {name}={seconds}s"));
            let own = config.get_options().unwrap_or_default();
            let options = format!("{} {own} {TIME_ZONE}", limits.join(" "));
            config.options(options);
        }
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
            route,
            question: (route == Route::Pooler).then(missing_limits),
            servers,
            wanted,
            tls: MakeRustlsConnect::new(tls_config(root_file)?),
        })
    }

    /// The same for migrations: statements without a limit. A server that is gone is noticed by TCP, in about a minute.
    pub(super) fn for_migrations(&self) -> Self {
        let mut target = self.clone();
        target.question = Some(LACKS_OPTIONS.to_owned());
        for server in &mut target.servers {
            let options = server.get_options().unwrap_or_default();
            server.options(format!("{options} {MIGRATION_OPTIONS}"));
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
        let mut raw = match server.connect(self.tls.clone()).await {
            Ok(raw) => raw,
            Err(error) if is_without_options(&error) => return Err(self.route.without_options()),
            Err(error) => return Err(unavailable(&error)),
        };
        if let Some(wanted) = wanted {
            let is_in_recovery = ask(&mut raw, "select pg_is_in_recovery()").await? == ["t"];
            if is_in_recovery != wanted {
                let is = if wanted { "not a standby" } else { "a standby" };
                return Err(refused(&format!(
                    "it is {is}, and target_session_attrs asks for another"
                )));
            }
        }
        if let Some(question) = &self.question {
            let faults = ask(&mut raw, question).await?;
            if !faults.is_empty() {
                return Err(match self.route {
                    Route::Pooler => without_limits(&faults),
                    route => route.without_options(),
                });
            }
        }
        Ok(raw)
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
            Ok((self.connection(client), liveness))
        })
    }

    pub(super) fn connection(&self, client: tokio_postgres::Client) -> PgConnection {
        match self.route {
            Route::Pooler => PgConnection::of_a_pooler(client),
            Route::Only | Route::Direct | Route::Standby => PgConnection::new(client),
        }
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

/// The first column of each row, on a connection that nothing drives yet.
async fn ask((client, connection): &mut Raw, query: &str) -> Result<Vec<String>, StoreError> {
    let rows = tokio::select! {
        rows = client.simple_query(query) => rows,
        _ = connection => return Err(refused("it closes the connection")),
    };
    let rows = rows.map_err(|error| unavailable(&error))?;
    let texts = rows.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(texts.collect())
}

/// Whether PgBouncer refuses the connection because of its options. Its messages are not translated
/// (<https://www.pgbouncer.org/config.html#ignore_startup_parameters>).
fn is_without_options(error: &tokio_postgres::Error) -> bool {
    let refusal = error.as_db_error();
    refusal.is_some_and(|refusal| {
        *refusal.code() == SqlState::PROTOCOL_VIOLATION
            && refusal.message().contains("startup parameter")
    })
}

fn without_limits(statements: &[String]) -> StoreError {
    StoreError::Unsuitable(format!(
        "the server does not limit statements that come through the connection pooler of DATABASE_URL: run `{}`, and \
         `RECONNECT` in the console of PgBouncer",
        statements.join("; ")
    ))
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

/// Encrypts the connection to a database that is not ours, whose certificate must be one that browsers trust.
///
/// # Errors
/// Never with the cryptography that is compiled in.
pub fn foreign_tls() -> Result<MakeRustlsConnect, String> {
    tls_config(None).map(MakeRustlsConnect::new)
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
