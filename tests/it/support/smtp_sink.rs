//! A mail server that takes everything and delivers nothing, and fails on demand.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What a client said and a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    Hello,
    StartTls,
    Login,
    Sender,
    Recipient,
    Data,
    /// The end of the mail itself.
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

/// What becomes of the next connection that comes to a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This answer.
    Says(Stage, &'static str),
    /// The connection ends in its place.
    CutsOff(Stage),
    /// In the middle of the mail.
    CutsOffWithin,
    /// No answer until [`SmtpSink::goes_on`].
    Hangs(Stage),
    /// The mail is taken, and the connection ends instead of saying so.
    TakesAndCutsOff,
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    pub from: String,
    pub to: String,
    /// Headers and body, with `\r\n`.
    pub text: String,
    pub was_encrypted: bool,
    pub login: Option<String>,
}

impl Taken {
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
    taken: Vec<Taken>,
    faults: VecDeque<Fault>,
    connections: usize,
}

/// What a server can do beside taking mail.
#[derive(Clone, Default)]
pub struct Manners {
    pub tls: Option<Arc<ServerConfig>>,
    /// TLS from the first byte.
    pub is_implicit: bool,
    pub wants_login: bool,
}

/// Ends when it is dropped, and every connection with it.
pub struct SmtpSink {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    going_on: watch::Sender<u64>,
    hanging: watch::Sender<u64>,
    manners: Manners,
    accepting: Option<JoinHandle<()>>,
}

impl SmtpSink {
    pub async fn start() -> Self {
        Self::with(Manners::default()).await
    }

    pub async fn with(manners: Manners) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut sink = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
            going_on: watch::Sender::new(0),
            hanging: watch::Sender::new(0),
            manners,
            accepting: None,
        };
        sink.accept_on(listener);
        sink
    }

    /// The port is closed from now on; connections there are, end.
    pub async fn closes(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            let _ = accepting.await;
        }
    }

    /// The port is open again.
    pub async fn opens(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.accept_on(listener);
    }

    fn accept_on(&mut self, listener: TcpListener) {
        let server = Arc::new(Server {
            state: Arc::clone(&self.state),
            going_on: self.going_on.clone(),
            hanging: self.hanging.clone(),
            manners: self.manners.clone(),
        });
        self.accepting = Some(tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let server = Arc::clone(&server);
                server.state.lock().unwrap().connections += 1;
                connections.spawn(async move {
                    // A client that goes away is none of our business.
                    let _ = server.welcome(stream).await;
                });
            }
        }));
    }

    /// For the next connection that comes so far.
    pub fn fails(&self, fault: Fault) {
        self.state.lock().unwrap().faults.push_back(fault);
    }

    /// Whoever waits in silence is answered.
    pub fn goes_on(&self) {
        self.going_on.send_modify(|times| *times += 1);
    }

    /// Waits until so many connections in all have come to a silence.
    pub async fn hangs(&self, times: u64) {
        let mut hanging = self.hanging.subscribe();
        hanging.wait_for(|hung| *hung >= times).await.unwrap();
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }

    /// SettingErrors nobody has run into yet.
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
    going_on: watch::Sender<u64>,
    hanging: watch::Sender<u64>,
    manners: Manners,
}

/// The end of a connection.
struct Gone;

impl From<std::io::Error> for Gone {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Server {
    async fn welcome(&self, stream: TcpStream) -> Result<(), Gone> {
        let mut wire: Box<dyn Stream> = Box::new(stream);
        let mut is_encrypted = false;
        if self.manners.is_implicit {
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
                    if self.manners.tls.is_some() && !is_encrypted {
                        answer += "250-STARTTLS\r\n";
                    }
                    if self.manners.wants_login {
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
                "MAIL" if self.manners.wants_login && login.is_none() => {
                    wire.write_all(b"530 5.7.0 who are you?\r\n").await?;
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
                    let taken = Taken {
                        from: address_in(&from),
                        to: address_in(&to),
                        text,
                        was_encrypted: is_encrypted,
                        login: login.clone(),
                    };
                    let fault = self.next_fault(|fault| {
                        *fault == Fault::TakesAndCutsOff || fault.stage() == Some(Stage::Mail)
                    });
                    let is_taken = !matches!(fault, Some(Fault::Says(..) | Fault::CutsOff(_)));
                    if is_taken {
                        // Before the answer: a server answers for what it has written down.
                        self.state.lock().unwrap().taken.push(taken);
                    }
                    self.answer_as(&mut wire, fault, "250 taken\r\n").await?;
                }
                "QUIT" => {
                    self.answer(&mut wire, Stage::Goodbye, "221 bye\r\n")
                        .await?;
                    return Ok(());
                }
                _ => wire.write_all(b"502 what?\r\n").await?,
            }
        }
    }

    async fn encrypt(&self, wire: Box<dyn Stream>) -> Result<Box<dyn Stream>, Gone> {
        let acceptor = TlsAcceptor::from(self.manners.tls.clone().unwrap());
        Ok(Box::new(acceptor.accept(wire).await?))
    }

    /// The first fault of this kind, which is over now.
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
    ) -> Result<(), Gone> {
        let fault = self.next_fault(|fault| fault.stage() == Some(stage));
        self.answer_as(wire, fault, usual).await
    }

    async fn answer_as(
        &self,
        wire: &mut BufReader<Box<dyn Stream>>,
        fault: Option<Fault>,
        usual: &str,
    ) -> Result<(), Gone> {
        match fault {
            Some(Fault::Says(_, answer)) => {
                wire.write_all(format!("{answer}\r\n").as_bytes()).await?;
            }
            Some(Fault::CutsOff(_) | Fault::CutsOffWithin | Fault::TakesAndCutsOff) => {
                return Err(Gone);
            }
            Some(Fault::Hangs(_)) => {
                let mut going_on = self.going_on.subscribe();
                going_on.mark_unchanged();
                self.hanging.send_modify(|times| *times += 1);
                let _ = going_on.changed().await;
                wire.write_all(usual.as_bytes()).await?;
            }
            None => wire.write_all(usual.as_bytes()).await?,
        }
        Ok(())
    }

    /// Up to the line with a single dot (RFC 5321 §4.5.2).
    async fn read_mail(&self, wire: &mut BufReader<Box<dyn Stream>>) -> Result<String, Gone> {
        let cuts_off = self.next_fault(|fault| *fault == Fault::CutsOffWithin);
        let mut text = String::new();
        loop {
            let line = read_line(wire).await?;
            if line == "." {
                return Ok(text);
            }
            if cuts_off.is_some() && text.len() > 100 {
                return Err(Gone);
            }
            text += line.strip_prefix('.').unwrap_or(&line);
            text += "\r\n";
        }
    }
}

impl Fault {
    fn stage(&self) -> Option<Stage> {
        match self {
            Self::Says(stage, _) | Self::CutsOff(stage) | Self::Hangs(stage) => Some(*stage),
            Self::CutsOffWithin | Self::TakesAndCutsOff => None,
        }
    }
}

async fn read_line(wire: &mut BufReader<Box<dyn Stream>>) -> Result<String, Gone> {
    let mut line = String::new();
    match wire.read_line(&mut line).await? {
        0 => Err(Gone),
        _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
    }
}

fn address_in(command: &str) -> String {
    let (_, rest) = command.split_once('<').unwrap();
    rest.split_once('>').unwrap().0.to_owned()
}
