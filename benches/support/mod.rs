//! What the benchmarks share: the release server, a small client, and a description of the machine.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    reason = "each benchmark uses a part, and may panic"
)]

#[path = "../../tests/it/support/cluster.rs"]
#[expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "shared with the tests, which may panic and print"
)]
pub mod cluster;
pub mod population;
pub mod tokens;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_postgres::NoTls;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub fn machine() -> String {
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{model}, {cores} cores shared with the load generator")
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// `q` is 0 for the minimum and 1 for the maximum.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let rank = (0..=last).find(|&i| i as f64 >= q * last as f64);
    rank.and_then(|rank| values.get(rank))
        .copied()
        .unwrap_or(f64::NAN)
}

/// The release binary, to serve over `database`.
pub fn hallpass(database: &str) -> Command {
    serve(env!("CARGO_BIN_EXE_hallpass"), database)
}

pub const SECRET: &str = "Zt7Yw4Vx1Uq8Sp5Ro2Nm9Lk6Ji3Hg0Fe7Dc4Ba1";

/// A binary of this or another version, to serve over `database`.
pub fn serve(binary: &str, database: &str) -> Command {
    let mut command = Command::new(binary);
    command
        .arg("serve")
        .env_clear()
        .env("DATABASE_URL", database)
        // All instances share PostgreSQL's connections.
        .env("JWT_SECRET", SECRET)
        .env("BCRYPT_COST", "10")
        // All load comes from one address.
        .env("RATE_LIMITS", "off")
        // Refusals would be logged one by one.
        .env("RUST_LOG", "off");
    command
}

/// A server process, ended when dropped.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts the release binary and returns once `/readyz` says 200.
    pub async fn start(database: &str) -> Result<Self> {
        Self::start_with(hallpass(database)).await
    }

    /// Starts a program that listens on `PORT` and answers `/readyz`.
    pub async fn start_with(command: Command) -> Result<Self> {
        Self::start_within(command, Duration::from_secs(10)).await
    }

    /// As [`start_with`](Self::start_with), for a start that may take longer.
    pub async fn start_within(mut command: Command, limit: Duration) -> Result<Self> {
        // It was free a moment ago, and nothing else here allocates ports.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = command
            .env("PORT", address.port().to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()?;
        let mut server = Self { process, address };
        let ready = Request::get("/readyz", None);
        let deadline = Instant::now() + limit;
        while !matches!(once(address, &ready).await, Ok((200, _))) {
            if let Some(ended) = server.process.try_wait()? {
                return Err(format!("the server has ended: {ended}").into());
            }
            if Instant::now() > deadline {
                return Err(format!("the server did not become ready in {limit:?}").into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(server)
    }

    /// How much time of a core the process has used, in seconds, exact to a hundredth.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The name of the program, in parentheses, is the second field.
        let fields = stat.rsplit(") ").next().ok_or("no stat")?.split(' ');
        let ticks: Vec<f64> = fields
            .skip(11)
            .take(2)
            .map(str::parse)
            .collect::<std::result::Result<_, _>>()?;
        Ok(ticks.iter().sum::<f64>() / 100.0)
    }

    pub fn resident_megabytes(&self) -> Result<f64> {
        self.megabytes("VmRSS:")
    }

    /// The most that was resident since the start.
    pub fn peak_megabytes(&self) -> Result<f64> {
        self.megabytes("VmHWM:")
    }

    fn megabytes(&self, field: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let kilobytes: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .and_then(|rest| rest.trim().strip_suffix("kB"))
            .ok_or("no memory in /proc")?
            .trim()
            .parse()?;
        Ok(kilobytes / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const EMAIL: &str = "ada@example.com";
pub const PASSWORD: &str = "correct horse battery staple";

/// The sign-in of the organization's first admin.
pub fn login() -> Request {
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    Request::post_json("/api/auth/login", &body)
}

/// Registers an organization and signs its admin in.
pub async fn sign_in(address: SocketAddr) -> Result<String> {
    let found = json!({
        "organizationName": "Bench", "firstName": "Ada", "lastName": "Lovelace",
        "email": EMAIL, "password": PASSWORD,
    });
    once(address, &Request::post_json("/api/auth/register", &found)).await?;
    let (_, body) = once(address, &login()).await?;
    let answer: Value = serde_json::from_slice(&body)?;
    Ok(answer["accessToken"]
        .as_str()
        .ok_or("no accessToken")?
        .to_owned())
}

#[derive(Clone)]
pub struct Request(Vec<u8>);

impl Request {
    pub fn get(path: &str, token: Option<&str>) -> Self {
        let authorization = token.map_or(String::new(), |token| {
            format!("authorization: Bearer {token}\r\n")
        });
        Self(format!("GET {path} HTTP/1.1\r\nhost: bench\r\n{authorization}\r\n").into_bytes())
    }

    pub fn accepting(path: &str, token: &str, media_type: &str) -> Self {
        let fields =
            format!("host: bench\r\nauthorization: Bearer {token}\r\naccept: {media_type}\r\n");
        Self(format!("GET {path} HTTP/1.1\r\n{fields}\r\n").into_bytes())
    }

    pub fn post(path: &str, token: &str) -> Self {
        Self(
            format!(
                "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
            )
            .into_bytes(),
        )
    }

    pub fn post_json(path: &str, body: &Value) -> Self {
        Self::json("POST", path, "", body)
    }

    pub fn patch_json(path: &str, token: &str, body: &Value) -> Self {
        Self::json_as("PATCH", path, token, body)
    }

    pub fn json_as(method: &str, path: &str, token: &str, body: &Value) -> Self {
        let authorization = format!("authorization: Bearer {token}\r\n");
        Self::json(method, path, &authorization, body)
    }

    fn json(method: &str, path: &str, authorization: &str, body: &Value) -> Self {
        let body = body.to_string();
        Self(
            format!(
                "{method} {path} HTTP/1.1\r\nhost: bench\r\n{authorization}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
        )
    }
}

/// Runs statements on a server's database.
pub async fn execute(database: &str, sql: &str) -> Result<()> {
    if let Some(path) = database.strip_prefix("sqlite:") {
        let mut connection = SqliteConnection::establish(path)?;
        connection.batch_execute("pragma foreign_keys = on; pragma busy_timeout = 60000")?;
        connection.batch_execute(sql)?;
    } else {
        let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(sql).await?;
    }
    Ok(())
}

/// Connects from the `n`-th local address: limits are per address, and all of 127.0.0.0/8 is this machine.
pub async fn connect_from(n: u8, server: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 1, n), 0).into())?;
    let stream = socket.connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

pub async fn once(address: SocketAddr, request: &Request) -> Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).await?;
    let mut buffer = Vec::new();
    exchange(&mut stream, request, &mut buffer).await
}

/// Sends one request and reads one answer with a `Content-Length`.
pub async fn exchange(
    stream: &mut TcpStream,
    request: &Request,
    buffer: &mut Vec<u8>,
) -> Result<(u16, Vec<u8>)> {
    stream.write_all(&request.0).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end])?;
        let status = head.get(9..12).ok_or("no status")?.parse()?;
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(Ok(0), str::parse)?;
        if buffer.len() >= end + 4 + length {
            return Ok((status, buffer[end + 4..end + 4 + length].to_vec()));
        }
    }
}
