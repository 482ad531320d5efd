//! The installed PgBouncer, in front of a PostgreSQL cluster of the tests.

use super::Db;
use super::cluster::free_port;
use super::kept::{Kept, RunBy, installed};

/// A pooler of our own. It stops, and its files are deleted, when this value or this process ends.
pub struct PgBouncer {
    port: u16,
    _program: Kept,
}

impl PgBouncer {
    /// Starts one in front of the server of this database, with these lines in its section `[pgbouncer]`. `None`
    /// without PgBouncer, with a message.
    ///
    /// # Panics
    /// Without PgBouncer when `CI=true`, where a skipped test is a failure.
    pub async fn start(db: &Db, lines: &str) -> Option<Self> {
        let install = "install it, e.g. apt-get install pgbouncer";
        let program = installed("pgbouncer", &["/usr/sbin"], install)?;
        let (server, port) = (port_of(db), free_port());
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={server} user=postgres\n\
             [pgbouncer]\n{lines}\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\nadmin_users = postgres\n"
        );
        let arguments = |file: &std::path::Path| vec![file.display().to_string()];
        let file = ("pgbouncer.ini", settings.as_str());
        let program = Kept::start((&program, RunBy::SomebodyElse), file, arguments, port).await;
        Some(Self {
            port,
            _program: program,
        })
    }

    /// The URL of this database through the pooler.
    pub fn url(&self, db: &Db) -> String {
        db.url()
            .replace(&format!(":{}/", port_of(db)), &format!(":{}/", self.port))
    }

    /// Has it open new connections to the server, which take the settings of the role as they are now.
    pub async fn reconnect(&self) {
        let console = format!("postgres://postgres@127.0.0.1:{}/pgbouncer", self.port);
        Db::Postgres { url: console }.execute("RECONNECT").await;
    }
}

fn port_of(db: &Db) -> u16 {
    url::Url::parse(&db.url()).unwrap().port().unwrap()
}
