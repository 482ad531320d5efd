//! `cargo bench --bench followers`: services that follow revocations, a thousand at once.
//!
//! The load comes from the same machine, and reading takes as much of it as writing.
#![allow(
    clippy::print_stdout,
    reason = "a failed measurement may panic, and results go to the terminal"
)]

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use support::cluster::Cluster;
use support::{
    Request, Result, Server, connect_from, exchange, execute, machine, median, once, quantile,
    sign_in,
};

const FOLLOWERS: u16 = 1_000;
const LOGOUTS: usize = 20;
const LISTED: u32 = 1_000_000;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(1500);
const SILENCE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("{}", machine());
    let Some(cluster) = Cluster::start() else {
        println!("PostgreSQL is not installed");
        return Ok(());
    };
    let database = cluster.url("postgres");
    let here = Server::start(&database).await?;
    let there = Server::start(&database).await?;
    let token = sign_in(here.address).await?;
    let key = service_key(&database)?;
    logouts(&here, &there, &key).await?;
    crowd(&here, &token, &key).await?;
    drop((here, there));
    packed(&database, &key).await
}

fn service_key(database: &str) -> Result<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_hallpass"))
        .args(["service", "add", "bench"])
        .env_clear()
        .env("DATABASE_URL", database)
        .env("JWT_SECRET", support::SECRET)
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// From the answer to a logout to its event at a follower.
async fn logouts(here: &Server, there: &Server, key: &str) -> Result<()> {
    let mut same = Follower::begin(1, here.address, key).await?;
    let mut other = Follower::begin(2, there.address, key).await?;
    let (mut at_once, mut elsewhere) = (Vec::new(), Vec::new());
    for _ in 0..LOGOUTS {
        let session = sign_in(here.address).await?;
        let (status, _) = once(here.address, &Request::post("/api/auth/logout", &session)).await?;
        assert_eq!(status, 200);
        let answered = Instant::now();
        same.hears("\"sid\"").await?;
        at_once.push(milliseconds(answered));
        other.hears("\"sid\"").await?;
        elsewhere.push(milliseconds(answered));
    }
    println!("from an acknowledged logout to its event, {LOGOUTS} times:");
    for (what, times) in [
        ("the same instance ", at_once),
        ("another instance  ", elsewhere),
    ] {
        println!(
            "  {what}                            {:>9.1} ms at most, {:.1} ms in the median",
            quantile(&times, 1.0),
            median(times)
        );
    }
    Ok(())
}

async fn crowd(server: &Server, token: &str, key: &str) -> Result<()> {
    let me = Request::get("/api/auth/me", Some(token));
    let alone = requests_per_second(server.address, &me).await?;
    let empty = server.resident_megabytes()?;
    let begun = Instant::now();
    let (heard, mut hearing) = mpsc::unbounded_channel();
    let mut followers = JoinSet::new();
    for n in 0..FOLLOWERS {
        let mut follower = Follower::begin(n, server.address, key).await?;
        let heard = heard.clone();
        followers.spawn(async move {
            while follower.hears("\"sid\"").await.is_ok() {
                let _ = heard.send(Instant::now());
            }
        });
    }
    println!("{FOLLOWERS} followers of one instance:");
    println!(
        "  all have the list after                       {:>9.0} ms",
        milliseconds(begun)
    );
    tokio::time::sleep(Duration::from_secs(2)).await;
    let each = (server.resident_megabytes()? - empty) * 1024.0 / f64::from(FOLLOWERS);
    println!("  memory for each                               {each:>9.1} kB");
    let cpu = server.cpu_seconds()?;
    tokio::time::sleep(SILENCE).await;
    let share = (server.cpu_seconds()? - cpu) / SILENCE.as_secs_f64();
    println!(
        "  heartbeats                                    {:>9.1} % of a core",
        share * 100.0
    );
    let mut last = Vec::new();
    for _ in 0..LOGOUTS {
        let session = sign_in(server.address).await?;
        once(server.address, &Request::post("/api/auth/logout", &session)).await?;
        let answered = Instant::now();
        let mut told = answered;
        for _ in 0..FOLLOWERS {
            told = told.max(hearing.recv().await.ok_or("followers are gone")?);
        }
        last.push((told - answered).as_secs_f64() * 1000.0);
    }
    println!(
        "  the last is told                              {:>9.1} ms after the answer in the median, {:.1} ms at most",
        median(last.clone()),
        quantile(&last, 1.0)
    );
    let together = requests_per_second(server.address, &me).await?;
    println!(
        "  /me beside them                               {:>9.2} of /me alone",
        together / alone
    );
    followers.abort_all();
    Ok(())
}

