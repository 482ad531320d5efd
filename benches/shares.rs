//! `cargo bench --bench shares`: how long sign-ins of others take while one account or address has 64 requests in
//! flight.
//!
//! Two people sign in one after the other, alone and during a flood, in turn. Limits are on unless `SHARES_LIMITS=off`;
//! `SHARES_COST` is the cost of bcrypt. A refused request of the flood is repeated after 10 ms.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a failed measurement may panic, and results go to the terminal"
)]

mod support;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::{join, try_join, try_join_all};
use serde_json::{Value, json};

use support::cluster::Cluster;
use support::{
    PASSWORD, Request, Result, Server, connect_from, exchange, hallpass, machine, median, quantile,
};

const IN_FLIGHT: u8 = 64;
const ROUNDS: usize = 4;
const PHASE: Duration = Duration::from_secs(3);
/// Their addresses, and the last byte of those they sign in from.
const OTHERS: [(&str, u8); 2] = [("grace@example.com", 1), ("edsger@example.com", 2)];
/// The last byte of local addresses: where accounts are registered, and where the flood comes from.
const REGISTERED_FROM: u8 = 3;
const FLOOD_FROM: u8 = 100;

/// The answers of a flood, by status.
type Answers = BTreeMap<u16, usize>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let cost = std::env::var("SHARES_COST").unwrap_or_else(|_| "12".to_owned());
    let limits = std::env::var("SHARES_LIMITS").unwrap_or_else(|_| "on".to_owned());
    println!("{}", machine());
    println!("{IN_FLIGHT} in flight, bcrypt cost {cost}, limits {limits}, milliseconds");
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("shares.db");
    let sqlite = format!("sqlite:{}", path.display());
    measure("SQLite", &sqlite, &cost, &limits).await?;
    match Cluster::start() {
        None => println!("PostgreSQL is not installed"),
        Some(cluster) => measure("PostgreSQL", &cluster.url("postgres"), &cost, &limits).await?,
    }
    Ok(())
}

async fn measure(name: &str, database: &str, cost: &str, limits: &str) -> Result<()> {
    let mut command = hallpass(database);
    command
        .env("BCRYPT_COST", cost)
        .env("RATE_LIMITS", limits)
        // The floods of sign-ins must not end the session of the floods that follow.
        .env("SESSIONS_PER_USER", "1000")
        .env("APP_URL", "http://localhost:1");
    let running = Server::start_with(command).await?;
    let server = running.address;
    for (email, _) in OTHERS {
        register(server, email).await?;
    }
    register(server, "flood@example.com").await?;
    for n in 0..IN_FLIGHT {
        register(server, &format!("flood{n}@example.com")).await?;
    }
    let (_, body) = ask(
        server,
        REGISTERED_FROM,
        &login("flood@example.com", PASSWORD),
    )
    .await?;
    let answer: Value = serde_json::from_slice(&body)?;
    let token = answer["accessToken"].as_str().ok_or("no accessToken")?;
    println!(
        "{name:<46}{:>8}{:>8}{:>7}{:>8}{:>9}  answers to the flood",
        "alone", "flood", "ratio", "p99", "not 200"
    );
    for flood in floods(token) {
        compare(server, &flood).await?;
    }
    Ok(())
}

struct Flood {
    name: &'static str,
    /// Whether each client has an address of its own.
    from_many: bool,
    /// The n-th request.
    request: Box<dyn Fn(usize) -> Request>,
}

fn floods(token: &str) -> Vec<Flood> {
    let flood = |name, from_many, request: Box<dyn Fn(usize) -> Request>| Flood {
        name,
        from_many,
        request,
    };
    let as_caller = |name, method: &str, path: &str, body: Value| {
        let request = Request::json_as(method, path, token, &body);
        flood(name, true, Box::new(move |_| request.clone()))
    };
    let one_account = |_| login("flood@example.com", PASSWORD);
    let reset = json!({"token": "A".repeat(43), "password": PASSWORD});
    vec![
        flood(
            "login, one account, one address",
            false,
            Box::new(one_account),
        ),
        flood(
            "login, one account, 64 addresses",
            true,
            Box::new(one_account),
        ),
        flood(
            "login, 64 accounts, one address",
            false,
            Box::new(|n| login(&format!("flood{}@example.com", n % 64), PASSWORD)),
        ),
        flood(
            "login, wrong passwords, one address",
            false,
            Box::new(|n| login(&format!("unknown{n}@example.com"), "not the right one")),
        ),
        flood(
            "register, one address",
            false,
            Box::new(|n| founding(&format!("new{n}@example.com"))),
        ),
        as_caller(
            "change-email, one account, 64 addresses",
            "POST",
            "/api/auth/change-email",
            json!({"email": "new@example.com", "password": PASSWORD}),
        ),
        as_caller(
            "change-password, one account, 64 addresses",
            "POST",
            "/api/auth/change-password",
            json!({"currentPassword": PASSWORD, "newPassword": PASSWORD}),
        ),
        as_caller(
            "DELETE mfa/totp, one account, 64 addresses",
            "DELETE",
            "/api/auth/mfa/totp",
            json!({"code": "123456", "password": PASSWORD}),
        ),
        flood(
            "reset-password, unknown token, one address",
            false,
            Box::new(move |_| Request::post_json("/api/auth/reset-password", &reset)),
        ),
    ]
}

