//! `cargo bench --bench ratios`: everything but passwords, on SQLite and PostgreSQL, with one and two instances.
//!
//! Starts the release server on private ports and prints ratios measured in one run.
//!
//! The variants run interleaved (A B A B …), so that a busy neighbour slows both. Absolute numbers
//! are for orientation only: the load comes from the same machine.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a failed measurement may panic, and results go to the terminal"
)]

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hallpass::crypto::jwt::{self, Claims, Extras, Rules};
use hallpass::crypto::keyring::Keyring;
use hallpass::crypto::signing_key::{SigningKey, generate};
use hallpass::crypto::token_keys::{SecretUse, SigningKeys, TokenKeys};
use hallpass::domain::{SessionId, UserId};
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;
use uuid::Uuid;

use support::cluster::Cluster;
use support::{
    Request, Result, SECRET, Server, connect_from, exchange, hallpass, machine, median, once,
    sign_in,
};

const CONNECTIONS: u8 = 32;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(1500);
const STARTS: usize = 9;
const REVOCATIONS: usize = 20;
/// Few at a time, so that most times are without an interruption.
const SIGNATURES: u32 = 20;
const SIGNATURE_ROUNDS: usize = 301;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("{}", machine());
    new_tokens()?;
    println!(
        "{CONNECTIONS} connections from as many addresses, medians of {ROUNDS} interleaved rounds"
    );
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("bench.db");
    one_instance("SQLite", &format!("sqlite:{}", path.display())).await?;
    match Cluster::start() {
        None => println!("PostgreSQL is not installed"),
        Some(cluster) => {
            one_instance("PostgreSQL", &cluster.url("postgres")).await?;
            two_instances(&cluster.url("postgres")).await?;
        }
    }
    Ok(())
}

/// What a signing key adds to a sign-in and to a refresh.
fn new_tokens() -> Result<()> {
    let key = generate().map_err(|_| "no random numbers")?;
    let keys = SigningKey::read_all(key.expose_secret());
    let keys = keys.into_iter().collect::<std::result::Result<_, _>>()?;
    let claims = Claims {
        sub: UserId(Uuid::from_u128(1)),
        organization: None,
        sid: SessionId(Uuid::from_u128(2)),
        ver: 1,
        pv: 1,
        iat: 1_800_000_000,
        exp: 1_800_604_800,
    };
    let extras = Extras::default();
    let microseconds = |signing: Option<SigningKeys>| -> Result<f64> {
        let keys = TokenKeys::new(Keyring::new(&[SECRET.into()])?, signing, 1000);
        let rounds = (0..SIGNATURE_ROUNDS).map(|_| {
            let begun = Instant::now();
            for _ in 0..SIGNATURES {
                std::hint::black_box(jwt::sign(&claims, &extras, &keys, &Rules::default()));
            }
            begun.elapsed().as_secs_f64() * 1e6 / f64::from(SIGNATURES)
        });
        Ok(median(rounds.collect()))
    };
    let hs256 = microseconds(None)?;
    let es256 = microseconds(SigningKeys::new(keys, SecretUse::Verifies))?;
    println!(
        "a new token: HS256 {hs256:.1} µs, ES256 {es256:.1} µs, which is {:.1} µs more",
        es256 - hs256
    );
    Ok(())
}

