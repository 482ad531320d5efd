//! `cargo bench --bench soak`: ten minutes of mixed load at 70 % of the server's capacity, on SQLite and on
//! PostgreSQL. No answer may be 5xx, and memory use must not grow.
//!
//! The capacity is measured first, on the same number of connections. `SOAK_MINUTES` changes the duration.
#![allow(clippy::print_stdout, reason = "results go to the terminal")]

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::{JoinSet, LocalSet, spawn_local};
use tokio::time::{interval, sleep_until};

use support::cluster::Cluster;
use support::{
    PASSWORD, Request, Result, Server, connect_from, exchange, machine, quantile, sign_in,
};

const CONNECTIONS: u8 = 48;
const CAPACITY_TAKES: Duration = Duration::from_secs(15);
const STEP: f64 = 0.85;
const SHARE: f64 = 0.7;
const MINUTE: Duration = Duration::from_secs(60);

/// How many of a thousand requests are of each kind.
const MIX: [(Act, u32); 7] = [
    (Act::Me, 820),
    (Act::Refresh, 100),
    (Act::People, 30),
    (Act::Rename, 20),
    (Act::Login, 20),
    (Act::WrongPassword, 8),
    (Act::Found, 2),
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Me,
    Refresh,
    People,
    Rename,
    Login,
    WrongPassword,
    Found,
}

impl Act {
    fn name(self) -> &'static str {
        match self {
            Self::Me => "/me",
            Self::Refresh => "refresh",
            Self::People => "a page of people",
            Self::Rename => "a new name",
            Self::Login => "login",
            Self::WrongPassword => "login, wrong password",
            Self::Found => "registration",
        }
    }

    fn request(self, n: u64, token: &str) -> Request {
        let login = |password| json!({"email": "ada@example.com", "password": password});
        match self {
            Self::Me => Request::get("/api/auth/me", Some(token)),
            Self::Refresh => Request::post("/api/auth/refresh", token),
            Self::People => Request::get("/api/users", Some(token)),
            Self::Rename => {
                let name = json!({"name": format!("Ada {n}")});
                Request::patch_json("/api/auth/me", token, &name)
            }
            Self::Login => Request::post_json("/api/auth/login", &login(PASSWORD)),
            Self::WrongPassword => Request::post_json("/api/auth/login", &login("not the one")),
            Self::Found => Request::post_json("/api/auth/register", &organization_body(n)),
        }
    }

    fn wanted(self) -> u16 {
        match self {
            Self::WrongPassword => 401,
            Self::Found => 201,
            _ => 200,
        }
    }
}

fn organization_body(n: u64) -> Value {
    json!({
        "organizationName": format!("Soak {n}"), "firstName": "Ada", "lastName": "Lovelace",
        "email": format!("ada{n}@example.com"), "password": PASSWORD,
    })
}

/// The kind of the `n`-th request, the same in every run, in an order without a pattern.
fn act(n: u64) -> Act {
    let chance = u32::try_from((n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % 1000).unwrap_or(0);
    let mut below = 0;
    for (act, share) in MIX {
        below += share;
        if chance < below {
            return act;
        }
    }
    Act::Me
}

/// Milliseconds by kind of request and status of the answer.
type Answers = BTreeMap<(Act, u16), Vec<f64>>;

fn main() -> Result<()> {
    let minutes = std::env::var("SOAK_MINUTES").map_or(Ok(10), |minutes| minutes.parse())?;
    println!("{}", machine());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("soak.db");
        soak("SQLite", &format!("sqlite:{}", path.display()), minutes).await?;
        match Cluster::start() {
            None => println!("PostgreSQL is not installed"),
            Some(cluster) => soak("PostgreSQL", &cluster.url("postgres"), minutes).await?,
        }
        Ok(())
    })
}

