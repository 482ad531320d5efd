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
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::StoreError;
use super::pg_connection::PgConnection;
use super::pg_runtime::{block_on, set_driver};

/// For each host: TCP, TLS and authentication.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The server cancels a statement that takes longer, including the time it waits for locks.
const STATEMENT_TIMEOUT: &str =
    "-c statement_timeout=5s -c idle_in_transaction_session_timeout=15s";

/// After the options of the URL, which do not change it. The library asks for UTF-8 when it connects.
const TIME_ZONE: &str = "-c timezone=UTC";

/// The address of the database and the certificates to trust. Parsing it does not connect.
#[derive(Clone)]
pub struct Target {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
}

impl Target {
    /// Parses a `postgres://` URL. In addition to the parameters of tokio-postgres, libpq's `sslrootcert` names a PEM
    /// file of certificate authorities to trust instead of the public ones. `require`, `verify-ca` and `verify-full`
    /// all mean the same here: the certificate and its host name are verified.
    ///
    /// # Errors
    /// A sentence that does not contain the URL, which holds a password.
    pub fn parse(url: &SecretString) -> Result<Self, String> {
        let mut url = url::Url::parse(url.expose_secret()).map_err(|error| error.to_string())?;
        let mut root_file = None;
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .into_owned()
            .filter_map(|(key, value)| match (key.as_str(), value.as_str()) {
                ("sslrootcert", _) => {
                    root_file = Some(value);
                    None
                }
                ("sslmode", "verify-full" | "verify-ca") => Some((key, "require".to_owned())),
                _ => Some((key, value)),
            })
            .collect();
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(kept);
            // Ours writes blanks as plus signs, which the library's parser leaves as they are.
            let query = url.query().map(|query| query.replace('+', "%20"));
            url.set_query(query.as_deref());
        }
        let mut config: tokio_postgres::Config =
            url.as_str()
                .parse()
                .map_err(|error: tokio_postgres::Error| {
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
        Ok(Self {
            config,
            tls: MakeRustlsConnect::new(tls_config(root_file.as_deref())?),
        })
    }

    /// A connection without Diesel, for `LISTEN`.
    pub(super) async fn connect_raw(
        &self,
    ) -> Result<
        (
            tokio_postgres::Client,
            tokio_postgres::Connection<
                tokio_postgres::Socket,
                <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<
                    tokio_postgres::Socket,
                >>::Stream,
            >,
        ),
        StoreError,
    > {
        // The timeout of the library covers only TCP: a server that hangs may accept the connection and send nothing.
        let hosts = u32::try_from(self.config.get_hosts().len()).unwrap_or(1);
        let host_timeout = self
            .config
            .get_connect_timeout()
            .unwrap_or(&CONNECT_TIMEOUT);
        match timeout(
            *host_timeout * hosts.max(1),
            self.config.connect(self.tls.clone()),
        )
        .await
        {
            Ok(connected) => connected.map_err(|error| unavailable(&error)),
            Err(_) => Err(StoreError::Unavailable(
                "cannot connect to PostgreSQL: it accepts the connection but does not respond"
                    .to_owned(),
            )),
        }
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