async fn compare(server: SocketAddr, flood: &Flood) -> Result<()> {
    let (mut alone, mut flooded) = (Vec::new(), Vec::new());
    let (mut refused, mut answers) = (0, Answers::new());
    for _ in 0..ROUNDS {
        let quiet = Cell::new(false);
        alone.extend(others(server, &quiet, &mut refused).await?);
        let is_over = Cell::new(false);
        let (times, flood) = try_join(
            others(server, &is_over, &mut refused),
            send(server, flood, &is_over),
        )
        .await?;
        flooded.extend(times);
        for (status, count) in flood {
            *answers.entry(status).or_default() += count;
        }
    }
    let answers: Vec<String> = answers
        .iter()
        .map(|(status, count)| format!("{status}: {count}"))
        .collect();
    let (before, during) = (median(alone.clone()), median(flooded.clone()));
    println!(
        "  {:<44}{before:>8.0}{during:>8.0}{:>7.2}{:>8.0}{:>9}  {}",
        flood.name,
        during / before,
        quantile(&flooded, 0.99),
        format!("{refused}/{}", alone.len() + flooded.len()),
        answers.join(", ")
    );
    Ok(())
}

/// Signs the others in until the phase is over; returns how long each took.
async fn others(server: SocketAddr, is_over: &Cell<bool>, refused: &mut usize) -> Result<Vec<f64>> {
    let begun = Instant::now();
    let sign_in = async |(email, from): (&str, u8)| {
        let mut stream = connect_from(from, server).await?;
        let (request, mut buffer) = (login(email, PASSWORD), Vec::new());
        let (mut times, mut refused) = (Vec::new(), 0);
        while begun.elapsed() < PHASE {
            let asked = Instant::now();
            let (status, _) = exchange(&mut stream, &request, &mut buffer).await?;
            times.push(asked.elapsed().as_secs_f64() * 1000.0);
            refused += usize::from(status != 200);
        }
        Ok::<_, Box<dyn std::error::Error>>((times, refused))
    };
    let (first, second) = join(sign_in(OTHERS[0]), sign_in(OTHERS[1])).await;
    is_over.set(true);
    let (mut times, mut all_refused) = first?;
    let (more, more_refused) = second?;
    times.extend(more);
    all_refused += more_refused;
    *refused += all_refused;
    Ok(times)
}

/// Keeps every request in flight until the phase is over.
async fn send(server: SocketAddr, flood: &Flood, is_over: &Cell<bool>) -> Result<Answers> {
    let sent = Cell::new(0);
    let clients = (0..IN_FLIGHT).map(async |n| {
        let from = FLOOD_FROM + if flood.from_many { n } else { 0 };
        let mut stream = connect_from(from, server).await?;
        let (mut buffer, mut answers) = (Vec::new(), Answers::new());
        while !is_over.get() {
            let request = (flood.request)(sent.replace(sent.get() + 1));
            let Ok((status, _)) = exchange(&mut stream, &request, &mut buffer).await else {
                // It closes connections whose request it refuses unread.
                stream = connect_from(from, server).await?;
                continue;
            };
            *answers.entry(status).or_default() += 1;
            if matches!(status, 429 | 503) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Ok::<_, Box<dyn std::error::Error>>(answers)
    });
    let mut all = Answers::new();
    for answers in try_join_all(clients).await? {
        for (status, count) in answers {
            *all.entry(status).or_default() += count;
        }
    }
    Ok(all)
}

fn login(email: &str, password: &str) -> Request {
    let body = json!({"email": email, "password": password});
    Request::post_json("/api/auth/login", &body)
}

fn founding(email: &str) -> Request {
    let body = json!({
        "organizationName": "Bench", "firstName": "Ada", "lastName": "Lovelace",
        "email": email, "password": PASSWORD,
    });
    Request::post_json("/api/auth/register", &body)
}

async fn register(server: SocketAddr, email: &str) -> Result<()> {
    let (status, _) = ask(server, REGISTERED_FROM, &founding(email)).await?;
    if status == 201 {
        Ok(())
    } else {
        Err(format!("registering {email}: {status}").into())
    }
}

async fn ask(server: SocketAddr, from: u8, request: &Request) -> Result<(u16, Vec<u8>)> {
    let mut stream = connect_from(from, server).await?;
    exchange(&mut stream, request, &mut Vec::new()).await
}