async fn soak(name: &str, database: &str, minutes: u32) -> Result<()> {
    let server = Rc::new(Server::start(database).await?);
    let token = sign_in(server.address).await?;
    let capacity = capacity(server.address, &token).await?;
    let rate = capacity * SHARE;
    println!("{name}: can take {capacity:.0} requests/s, gets {rate:.0} for {minutes} minutes");

    let memory = spawn_local(memory_of_each_minute(Rc::clone(&server), minutes));
    let soaked = ask(
        server.address,
        &token,
        1 << 40,
        Some(rate),
        MINUTE * minutes,
    )
    .await?;
    println!(
        "  {:<24}{:>7}{:>10}{:>9}{:>9}{:>12}",
        "", "status", "answers", "p50 ms", "p99 ms", "slowest ms"
    );
    for ((act, status), times) in soaked {
        println!(
            "  {:<24}{status:>7}{:>10}{:>9.1}{:>9.1}{:>12.0}{}",
            act.name(),
            times.len(),
            quantile(&times, 0.5),
            quantile(&times, 0.99),
            quantile(&times, 1.0),
            if status == act.wanted() { "" } else { "  (!)" },
        );
    }
    let memory: Vec<String> = memory.await??;
    println!("  memory after each minute: {} MB", memory.join(", "));
    Ok(())
}

/// Answers a second without refusals. In a closed loop a client whose sign-in is refused moves on to cheap requests
/// sooner and so inflates the rate; hence lower and lower rates are tried, starting from that one.
async fn capacity(server: SocketAddr, token: &str) -> Result<f64> {
    let per_second = |answers: &Answers| {
        let number: usize = answers.values().map(Vec::len).sum();
        number as f64 / CAPACITY_TAKES.as_secs_f64()
    };
    let mut answers = ask(server, token, 0, None, CAPACITY_TAKES).await?;
    let mut rate = per_second(&answers);
    for attempt in 1_u64.. {
        if answers.keys().all(|(_, status)| *status < 500) {
            break;
        }
        rate *= STEP;
        answers = ask(server, token, attempt << 32, Some(rate), CAPACITY_TAKES).await?;
    }
    Ok(per_second(&answers))
}

async fn memory_of_each_minute(
    server: Rc<Server>,
    minutes: u32,
) -> std::result::Result<Vec<String>, String> {
    let mut ticks = interval(MINUTE);
    ticks.tick().await;
    let mut memory = Vec::new();
    for _ in 1..minutes {
        ticks.tick().await;
        let megabytes = server.resident_megabytes();
        memory.push(format!(
            "{:.1}",
            megabytes.map_err(|error| error.to_string())?
        ));
    }
    Ok(memory)
}

/// Sends requests on all connections, at a total rate or, without one, as fast as answers arrive. Requests are numbered
/// from `first`.
async fn ask(
    server: SocketAddr,
    token: &str,
    first: u64,
    rate: Option<f64>,
    lasts: Duration,
) -> Result<Answers> {
    let begun = Instant::now();
    let mut connections = JoinSet::new();
    for connection in 1..=CONNECTIONS {
        let mut stream = connect_from(connection, server).await?;
        let token = token.to_owned();
        connections.spawn_local(async move {
            let mut answers = Answers::new();
            let mut buffer = Vec::with_capacity(4096);
            for n in (u64::from(connection)..).step_by(CONNECTIONS.into()) {
                if let Some(rate) = rate {
                    sleep_until((begun + Duration::from_secs_f64(n as f64 / rate)).into()).await;
                }
                if begun.elapsed() > lasts {
                    break;
                }
                let n = first + n;
                let act = act(n);
                let request = act.request(n, &token);
                let sent = Instant::now();
                let (status, _) = exchange(&mut stream, &request, &mut buffer)
                    .await
                    .map_err(|error| format!("{}: {error}", act.name()))?;
                let time = sent.elapsed().as_secs_f64() * 1000.0;
                answers.entry((act, status)).or_default().push(time);
            }
            Ok::<_, String>(answers)
        });
    }
    let mut all = Answers::new();
    for answers in connections.join_all().await {
        for (what, times) in answers? {
            all.entry(what).or_default().extend(times);
        }
    }
    Ok(all)
}
