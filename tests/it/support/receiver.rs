//! A receiver of webhooks, which answers as a test wants.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use serde_json::{Value, json};

/// What a receiver answers to the next request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A status with header lines, each with its end.
    Status(u16, &'static str),
    /// Nothing, until [`Receiver::resumes`].
    Hangs,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Told {
    /// Method and target.
    pub line: String,
    /// With names in lower case.
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Told {
    pub fn header(&self, name: &str) -> &str {
        let mut named = self.headers.iter().filter(|(found, _)| found == name);
        let value = &named
            .next()
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
            .1;
        assert!(named.next().is_none(), "{name} twice");
        value
    }

    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn event(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// For a library that verifies it.
    pub fn signed_with(&self, secret: &str) -> Value {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers: serde_json::Map<_, _> = names
            .map(|name| (name.to_owned(), json!(self.header(name))))
            .into_iter()
            .collect();
        json!({"secret": secret, "headers": headers, "body": self.body})
    }
}

#[derive(Default)]
struct State {
    told: Vec<Told>,
    replies: VecDeque<Reply>,
    hanging: usize,
}

pub struct Receiver {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    resume: watch::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let (resume, resumed) = watch::channel(());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state), resumed));
        Self {
            address,
            state,
            resume,
            accepting,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks?from=hallpass", self.address)
    }

    /// The answers to the next requests; afterwards it is 204 again.
    pub fn replies(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().unwrap().replies.extend(replies);
    }

    pub fn told(&self) -> Vec<Told> {
        self.state.lock().unwrap().told.clone()
    }

    /// The names of the events so far, in alphabetical order.
    pub fn events(&self) -> Vec<String> {
        let mut events: Vec<_> = self.told().iter().map(Told::event).collect();
        events.sort();
        events
    }

    /// How many requests wait for an answer.
    pub fn hanging(&self) -> usize {
        self.state.lock().unwrap().hanging
    }

    pub fn resumes(&self) {
        self.resume.send_replace(());
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>, resumed: watch::Receiver<()>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (state, resumed) = (Arc::clone(&state), resumed.clone());
        tokio::spawn(async move { serve(stream, &state, resumed).await });
    }
}

async fn serve(
    stream: TcpStream,
    state: &Mutex<State>,
    mut resumed: watch::Receiver<()>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?;
    let mut body = vec![0; length.1.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    let reply = {
        let mut state = state.lock().unwrap();
        state.told.push(Told {
            line: line.trim_end().trim_end_matches(" HTTP/1.1").to_owned(),
            headers,
            body: String::from_utf8(body).unwrap(),
        });
        let reply = state.replies.pop_front().unwrap_or(Reply::Status(204, ""));
        state.hanging += usize::from(matches!(reply, Reply::Hangs));
        reply
    };
    let (status, headers) = match reply {
        Reply::Status(status, headers) => (status, headers),
        Reply::Hangs => {
            resumed.mark_unchanged();
            let _ = resumed.changed().await;
            state.lock().unwrap().hanging -= 1;
            (204, "")
        }
    };
    let answer = format!("HTTP/1.1 {status} x\r\n{headers}content-length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.ok()
}
