//! `cargo bench --bench timing`: do response times reveal who has an account? On SQLite and on PostgreSQL.
//!
//! Pairs of requests, one for a known and one for an unknown address, run in random order. Welch's t says
//! whether the means differ (|t| ≥ 4.5 would be a leak, as in TVLA), and the AUC how well one response time
//! predicts the kind (0.5 is a coin toss; outside 0.45–0.55 would be a leak). Hashes have cost 4, so that the
//! time of everything else is visible.
//!
//! Then the hashes themselves: at cost 12, wrong passwords for a stored hash of cost 10, for one of an unusable form
//! and for an account without one, against an unknown address; the ratio of the medians would be a leak outside 0.9–1.1.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a failed measurement may panic, and results go to the terminal"
)]

mod support;

use std::net::SocketAddr;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use support::cluster::Cluster;
use support::{
    PASSWORD, Request, Result, Server, connect_from, exchange, execute, machine, median, once,
};

/// Pairs per comparison.
const PAIRS: usize = 2_000;

/// Pairs per comparison of hashes.
const HASHED_PAIRS: usize = 200;

const WRONG: &str = "not the right one at all";

/// Consecutive failures that lock an account for every address.
const LOCKED_AFTER: u8 = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // reqwest needs a provider at construction, although all traffic is local and unencrypted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    println!("{}", machine());
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("timing.db");
    measure("SQLite", &format!("sqlite:{}", path.display())).await?;
    match Cluster::start() {
        None => println!("PostgreSQL is not installed"),
        Some(cluster) => measure("PostgreSQL", &cluster.url("postgres")).await?,
    }
    Ok(())
}

async fn measure(database_name: &str, database: &str) -> Result<()> {
    let server = Server::start_with(hallpass("dev", database)).await?;
    let accounts = Accounts::create(server.address, database).await?;
    println!("{PAIRS} interleaved pairs each, mean milliseconds, bcrypt cost 4");
    print_head(database_name);
    for (name, email) in [
        ("login, wrong password", "ada@example.com"),
        ("login, disabled account", accounts.disabled.as_str()),
        (
            "login, account without a password (Slack)",
            accounts.slack_only.as_str(),
        ),
        ("login, unverified account", accounts.unverified.as_str()),
    ] {
        let known = login(email);
        let unknown = |n| login(&format!("unknown{n}@example.com"));
        compare(name, PAIRS, server.address, |_| known.clone(), unknown).await?;
    }
    for path in ["/api/auth/forgot-password", "/api/auth/resend-verification"] {
        let known = Request::post_json(path, &json!({"email": accounts.unverified}));
        compare(
            path,
            PAIRS,
            server.address,
            |_| known.clone(),
            |n| Request::post_json(path, &json!({"email": format!("unknown{n}@example.com")})),
        )
        .await?;
    }
    drop(server);

    let mut limited = hallpass("dev", database);
    limited.env("RATE_LIMITS", "on");
    let server = Server::start_with(limited).await?;
    let (known, unknown) = (login("ada@example.com"), login("unknown@example.com"));
    for request in [&known, &unknown] {
        lock(server.address, request).await?;
    }
    let name = "login, locked after a hundred wrong passwords";
    compare(
        name,
        PAIRS,
        server.address,
        |_| known.clone(),
        |_| unknown.clone(),
    )
    .await?;
    drop(server);
    measure_hashes(database_name, database, &accounts).await
}

async fn measure_hashes(database_name: &str, database: &str, accounts: &Accounts) -> Result<()> {
    let (cheap, unusable) = ("cheap@example.com", "unusable@example.com");
    let mut before = hallpass("dev", database);
    before.env("BCRYPT_COST", "10");
    let server = Server::start_with(before).await?;
    for email in [cheap, unusable] {
        register(server.address, email).await?;
    }
    drop(server);
    let sql = format!("update users set password_hash = '{{SSHA}}x' where email = '{unusable}'");
    execute(database, &sql).await?;

    let mut raised = hallpass("dev", database);
    raised.env("BCRYPT_COST", "12");
    let server = Server::start_with(raised).await?;
    println!("{HASHED_PAIRS} interleaved pairs each, mean milliseconds, bcrypt cost 12");
    print_head(database_name);
    for (name, email) in [
        ("login, stored hash of cost 10", cheap),
        ("login, unusable stored hash", unusable),
        ("login, no stored hash", accounts.slack_only.as_str()),
    ] {
        let known = login(email);
        let unknown = |n| login(&format!("nobody{n}@example.com"));
        compare(
            name,
            HASHED_PAIRS,
            server.address,
            |_| known.clone(),
            unknown,
        )
        .await?;
    }
    Ok(())
}

fn print_head(database_name: &str) {
    println!(
        "{database_name:<46}{:>8}{:>10}{:>8}{:>7}{:>8}",
        "known", "unknown", "t", "AUC", "ratio"
    );
}

async fn register(server: SocketAddr, email: &str) -> Result<()> {
    let found = json!({
        "organizationName": "Bench", "firstName": "Una", "lastName": "Verified",
        "email": email, "password": PASSWORD,
    });
    once(server, &Request::post_json("/api/auth/register", &found)).await?;
    Ok(())
}

fn login(email: &str) -> Request {
    let body = json!({"email": email, "password": WRONG});
    Request::post_json("/api/auth/login", &body)
}