async fn one_instance(name: &str, database: &str) -> Result<()> {
    let server = start(database).await?;
    let idle = server.resident_megabytes()?;
    let token = sign_in(server.address).await?;
    let bare = Request::get("/livez", None);
    let me = Request::get("/api/auth/me", Some(&token));
    let forged = Request::get("/api/auth/me", Some(&with_another_mac(&token)));
    let refresh = Request::post("/api/auth/refresh", &token);
    let unlimited = start_without_limits(database).await?;
    let keyed = start_with_a_signing_key(database).await?;
    let token = sign_in(keyed.address).await?;
    let me_es256 = Request::get("/api/auth/me", Some(&token));
    let forged_es256 = Request::get("/api/auth/me", Some(&with_another_mac(&token)));

    let mut rates = [const { Vec::new() }; 6];
    for _ in 0..ROUNDS {
        for ((server, request, status), rates) in [
            (&server, &bare, 200),
            (&server, &me, 200),
            (&keyed, &me_es256, 200),
            (&server, &forged, 401),
            (&keyed, &forged_es256, 401),
            // The limit on refreshes per person is lower than this.
            (&unlimited, &refresh, 200),
        ]
        .into_iter()
        .zip(&mut rates)
        {
            rates.push(requests_per_second(&[server.address], request, status).await?);
        }
    }
    let [bare, me, me_es256, forged, forged_es256, refresh] = rates.map(median);
    let loaded = server.resident_megabytes()?;
    drop((server, unlimited, keyed));

    let mut ready = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let _server = start(database).await?;
        ready.push(begun.elapsed().as_secs_f64() * 1000.0);
    }

    println!("{name}:");
    println!("  bare route (/livez)                         {bare:>9.0} requests/s");
    for (what, rate) in [
        ("/me                      against bare route", me),
        ("verify (forged: 401)     against bare route", forged),
        ("the same with ES256      against bare route", forged_es256),
        ("refresh                  against bare route", refresh),
    ] {
        println!("  {what} {:>9.2}   ({rate:.0}/s)", rate / bare);
    }
    println!(
        "  /me with ES256           against HS256      {:>9.2}   ({me_es256:.0}/s)",
        me_es256 / me
    );
    println!("  memory, idle / after this load              {idle:>9.1} / {loaded:.1} MB");
    println!(
        "  exec to ready, existing database            {:>9.0} ms (median of {STARTS})",
        median(ready)
    );
    Ok(())
}

/// Both run on the cores of this machine: only a lock between them would show.
async fn two_instances(database: &str) -> Result<()> {
    let first = start_without_limits(database).await?;
    let second = start_without_limits(database).await?;
    let token = sign_in(first.address).await?;
    println!("PostgreSQL, two instances against one, as many connections in all:");
    for (what, request) in [
        ("/me     ", Request::get("/api/auth/me", Some(&token))),
        ("refresh ", Request::post("/api/auth/refresh", &token)),
    ] {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            one.push(requests_per_second(&[first.address], &request, 200).await?);
            two.push(requests_per_second(&[first.address, second.address], &request, 200).await?);
        }
        let (one, two) = (median(one), median(two));
        println!(
            "  {what}                                    {:>9.2}   ({two:.0}/s)",
            two / one
        );
    }

    let mut latencies = Vec::new();
    for _ in 0..REVOCATIONS {
        let token = sign_in(first.address).await?;
        let me = Request::get("/api/auth/me", Some(&token));
        let (status, _) = once(second.address, &me).await?;
        assert_eq!(status, 200);
        once(first.address, &Request::post("/api/auth/logout", &token)).await?;
        let ended = Instant::now();
        while once(second.address, &me).await?.0 == 200 {}
        latencies.push(ended.elapsed().as_secs_f64() * 1000.0);
    }
    latencies.sort_by(f64::total_cmp);
    println!(
        "  a logout takes effect elsewhere after, median / slowest {:>8.1} / {:.1} ms (of {REVOCATIONS})",
        median(latencies.clone()),
        latencies[latencies.len() - 1]
    );
    Ok(())
}

async fn start(database: &str) -> Result<Server> {
    let mut command = hallpass(database);
    command.env("RATE_LIMITS", "on");
    Server::start_with(command).await
}

async fn start_with_a_signing_key(database: &str) -> Result<Server> {
    let key = generate().map_err(|_| "no random numbers")?;
    let mut command = hallpass(database);
    command
        .env("RATE_LIMITS", "on")
        .env("JWT_SIGNING_KEY", key.expose_secret());
    Server::start_with(command).await
}

async fn start_without_limits(database: &str) -> Result<Server> {
    Server::start_with(hallpass(database)).await
}

/// The same token with an invalid signature.
fn with_another_mac(token: &str) -> String {
    let at = token.rfind('.').map_or(0, |dot| dot + 1);
    let other = if token[at..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}

/// One round of a closed loop on all connections, over the servers in turn.
async fn requests_per_second(
    servers: &[SocketAddr],
    request: &Request,
    wanted: u16,
) -> Result<f64> {
    let begun = Instant::now();
    let mut loops = JoinSet::new();
    for (n, &server) in (1..=CONNECTIONS).zip(servers.iter().cycle()) {
        let request = request.clone();
        let mut stream = connect_from(n, server).await?;
        loops.spawn(async move {
            let mut buffer = Vec::with_capacity(4096);
            let mut answered = 0_u32;
            while begun.elapsed() < ROUND {
                match exchange(&mut stream, &request, &mut buffer).await {
                    Ok((status, _)) if status == wanted => answered += 1,
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
