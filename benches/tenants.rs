//! `cargo bench --bench tenants`: what the flood of one organization costs the people of another, on both databases.
//!
//! A hundred people of a small organization request their profile, refresh and sign in, one request at a time, in
//! rounds without a flood and with one from an organization of 100,000. The rounds are interleaved, so that a busy
//! neighbour slows both.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a failed measurement may panic, and results go to the terminal"
)]

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use support::cluster::Cluster;
use support::population::{Database, fill, register_organization, sign_in_as};
use support::{PASSWORD, Request, Result, Server, connect_from, exchange, machine, median};

const SMALL: u32 = 100;
const LARGE: u32 = 100_000;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(1500);
/// Requests of each kind between two sign-ins, whose hash takes as long as hundreds of the others.
const BETWEEN_SIGN_INS: usize = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("{}", machine());
    println!("medians of {ROUNDS} interleaved rounds, in milliseconds: alone / with the flood");
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("bench.db");
    measure("SQLite", &Database::Sqlite(path.display().to_string())).await?;
    match Cluster::start() {
        None => println!("PostgreSQL is not installed"),
        Some(cluster) => {
            measure("PostgreSQL", &Database::Postgres(cluster.url("postgres"))).await?;
        }
    }
    Ok(())
}

async fn measure(name: &str, database: &Database) -> Result<()> {
    let server = Server::start(&database.url()).await?;
    let mut large = String::new();
    for (group, count) in [(1, SMALL), (2, LARGE)] {
        let (id, _, _, manager) = register_organization(server.address, group, count).await?;
        fill(database, &id, group, count, &manager).await?;
        large = id;
    }
    // They sign in with the password of their admin.
    let password = "select password_hash from users where email = 'admin1@example.com'";
    database
        .execute(&format!(
            "update users set password_hash = ({password}) where email like '%@group1.example'; analyze"
        ))
        .await?;
    let mut people = Vec::new();
    for n in 1..=SMALL {
        let token = sign_in_as(server.address, &format!("person{n}@group1.example")).await?;
        people.push(token);
    }
    let admin = sign_in_as(server.address, "admin2@example.com").await?;
    println!("{name}:");
    for (what, connections, request) in floods(&large, &admin) {
        let mut times = [Times::default(), Times::default()];
        for _ in 0..ROUNDS {
            times[0].round(server.address, &people).await?;
            let flood = start(server.address, connections, &request).await?;
            times[1].round(server.address, &people).await?;
            drop(flood);
        }
        let [alone, flooded] = times;
        println!(
            "  {what}, {connections} at a time (not answered with 200: {})",
            flooded.refused
        );
        for (what, alone, flooded) in [
            ("/me", alone.me, flooded.me),
            ("refresh", alone.refresh, flooded.refresh),
            ("login", alone.login, flooded.login),
        ] {
            let (alone, flooded) = (median(alone), median(flooded));
            println!(
                "    {what:<8} {alone:>8.2} / {flooded:>8.2}   {:>6.2} x",
                flooded / alone
            );
        }
    }
    Ok(())
}

fn floods(organization: &str, admin: &str) -> Vec<(&'static str, u8, Request)> {
    let rename = json!({ "name": "Another Name" });
    let path = format!("/api/organizations/{organization}");
    let filtered = "/api/audit?action=session.login&outcome=refused&from=2020-01-01T00:00:00Z\
                    &to=2030-01-01T00:00:00Z&subjectId=019b0000-0000-7000-8000-000000000000";
    vec![
        (
            "renaming the organization",
            8,
            Request::patch_json(&path, admin, &rename),
        ),
        (
            "searching people",
            24,
            Request::get("/api/users?q=nobody", Some(admin)),
        ),
        (
            "filtering the audit log",
            8,
            Request::get(filtered, Some(admin)),
        ),
        (
            "PATCH /me",
            64,
            Request::patch_json("/api/auth/me", admin, &rename),
        ),
    ]
}

/// Sends the request again and again until it is dropped.
async fn start(server: SocketAddr, connections: u8, request: &Request) -> Result<JoinSet<()>> {
    let mut flood = JoinSet::new();
    for n in 1..=connections {
        let request = request.clone();
        let mut stream = connect_from(n, server).await?;
        flood.spawn(async move {
            let mut buffer = Vec::with_capacity(16 * 1024);
            while exchange(&mut stream, &request, &mut buffer).await.is_ok() {}
        });
    }
    Ok(flood)
}

/// Milliseconds.
#[derive(Default)]
struct Times {
    me: Vec<f64>,
    refresh: Vec<f64>,
    login: Vec<f64>,
    refused: usize,
}

impl Times {
    async fn round(&mut self, server: SocketAddr, people: &[String]) -> Result<()> {
        let mut stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let begun = Instant::now();
        for (n, token) in people.iter().enumerate().cycle() {
            let me = Request::get("/api/auth/me", Some(token));
            let refresh = Request::post("/api/auth/refresh", token);
            let mut requests = vec![(&mut self.me, me), (&mut self.refresh, refresh)];
            if n % BETWEEN_SIGN_INS == 0 {
                let email = format!("person{}@group1.example", n + 1);
                let body = json!({ "email": email, "password": PASSWORD });
                let login = Request::post_json("/api/auth/login", &body);
                requests.push((&mut self.login, login));
            }
            for (times, request) in requests {
                let mut buffer = Vec::with_capacity(4096);
                let sent = Instant::now();
                let (status, _) = exchange(&mut stream, &request, &mut buffer).await?;
                times.push(sent.elapsed().as_secs_f64() * 1000.0);
                self.refused += usize::from(status != 200);
            }
            if begun.elapsed() > ROUND {
                break;
            }
        }
        Ok(())
    }
}
