//! `cargo bench --bench passwords`: the password engine compared with the `bcrypt` crate in one run.
//!
//! First the hashing alone, then bursts of sign-ins against the release server and against the usual design
//! (`web::block` and the crate), while `/me` is requested 400 times a second in an open loop: a delayed request
//! is timed from when it was due. The variants run interleaved.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a failed measurement may panic, and results go to the terminal"
)]

mod support;

use std::hint::black_box;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use bcrypt_lanes::Input;
use hallpass::service::hashing::share::Share;
use hallpass::service::hashing::{Hashing, default_threads};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{sleep, sleep_until, timeout};

use support::{
    PASSWORD, Request, Result, Server, exchange, login, machine, median, quantile, sign_in,
};

const ROUNDS: usize = 5;
const HASHING_ROUND: Duration = Duration::from_secs(3);
const STORMS: [usize; 3] = [16, 64, 500];
const STORM_ROUNDS: usize = 3;
const BURST: Duration = Duration::from_secs(5);
const IN_FLIGHT: usize = 64;
const PROBERS: u32 = 16;
const PROBES_A_SECOND: u32 = 400;
const SALT: [u8; 16] = *b"sixteen bytes...";
/// Not an HTTP status.
const HUNG_UP: u16 = 0;
/// Set in the process that serves the usual design.
const USUAL: &str = "HALLPASS_BENCH_USUAL";

fn main() -> Result<()> {
    if let Some(hash) = std::env::var_os(USUAL) {
        let hash = hash.into_string().map_err(|_| "no hash")?;
        return Ok(actix_web::rt::System::new().block_on(serve_as_usual(hash))?);
    }
    println!("{}", machine());
    hashing()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, bursts())
}

/// One thread and one process, without HTTP.
fn hashing() -> Result<()> {
    let threads = default_threads();
    for cost in [10, 12] {
        let (mut crate_alone, mut alone) = (Vec::new(), Vec::new());
        let (mut crate_rate, mut rate) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            crate_alone.push(milliseconds(|| by_crate(cost)));
            alone.push(milliseconds(|| {
                black_box(bcrypt_lanes::bcrypt(&input(cost)));
            }));
            crate_rate.push(rate_of_crate(cost, threads));
            rate.push(rate_of_engine(cost)?);
        }
        let [crate_alone, alone, crate_rate, rate] =
            [crate_alone, alone, crate_rate, rate].map(median);
        println!("cost {cost}, medians of {ROUNDS} interleaved rounds:");
        println!("  one hash alone, bcrypt crate    {crate_alone:>8.1} ms");
        println!(
            "  one hash alone, a lane          {alone:>8.1} ms   {:.2} of the crate's time",
            alone / crate_alone
        );
        println!("  hashes/s, crate, {threads} thread(s)    {crate_rate:>8.1}");
        println!(
            "  hashes/s, engine, {IN_FLIGHT} in flight  {rate:>8.1}      {:.2} x",
            rate / crate_rate
        );
    }
    Ok(())
}

fn input(cost: u32) -> Input {
    Input::new(black_box(PASSWORD.as_bytes()), SALT, cost).expect("a cost of bcrypt")
}

fn by_crate(cost: u32) {
    black_box(bcrypt::bcrypt(cost, SALT, input(cost).key()));
}

fn milliseconds(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1000.0
}

fn rate_of_crate(cost: u32, threads: usize) -> f64 {
    let begun = Instant::now();
    let threads: Vec<_> = (0..threads)
        .map(|_| {
            thread::spawn(move || {
                // Same niceness as the engine's threads, so that a busy neighbour slows both.
                #[cfg(target_os = "linux")]
                let _ = rustix::process::nice(10);
                let mut done = 0_u32;
                while begun.elapsed() < HASHING_ROUND {
                    by_crate(cost);
                    done += 1;
                }
                f64::from(done) / begun.elapsed().as_secs_f64()
            })
        })
        .collect();
    let rates = threads.into_iter().map(thread::JoinHandle::join);
    rates.map(|rate| rate.expect("no thread panics")).sum()
}

