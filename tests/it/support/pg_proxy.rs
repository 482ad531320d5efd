//! A proxy in front of PostgreSQL that reads the protocol and counts what clients send
//! (<https://www.postgresql.org/docs/current/protocol-message-formats.html>).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::database::Db;

/// The code of a request for TLS, which is refused.
const SSL_REQUEST: u32 = 80_877_103;

/// What one connection has sent.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// How many messages of each type: `P` is Parse, `B` Bind, `C` Close, `Q` a simple query.
    pub messages: BTreeMap<char, usize>,
    /// Groups of messages whose answer was waited for: round trips.
    pub flights: usize,
    /// The text of each statement, as often as it was prepared.
    pub prepared: Vec<String>,
    /// What was run, each round trip from its first statement on.
    pub run: Vec<String>,
    names: BTreeMap<Vec<u8>, String>,
    /// The number of each change that a read of the feed has returned.
    pub changes: Vec<i64>,
    is_waiting: bool,
    listens: bool,
    /// Groups that are not answered yet.
    unanswered: usize,
}

impl Traffic {
    /// Whether it is a connection of the instance itself, which reads the feed of changes or listens for them.
    pub fn is_of_the_feed(&self) -> bool {
        let reads = |sql: &String| sql.contains("pg_current_snapshot");
        self.listens || self.prepared.iter().any(reads)
    }

    fn runs(&mut self, text: &str) {
        let mark = if self.is_waiting { "    " } else { "--> " };
        self.run.push(format!("{mark}{text}"));
    }

    fn sends(&mut self, kind: char, body: &[u8]) {
        *self.messages.entry(kind).or_default() += 1;
        match kind {
            'P' => {
                // The name of the statement, then its text; each ends with a zero byte.
                let mut texts = body.split(|&byte| byte == 0).map(<[u8]>::to_vec);
                let name = texts.next().unwrap_or_default();
                let text = String::from_utf8_lossy(&texts.next().unwrap_or_default()).into_owned();
                self.prepared.push(text.clone());
                self.names.insert(name, text);
            }
            'B' => {
                let name = body.split(|&byte| byte == 0).nth(1).unwrap_or_default();
                let text = self.names.get(name).cloned().unwrap_or_default();
                self.runs(&text);
            }
            'Q' | 'S' => {
                self.unanswered += 1;
                let text = String::from_utf8_lossy(body);
                self.listens |= text.contains("listen ");
                if kind == 'Q' {
                    self.runs(&text);
                }
            }
            _ => {}
        }
        // A client that closes a statement does not wait for the answer.
        if matches!(kind, 'P' | 'B' | 'Q') && !self.is_waiting {
            self.is_waiting = true;
            self.flights += 1;
        }
    }

    fn receives(&mut self, kind: char, body: &[u8]) {
        match kind {
            // The server is ready for the next group.
            'Z' => {
                self.unanswered = self.unanswered.saturating_sub(1);
                self.is_waiting &= self.unanswered > 0;
            }
            'D' if self.is_of_the_feed() => self.changes.extend(number_of_change(body)),
            _ => {}
        }
    }
}

/// The number in a row of the feed, which is the fourth of its twelve values; `None` in other rows, and in the one that
/// says that there is no change.
fn number_of_change(row: &[u8]) -> Option<i64> {
    let (count, mut rest) = row.split_first_chunk()?;
    if u16::from_be_bytes(*count) != 12 {
        return None;
    }
    let mut values = std::iter::from_fn(|| {
        let (length, behind) = rest.split_first_chunk()?;
        // Negative for null.
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        let value;
        (value, rest) = behind.split_at(length);
        Some(value)
    });
    Some(i64::from_be_bytes(values.nth(3)?.try_into().ok()?))
}

type Connections = Arc<Mutex<Vec<Traffic>>>;

pub struct PgProxy {
    port: u16,
    connections: Connections,
}

impl PgProxy {
    /// Listens in front of the server of this database.
    pub async fn start(db: &Db) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Connections::default(),
        };
        let connections = Arc::clone(&proxy.connections);
        let server = url::Url::parse(&db.url()).unwrap().port().unwrap();
        actix_web::rt::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let connections = Arc::clone(&connections);
                actix_web::rt::spawn(async move {
                    // Either side may close at any time.
                    let _ = carry(client, server, connections).await;
                });
            }
        });
        proxy
    }

    /// The same database through this proxy.
    pub fn db(&self, db: &Db) -> Db {
        let mut url = url::Url::parse(&db.url()).unwrap();
        url.set_port(Some(self.port)).unwrap();
        Db::Postgres { url: url.into() }
    }

    /// What each connection has sent since it was opened.
    pub fn traffic(&self) -> Vec<Traffic> {
        self.connections.lock().unwrap().clone()
    }

    /// How many round trips the connections for requests have made.
    pub fn flights(&self) -> usize {
        let of_requests = self
            .traffic()
            .into_iter()
            .filter(|one| !one.is_of_the_feed());
        of_requests.map(|one| one.flights).sum()
    }

    /// What the connections for requests have run since this was called.
    pub fn statements(&self) -> Vec<String> {
        let mut connections = self.connections.lock().unwrap();
        let of_requests = connections.iter_mut().filter(|one| !one.is_of_the_feed());
        of_requests
            .flat_map(|one| std::mem::take(&mut one.run))
            .collect()
    }
}

async fn carry(client: TcpStream, port: u16, connections: Connections) -> std::io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    loop {
        let size = from_client.read_u32().await?;
        let mut body = vec![0; size as usize - 4];
        from_client.read_exact(&mut body).await?;
        if body == SSL_REQUEST.to_be_bytes() {
            to_client.write_all(b"N").await?;
            continue;
        }
        to_server
            .write_all(&[&size.to_be_bytes(), &*body].concat())
            .await?;
        break;
    }
    let number = {
        let mut all = connections.lock().unwrap();
        all.push(Traffic::default());
        all.len() - 1
    };
    let of_client = Arc::clone(&connections);
    let up = pass(&mut from_client, &mut to_server, move |kind, body| {
        of_client.lock().unwrap()[number].sends(kind, body);
    });
    let down = pass(&mut from_server, &mut to_client, move |kind, body| {
        connections.lock().unwrap()[number].receives(kind, body);
    });
    tokio::select! {
        done = up => done,
        done = down => done,
    }
}

/// Passes messages on, after it has shown them to `see`. What was sent in one piece is passed on in one piece, so that
/// no answer comes in between.
async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut see: impl FnMut(char, &[u8]),
) -> std::io::Result<()> {
    let mut waiting = Vec::new();
    loop {
        let mut piece = vec![0; 64 * 1024];
        let size = from.read(&mut piece).await?;
        if size == 0 {
            return Ok(());
        }
        waiting.extend_from_slice(&piece[..size]);
        let mut complete = 0;
        while let [kind, a, b, c, d, rest @ ..] = &waiting[complete..] {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            let Some(body) = rest.get(..length - 4) else {
                break;
            };
            see(char::from(*kind), body);
            complete += 1 + length;
        }
        to.write_all(&waiting[..complete]).await?;
        waiting.drain(..complete);
    }
}
