//! A mail server that accepts everything, delivers nothing, and fails on demand.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A stage of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    Hello,
    StartTls,
    Login,
    Sender,
    Recipient,
    Data,
    /// The end of the message itself.
    Mail,
    Goodbye,
}

pub const STAGES: [Stage; 7] = [
    Stage::Greeting,
    Stage::Hello,
    Stage::Sender,
    Stage::Recipient,
    Stage::Data,
    Stage::Mail,
    Stage::Goodbye,
];

/// What happens to the next connection that reaches a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This reply.
    Replies(Stage, &'static str),
    /// The connection is closed instead of a reply.
    Disconnects(Stage),
    /// The connection is closed in the middle of the message.
    DisconnectsMidway,
    /// No reply until [`SmtpSink::resumes`].
    Hangs(Stage),
    /// The message is accepted, and the connection is closed without a reply.
    AcceptsAndDisconnects,
}

/// A received message.
#[derive(Debug, Clone)]
pub struct Received {
    pub from: String,
    pub to: String,
    /// Headers and body, with `\r\n`.
    pub text: String,
    pub was_encrypted: bool,
    pub login: Option<String>,
}

impl Received {
    /// A header's value, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.text.split_once("\r\n\r\n")?;
        let unfolded = head.replace("\r\n ", " ");
        let start = format!("{name}: ");
        let line = unfolded
            .split("\r\n")
            .find_map(|line| line.strip_prefix(&start))?;
        Some(line.to_owned())
    }

    pub fn header_names(&self) -> Vec<String> {
        let (head, _) = self.text.split_once("\r\n\r\n").unwrap();
        let head = head.replace("\r\n ", " ");
        let names = head
            .split("\r\n")
            .map(|line| line.split(':').next().unwrap().to_owned());
        names.collect()
    }

    pub fn message_id(&self) -> String {
        self.header("Message-ID").unwrap()
    }
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    faults: VecDeque<Fault>,
    connections: usize,
}

/// What the server supports or requires.
#[derive(Clone, Default)]
pub struct ServerOptions {
    pub tls: Option<Arc<ServerConfig>>,
    /// TLS from the first byte.
    pub is_implicit: bool,
    pub wants_login: bool,
}

/// Stops when dropped, with every connection.
pub struct SmtpSink {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    resuming: watch::Sender<u64>,
    hanging: watch::Sender<u64>,
    options: ServerOptions,
    accepting: Option<JoinHandle<()>>,
}

impl SmtpSink {
    pub async fn start() -> Self {
        Self::with(ServerOptions::default()).await
    }

