//! `cargo bench`: starts the release server on a private port and prints ratios measured in one run.
//!
//! What is compared runs interleaved (A B A B …), so that a busy neighbour slows both. Absolute numbers
//! are shown for orientation only: the load comes from the same machine.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement that goes wrong may end, and its figures are for the terminal"
)]

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const CONNECTIONS: usize = 32;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(1500);
const STARTS: usize = 9;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let database = format!("sqlite:{}", directory.path().join("bench.db").display());
    println!("{}", machine());

    let server = Server::start(&database).await?;
    let idle = server.resident_megabytes()?;
    let token = sign_in(server.address).await?;

    let bare = Request::get("/livez", None);
    let me = Request::get("/api/auth/me", Some(&token));
    let refresh = Request::post("/api/auth/refresh", &token);
    let mut rates = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (request, rates) in [&bare, &me, &refresh].into_iter().zip(&mut rates) {
            rates.push(requests_per_second(server.address, request).await?);
        }
    }
    let [bare, me, refresh] = rates.map(median);
    let loaded = server.resident_megabytes()?;
    drop(server);

    let mut ready = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let _server = Server::start(&database).await?;
        ready.push(begun.elapsed().as_secs_f64() * 1000.0);
    }

    println!("SQLite, {CONNECTIONS} connections, medians of {ROUNDS} interleaved rounds:");
    println!("  bare route (/livez)            {bare:>9.0} requests/s");
    println!(
        "  /me        against bare route  {:>9.2}   ({me:.0}/s)",
        me / bare
    );
    println!(
        "  refresh    against bare route  {:>9.2}   ({refresh:.0}/s)",
        refresh / bare
    );
    println!("memory, idle / after this load   {idle:>9.1} / {loaded:.1} MB");
    println!(
        "exec to ready, existing database {:>9.0} ms (median of {STARTS})",
        median(ready)
    );
    Ok(())
}

fn machine() -> String {
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

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The release binary, ended when dropped.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts it and returns once `/readyz` says 200.
    async fn start(database: &str) -> Result<Self> {
        // Free a moment ago, and nobody else here asks for ports.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = Command::new(env!("CARGO_BIN_EXE_hallpass"))
            .arg("serve")
            .env_clear()
            .env("DATABASE_URL", database)
            .env("PORT", address.port().to_string())
            .env("BCRYPT_COST", "10")
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()?;
        let server = Self { process, address };
        let ready = Request::get("/readyz", None);
        let deadline = Instant::now() + Duration::from_secs(10);
        while !matches!(once(address, &ready).await, Ok((200, _))) {
            if Instant::now() > deadline {
                return Err("the server did not become ready in ten seconds".into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(server)
    }

    fn resident_megabytes(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let kilobytes: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix("kB"))
            .ok_or("no VmRSS")?
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

/// Founds an organization and signs its founder in.
async fn sign_in(address: SocketAddr) -> Result<String> {
    let (email, password) = ("ada@example.com", "correct horse battery staple");
    let found = json!({
        "organizationName": "Bench", "firstName": "Ada", "lastName": "Lovelace",
        "email": email, "password": password,
    });
    once(address, &Request::post_json("/api/auth/register", &found)).await?;
    let login = json!({ "email": email, "password": password });
    let (_, body) = once(address, &Request::post_json("/api/auth/login", &login)).await?;
    let answer: Value = serde_json::from_slice(&body)?;
    Ok(answer["accessToken"]
        .as_str()
        .ok_or("no accessToken")?
        .to_owned())
}

struct Request(Vec<u8>);

impl Request {
    fn get(path: &str, token: Option<&str>) -> Self {
        let authorization = token.map_or(String::new(), |token| {
            format!("authorization: Bearer {token}\r\n")
        });
        Self(format!("GET {path} HTTP/1.1\r\nhost: bench\r\n{authorization}\r\n").into_bytes())
    }

    fn post(path: &str, token: &str) -> Self {
        Self(
            format!(
                "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
            )
            .into_bytes(),
        )
    }

    fn post_json(path: &str, body: &Value) -> Self {
        let body = body.to_string();
        Self(
            format!(
                "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
        )
    }
}

async fn once(address: SocketAddr, request: &Request) -> Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).await?;
    let mut buffer = Vec::new();
    exchange(&mut stream, request, &mut buffer).await
}

/// Sends one request and reads one answer with a `Content-Length`.
async fn exchange(
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

/// Closed loop on all connections for one round.
async fn requests_per_second(address: SocketAddr, request: &Request) -> Result<f64> {
    let begun = Instant::now();
    let mut loops = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let request = Request(request.0.clone());
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        loops.spawn(async move {
            let mut buffer = Vec::with_capacity(4096);
            let mut answered = 0_u32;
            while begun.elapsed() < ROUND {
                match exchange(&mut stream, &request, &mut buffer).await {
                    Ok((200, _)) => answered += 1,
                    Ok((status, _)) => return Err(format!("answered {status}")),
                    Err(error) => return Err(error.to_string()),
                }
            }
            Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(done) = loops.join_next().await {
        answered += done??;
    }
    Ok(f64::from(answered) / begun.elapsed().as_secs_f64())
}
