//! `cargo bench --bench ratios`: starts the release server on a private port and prints ratios measured in one run.
//!
//! What is compared runs interleaved (A B A B …), so that a busy neighbour slows both. Absolute numbers
//! are shown for orientation only: the load comes from the same machine.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement that goes wrong may end, and its figures are for the terminal"
)]

mod house;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use house::{Request, Result, Server, exchange, machine, median, sign_in};

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

/// Closed loop on all connections for one round.
async fn requests_per_second(address: SocketAddr, request: &Request) -> Result<f64> {
    let begun = Instant::now();
    let mut loops = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let request = request.clone();
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