    pub async fn with(options: ServerOptions) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut sink = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
            resuming: watch::Sender::new(0),
            hanging: watch::Sender::new(0),
            options,
            accepting: None,
        };
        sink.accept_on(listener);
        sink
    }

    /// Closes the port and every connection.
    pub async fn closes(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            let _ = accepting.await;
        }
    }

    /// Opens the port again.
    pub async fn opens(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.accept_on(listener);
    }

    fn accept_on(&mut self, listener: TcpListener) {
        let server = Arc::new(Server {
            state: Arc::clone(&self.state),
            resuming: self.resuming.clone(),
            hanging: self.hanging.clone(),
            options: self.options.clone(),
        });
        self.accepting = Some(tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let server = Arc::clone(&server);
                server.state.lock().unwrap().connections += 1;
                connections.spawn(async move {
                    // A client may disconnect at any time.
                    let _ = server.serve(stream).await;
                });
            }
        }));
    }

    /// For the next connection that reaches that stage.
    pub fn fails(&self, fault: Fault) {
        self.state.lock().unwrap().faults.push_back(fault);
    }

    /// Replies to every connection that hangs.
    pub fn resumes(&self) {
        self.resuming.send_modify(|times| *times += 1);
    }

    /// Waits until so many connections in all have come to hang.
    pub async fn hangs(&self, times: u64) {
        let mut hanging = self.hanging.subscribe();
        hanging.wait_for(|hung| *hung >= times).await.unwrap();
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    /// Faults that have not occurred yet.
    pub fn faults_left(&self) -> usize {
        self.state.lock().unwrap().faults.len()
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

struct Server {
    state: Arc<Mutex<State>>,
    resuming: watch::Sender<u64>,
    hanging: watch::Sender<u64>,
    options: ServerOptions,
}

/// The end of a connection.
struct Closed;

impl From<std::io::Error> for Closed {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Server {
    async fn serve(&self, stream: TcpStream) -> Result<(), Closed> {
        let mut wire: Box<dyn Stream> = Box::new(stream);
        let mut is_encrypted = false;
        if self.options.is_implicit {
            wire = self.encrypt(wire).await?;
            is_encrypted = true;
        }
        let mut wire = BufReader::new(wire);
        self.answer(&mut wire, Stage::Greeting, "220 sink ESMTP\r\n")
            .await?;
        let (mut from, mut to, mut login) = (String::new(), String::new(), None);
        loop {
            let line = read_line(&mut wire).await?;
            let verb = line.split([' ', ':']).next().unwrap().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    let mut answer = String::from("250-sink\r\n");
                    if self.options.tls.is_some() && !is_encrypted {
                        answer += "250-STARTTLS\r\n";
                    }
                    if self.options.wants_login {
                        answer += "250-AUTH PLAIN LOGIN\r\n";
                    }
                    answer += "250 8BITMIME\r\n";
                    self.answer(&mut wire, Stage::Hello, &answer).await?;
                }
                "STARTTLS" => {
                    self.answer(&mut wire, Stage::StartTls, "220 go ahead\r\n")
                        .await?;
                    wire = BufReader::new(self.encrypt(wire.into_inner()).await?);
                    is_encrypted = true;
                }
                "AUTH" => {
                    login = Some(line);
                    self.answer(&mut wire, Stage::Login, "235 welcome\r\n")
                        .await?;
                }
                "MAIL" if self.options.wants_login && login.is_none() => {
                    wire.write_all(b"530 5.7.0 authentication required\r\n")
                        .await?;
                }
                "MAIL" => {
                    from = line;
                    self.answer(&mut wire, Stage::Sender, "250 ok\r\n").await?;
                }
                "RCPT" => {
                    to = line;
                    self.answer(&mut wire, Stage::Recipient, "250 ok\r\n")
                        .await?;
                }
                "DATA" => {
                    self.answer(&mut wire, Stage::Data, "354 go ahead\r\n")
                        .await?;
                    let text = self.read_mail(&mut wire).await?;
                    let received = Received {
                        from: address_in(&from),
                        to: address_in(&to),
                        text,
                        was_encrypted: is_encrypted,
                        login: login.clone(),
                    };
                    let fault = self.next_fault(|fault| {
                        *fault == Fault::AcceptsAndDisconnects || fault.stage() == Some(Stage::Mail)
                    });
                    let is_received =
                        !matches!(fault, Some(Fault::Replies(..) | Fault::Disconnects(_)));
                    if is_received {
                        // Before the reply, because an acknowledged message counts as received.
                        self.state.lock().unwrap().received.push(received);
                    }
                    self.answer_as(&mut wire, fault, "250 accepted\r\n").await?;
                }
                "QUIT" => {
                    self.answer(&mut wire, Stage::Goodbye, "221 bye\r\n")
                        .await?;
                    return Ok(());
                }
                _ => wire.write_all(b"502 5.5.1 unknown command\r\n").await?,
            }
        }
    }

    async fn encrypt(&self, wire: Box<dyn Stream>) -> Result<Box<dyn Stream>, Closed> {
        let acceptor = TlsAcceptor::from(self.options.tls.clone().unwrap());
        Ok(Box::new(acceptor.accept(wire).await?))
    }

    /// The first fault of this kind, removed from the queue.
    fn next_fault(&self, is_wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        let at = state.faults.iter().position(is_wanted)?;
        state.faults.remove(at)
    }

    async fn answer(
        &self,
        wire: &mut BufReader<Box<dyn Stream>>,
        stage: Stage,
        usual: &str,
    ) -> Result<(), Closed> {
        let fault = self.next_fault(|fault| fault.stage() == Some(stage));
        self.answer_as(wire, fault, usual).await
    }

    async fn answer_as(
        &self,
        wire: &mut BufReader<Box<dyn Stream>>,
        fault: Option<Fault>,
        usual: &str,
    ) -> Result<(), Closed> {
        match fault {
            Some(Fault::Replies(_, answer)) => {
                wire.write_all(format!("{answer}\r\n").as_bytes()).await?;
            }
            Some(
                Fault::Disconnects(_) | Fault::DisconnectsMidway | Fault::AcceptsAndDisconnects,
            ) => {
                return Err(Closed);
            }
            Some(Fault::Hangs(_)) => {
                let mut resuming = self.resuming.subscribe();
                resuming.mark_unchanged();
                self.hanging.send_modify(|times| *times += 1);
                let _ = resuming.changed().await;
                wire.write_all(usual.as_bytes()).await?;
            }
            None => wire.write_all(usual.as_bytes()).await?,
        }
        Ok(())
    }

    /// Up to the line with a single dot (RFC 5321 §4.5.2).
    async fn read_mail(&self, wire: &mut BufReader<Box<dyn Stream>>) -> Result<String, Closed> {
        let cuts_off = self.next_fault(|fault| *fault == Fault::DisconnectsMidway);
        let mut text = String::new();
        loop {
            let line = read_line(wire).await?;
            if line == "." {
                return Ok(text);
            }
            if cuts_off.is_some() && text.len() > 100 {
                return Err(Closed);
            }
            text += line.strip_prefix('.').unwrap_or(&line);
            text += "\r\n";
        }
    }
}

impl Fault {
    fn stage(&self) -> Option<Stage> {
        match self {
            Self::Replies(stage, _) | Self::Disconnects(stage) | Self::Hangs(stage) => Some(*stage),
            Self::DisconnectsMidway | Self::AcceptsAndDisconnects => None,
        }
    }
}

async fn read_line(wire: &mut BufReader<Box<dyn Stream>>) -> Result<String, Closed> {
    let mut line = String::new();
    match wire.read_line(&mut line).await? {
        0 => Err(Closed),
        _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
    }
}

fn address_in(command: &str) -> String {
    let (_, rest) = command.split_once('<').unwrap();
    rest.split_once('>').unwrap().0.to_owned()
}