/// With as many threads as the server has by default.
fn rate_of_engine(cost: u32) -> Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let engine = std::rc::Rc::new(Hashing::start(None)?);
        let begun = Instant::now();
        let mut callers = JoinSet::new();
        for client in 0..IN_FLIGHT {
            let share = Share::of(client, client);
            let engine = std::rc::Rc::clone(&engine);
            callers.spawn_local(async move {
                let mut done = Vec::new();
                while begun.elapsed() < HASHING_ROUND {
                    match engine.compute(share, input(cost)).await {
                        Ok(_) => done.push(begun.elapsed()),
                        // Too many for this cost: wait and retry, as clients are told to.
                        Err(_) => sleep(Duration::from_millis(50)).await,
                    }
                }
                done
            });
        }
        // Hashes complete in batches, so the count is exact up to one batch.
        let mut done = callers.join_all().await.concat();
        done.retain(|&at| at < HASHING_ROUND);
        let last = done
            .iter()
            .max()
            .ok_or("a hash takes longer than a round")?;
        Ok(done.len() as f64 / last.as_secs_f64())
    })
}

/// What most servers do: a blocking call on the shared thread pool.
async fn serve_as_usual(hash: String) -> std::io::Result<()> {
    let port = std::env::var("PORT").map_or(0, |port| port.parse().unwrap_or(0));
    HttpServer::new(move || {
        let hash = hash.clone();
        App::new()
            .route("/readyz", web::get().to(HttpResponse::Ok))
            .route(
                "/api/auth/me",
                web::get()
                    .to(|| async { HttpResponse::Ok().body("{\"email\":\"ada@example.com\"}") }),
            )
            .route(
                "/api/auth/login",
                web::post().to(move || {
                    let hash = hash.clone();
                    async move {
                        let verdict = web::block(move || bcrypt::verify(PASSWORD, &hash)).await;
                        match verdict {
                            Ok(Ok(true)) => HttpResponse::Ok().body("{}"),
                            _ => HttpResponse::InternalServerError().finish(),
                        }
                    }
                }),
            )
    })
    // A starved server would otherwise treat waiting clients as slow ones and disconnect them.
    .client_request_timeout(Duration::ZERO)
    .bind(("127.0.0.1", port))?
    .run()
    .await
}

async fn bursts() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let database = format!("sqlite:{}", directory.path().join("bench.db").display());
    let hash = bcrypt::hash_with_salt(PASSWORD, 10, SALT).map_err(|error| error.to_string())?;
    let hash = hash.to_string();
    println!(
        "sign-ins at cost 10 in a closed loop, {PROBES_A_SECOND} /me a second; who is refused comes back \
         after Retry-After; medians of {STORM_ROUNDS} rounds:"
    );
    println!(
        "  in flight  server        logins/s  p50 ms  slowest ms  refused  slowest refusal ms  \
         hung up  /me p50 ms  /me p99 ms"
    );
    for in_flight in STORMS {
        let mut ours = Vec::new();
        let mut usual = Vec::new();
        let mut memory = Vec::new();
        for _ in 0..STORM_ROUNDS {
            let server = Server::start(&database).await?;
            let token = sign_in(server.address).await?;
            ours.push(
                burst(server.address, in_flight, &token)
                    .await
                    .map_err(|error| format!("hallpass: {error}"))?,
            );
            memory.push(server.resident_megabytes()?);
            drop(server);
            let mut command = Command::new(std::env::current_exe()?);
            command.env_clear().env(USUAL, &hash);
            let server = Server::start_with(command).await?;
            usual.push(
                burst(server.address, in_flight, "none")
                    .await
                    .map_err(|error| format!("web::block: {error}"))?,
            );
        }
        print(in_flight, "hallpass", &ours);
        print(in_flight, "web::block", &usual);
        let rate = |bursts: &[Burst]| median(bursts.iter().map(|burst| burst.rate).collect());
        println!(
            "             ratio         {:>8.2}   hallpass's memory after it: {:.1} MB",
            rate(&ours) / rate(&usual),
            median(memory)
        );
    }
    Ok(())
}

/// The results of one burst; times in milliseconds.
struct Burst {
    rate: f64,
    logins: Vec<f64>,
    refusals: Vec<f64>,
    hung_up: usize,
    probes: Vec<f64>,
}