/// From many addresses, because ten failures from one would block that address only.
async fn lock(server: SocketAddr, wrong: &Request) -> Result<()> {
    let mut buffer = Vec::new();
    for n in 0..LOCKED_AFTER {
        let mut stream = connect_from(100 + n % 20, server).await?;
        exchange(&mut stream, wrong, &mut buffer).await?;
    }
    Ok(())
}

/// The server without rate limits, because a measurement looks like an attack.
fn hallpass(command: &str, database: &str) -> Command {
    let mut hallpass = Command::new(env!("CARGO_BIN_EXE_hallpass"));
    hallpass
        .args(command.split(' '))
        .env_clear()
        .env("DATABASE_URL", database)
        .env("JWT_SECRET", "Zt7Yw4Vx1Uq8Sp5Ro2Nm9Lk6Ji3Hg0Fe7Dc4Ba1")
        .env("RATE_LIMITS", "off")
        .env("RUST_LOG", "off");
    if command == "dev" {
        hallpass.env("BCRYPT_COST", "4");
    }
    hallpass
}

/// The addresses of people in every state.
struct Accounts {
    disabled: String,
    slack_only: String,
    unverified: String,
}

impl Accounts {
    async fn create(address: SocketAddr, database: &str) -> Result<Self> {
        let (disabled, unverified) = ("grace@example.com", "una@example.com");
        let status = hallpass("user disable", database)
            .arg(disabled)
            .stdout(std::process::Stdio::null())
            .status()?;
        if !status.success() {
            return Err("hallpass user disable failed".into());
        }
        register(address, unverified).await?;
        Ok(Self {
            disabled: disabled.to_owned(),
            slack_only: sign_in_with_slack(address).await?,
            unverified: unverified.to_owned(),
        })
    }
}

/// Signs in one of the sandbox's personas and returns their address.
async fn sign_in_with_slack(address: SocketAddr) -> Result<String> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let base = format!("http://{address}");
    let begun: Value = client
        .get(format!("{base}/api/auth/slack/url?returnUrl={base}/demo"))
        .send()
        .await?
        .json()
        .await?;
    let mut next = format!("{}&as=member", begun["url"].as_str().ok_or("no url")?);
    for _ in 0..2 {
        let answer = client.get(&next).send().await?;
        let location = answer.headers().get("location").ok_or("no redirect")?;
        next = location.to_str()?.to_owned();
    }
    let token = next
        .split(['#', '&'])
        .find_map(|part| part.strip_prefix("token="))
        .ok_or("no token")?;
    let (_, me) = once(address, &Request::get("/api/auth/me", Some(token))).await?;
    let me: Value = serde_json::from_slice(&me)?;
    Ok(me["email"].as_str().ok_or("no address")?.to_owned())
}

async fn compare(
    name: &str,
    pairs: usize,
    address: SocketAddr,
    known: impl Fn(usize) -> Request,
    unknown: impl Fn(usize) -> Request,
) -> Result<()> {
    let mut buffer = Vec::new();
    let (mut knowns, mut unknowns) = (Vec::new(), Vec::new());
    let mut statuses = (0, 0);
    let mut streams = Vec::new();
    for n in 1..=16 {
        streams.push(connect_from(n, address).await?);
    }
    for n in 0..pairs {
        let stream = &mut streams[n % 16];
        // In a fixed order, the after-effects of the first would be charged to the second.
        let known_first = (n.wrapping_mul(0x9e37_79b9) >> 7) & 1 == 0;
        for is_known in [known_first, !known_first] {
            let request = if is_known { known(n) } else { unknown(n) };
            let begun = Instant::now();
            let (status, _) = exchange(stream, &request, &mut buffer).await?;
            let time = begun.elapsed().as_secs_f64() * 1000.0;
            if is_known {
                knowns.push(time);
                statuses.0 = status;
            } else {
                unknowns.push(time);
                statuses.1 = status;
            }
        }
    }
    if statuses.0 != statuses.1 {
        return Err(format!("{name}: {} and {}", statuses.0, statuses.1).into());
    }
    println!(
        "  {name:<44}{:>8.3}{:>10.3}{:>8.2}{:>7.3}{:>8.3}",
        mean(&knowns),
        mean(&unknowns),
        welch(&knowns, &unknowns),
        auc(&knowns, &unknowns),
        median(knowns.clone()) / median(unknowns.clone())
    );
    Ok(())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Variance of the mean.
fn error(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    squares / (values.len() as f64 - 1.0) / values.len() as f64
}

/// Welch, B. L. (1947): how many standard errors the means are apart. The slowest twentieth is left out, because
/// it is noise of the machine.
fn welch(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (without_the_slowest(a), without_the_slowest(b));
    (mean(&a) - mean(&b)) / (error(&a) + error(&b)).sqrt()
}

fn without_the_slowest(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.truncate(values.len() * 19 / 20);
    values
}

/// How often a known address takes longer than an unknown one (Mann and Whitney, 1947), ties counted half.
fn auc(known: &[f64], unknown: &[f64]) -> f64 {
    let mut unknown = unknown.to_vec();
    unknown.sort_by(f64::total_cmp);
    let longer: f64 = known
        .iter()
        .map(|time| {
            let below = unknown.partition_point(|other| other < time);
            let not_above = unknown.partition_point(|other| other <= time);
            (below + not_above) as f64 / 2.0
        })
        .sum();
    longer / (known.len() * unknown.len()) as f64
}