async fn packed(database: &str, key: &str) -> Result<()> {
    execute(
        database,
        &format!(
            "insert into changes (kind, user_id, session_id, at, expires_at)
             select 'session_ended', id, id, now(), now() + random() * interval '7 days'
             from (select gen_random_uuid() as id from generate_series(1, {LISTED})) as ids;
             analyze changes"
        ),
    )
    .await?;
    let server = Server::start(database).await?;
    let mut stream = connect_from(1, server.address).await?;
    let list = Request::accepting("/api/revocations", key, "application/octet-stream");
    let mut buffer = Vec::new();
    let (mut made, mut shared, mut size) = (Vec::new(), Vec::new(), 0);
    while size < 8 * LISTED as usize {
        let (_, body) = exchange(&mut stream, &list, &mut buffer).await?;
        size = body.len();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for _ in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        for times in [&mut made, &mut shared] {
            let begun = Instant::now();
            exchange(&mut stream, &list, &mut buffer).await?;
            times.push(milliseconds(begun));
        }
    }
    let (made, shared) = (median(made), median(shared));
    println!("the packed list of {LISTED}:");
    println!(
        "  size                                          {:>9.2} MB",
        size as f64 / 1e6
    );
    println!(
        "  made in                                       {:>9.0} ms",
        made - shared
    );
    println!("  sent in                                       {shared:>9.0} ms");
    Ok(())
}

async fn requests_per_second(server: SocketAddr, request: &Request) -> Result<f64> {
    let mut rates = Vec::new();
    let mut stream = connect_from(250, server).await?;
    let mut buffer = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut count = 0_u32;
        while begun.elapsed() < ROUND {
            let (status, _) = exchange(&mut stream, request, &mut buffer).await?;
            assert_eq!(status, 200);
            count += 1;
        }
        rates.push(f64::from(count) / begun.elapsed().as_secs_f64());
    }
    Ok(median(rates))
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// A stream of revocations, from an address of its own.
struct Follower {
    stream: TcpStream,
    text: Vec<u8>,
}

impl Follower {
    async fn begin(n: u16, server: SocketAddr, key: &str) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        let [high, low] = n.to_be_bytes();
        socket.bind((Ipv4Addr::new(127, 2, high, low), 0).into())?;
        let mut stream = socket.connect(server).await?;
        let request = format!(
            "GET /api/revocations HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\naccept: text/event-stream\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let text = Vec::new();
        let mut follower = Self { stream, text };
        follower.hears("event: fresh").await?;
        Ok(follower)
    }

    /// Reads until an event with this text has come, and forgets what was before.
    async fn hears(&mut self, text: &str) -> Result<()> {
        let wanted = text.as_bytes();
        loop {
            let found = self
                .text
                .windows(wanted.len())
                .position(|part| part == wanted);
            if let Some(at) = found {
                self.text.drain(..at + wanted.len());
                return Ok(());
            }
            let keep = self.text.len().saturating_sub(wanted.len());
            self.text.drain(..keep);
            if self.stream.read_buf(&mut self.text).await? == 0 {
                return Err("the stream has ended".into());
            }
        }
    }
}