fn print(in_flight: usize, server: &str, bursts: &[Burst]) {
    let over = |figure: &dyn Fn(&Burst) -> f64| median(bursts.iter().map(figure).collect());
    let refused: usize = bursts.iter().map(|burst| burst.refusals.len()).sum();
    println!(
        "  {in_flight:>9}  {server:<11} {:>10.1} {:>7.0} {:>11.0} {:>8} {:>19.0} {:>8} {:>11.2} {:>11.1}",
        over(&|burst| burst.rate),
        over(&|burst| quantile(&burst.logins, 0.5)),
        over(&|burst| quantile(&burst.logins, 1.0)),
        refused / bursts.len(),
        over(&|burst| quantile(&burst.refusals, 1.0)),
        bursts.iter().map(|burst| burst.hung_up).sum::<usize>(),
        over(&|burst| quantile(&burst.probes, 0.5)),
        over(&|burst| quantile(&burst.probes, 0.99)),
    );
}

async fn burst(address: SocketAddr, in_flight: usize, token: &str) -> Result<Burst> {
    // Connect first, so that the accept queue is not part of the measurement.
    let mut streams = Vec::new();
    for _ in 0..in_flight {
        streams.push(connect(address).await?);
    }
    let begun = Instant::now();
    let mut people = JoinSet::new();
    for stream in streams {
        people.spawn_local(person(stream, begun));
    }
    let mut probers = JoinSet::new();
    for n in 0..PROBERS {
        let stream = connect(address).await?;
        let me = Request::get("/api/auth/me", Some(token));
        probers.spawn_local(prober(stream, me, n, begun));
    }
    let mut burst = Burst {
        rate: 0.0,
        logins: Vec::new(),
        refusals: Vec::new(),
        hung_up: 0,
        probes: Vec::new(),
    };
    for probes in probers.join_all().await {
        burst.probes.extend(probes?);
    }
    for answers in people.join_all().await {
        for (status, milliseconds) in answers {
            match status {
                200 => burst.logins.push(milliseconds),
                503 => burst.refusals.push(milliseconds),
                HUNG_UP => burst.hung_up += 1,
                other => return Err(format!("a sign-in was answered {other}").into()),
            }
        }
    }
    burst.rate = burst.logins.len() as f64 / BURST.as_secs_f64();
    Ok(burst)
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Signs in repeatedly until the burst is over; requests unanswered by then do not count.
async fn person(mut stream: TcpStream, begun: Instant) -> Vec<(u16, f64)> {
    let login = login();
    let mut buffer = Vec::with_capacity(4096);
    let mut answers = Vec::new();
    loop {
        let sent = Instant::now();
        let left = BURST.saturating_sub(begun.elapsed());
        let Ok(answer) = timeout(left, exchange(&mut stream, &login, &mut buffer)).await else {
            return answers;
        };
        // An overloaded server disconnects.
        let status = answer.map_or(HUNG_UP, |(status, _)| status);
        answers.push((status, sent.elapsed().as_secs_f64() * 1000.0));
        if status == HUNG_UP {
            return answers;
        }
        if status == 503 {
            sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Its share of the probes, each timed from when it was due.
async fn prober(
    mut stream: TcpStream,
    me: Request,
    n: u32,
    begun: Instant,
) -> std::result::Result<Vec<f64>, String> {
    let interval = Duration::from_secs(1) * PROBERS / PROBES_A_SECOND;
    let mut due = begun + interval * n / PROBERS;
    let mut buffer = Vec::with_capacity(4096);
    let mut waits = Vec::new();
    while due < begun + BURST {
        sleep_until(due.into()).await;
        // The client's timer has a resolution of one millisecond.
        let late = Instant::now() - due;
        let counted_from = if late < Duration::from_millis(2) {
            Instant::now()
        } else {
            due
        };
        match exchange(&mut stream, &me, &mut buffer).await {
            Ok((200, _)) => waits.push(counted_from.elapsed().as_secs_f64() * 1000.0),
            Ok((status, _)) => return Err(format!("/me was answered {status}")),
            Err(_) => {
                // It would have waited at least until the end.
                waits.push((begun + BURST).saturating_duration_since(due).as_secs_f64() * 1000.0);
                return Ok(waits);
            }
        }
        due += interval;
    }
    Ok(waits)
}
