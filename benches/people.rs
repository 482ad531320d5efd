//! `cargo bench --bench people`: what a page of people and of the audit log costs in an organization of 100,000,
//! compared with one of 100, on both databases.
//!
//! Both organizations are in one database and are queried in turn, so that a busy neighbour slows both.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a failed measurement may panic, and results go to the terminal"
)]

mod support;

use std::net::SocketAddr;
use std::time::Instant;

use data_encoding::BASE64URL_NOPAD;
use tokio::net::TcpStream;

use support::cluster::Cluster;
use support::population::{Database, fill, register_organization, sign_in_as};
use support::{Request, Result, Server, exchange, machine, median};

const SMALL: u32 = 100;
const LARGE: u32 = 100_000;
/// People per page.
const LIMIT: u32 = 25;
const ROUNDS: usize = 9;
const REQUESTS: usize = 60;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("{}", machine());
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("bench.db");
    measure(&Database::Sqlite(path.display().to_string())).await?;
    match Cluster::start() {
        None => println!("PostgreSQL is not installed"),
        Some(cluster) => measure(&Database::Postgres(cluster.url("postgres"))).await?,
    }
    Ok(())
}

/// An organization and the person who lists it.
struct Organization {
    group: u32,
    count: u32,
    admin: String,
    manager: String,
}

/// The key of the `i`-th row, as a cursor.
fn cursor(group: u32, i: u32) -> String {
    let bytes = [
        &[0x01, 0x9b][..],
        &group.to_be_bytes(),
        &[0x70, 0x00, 0x80, 0x00, 0x00, 0x00],
        &i.to_be_bytes(),
    ]
    .concat();
    BASE64URL_NOPAD.encode(&bytes)
}

async fn measure(database: &Database) -> Result<()> {
    let server = Server::start(&database.url()).await?;
    let mut ids = Vec::new();
    for (group, count) in [(1, SMALL), (2, LARGE)] {
        ids.push(register_organization(server.address, group, count).await?);
    }
    drop(server);
    let begun = Instant::now();
    for (organization_id, group, count, manager_id) in &ids {
        fill(database, organization_id, *group, *count, manager_id).await?;
    }
    database.execute("analyze").await?;
    eprintln!("filled in {:.1} s", begun.elapsed().as_secs_f64());

    let server = Server::start(&database.url()).await?;
    let mut organizations = Vec::new();
    for (_, group, count, _) in ids {
        organizations.push(Organization {
            group,
            count,
            admin: sign_in_as(server.address, &format!("admin{group}@example.com")).await?,
            manager: sign_in_as(server.address, &format!("manager{group}@example.com")).await?,
        });
    }
    let name = match database {
        Database::Sqlite(_) => "SQLite",
        Database::Postgres(_) => "PostgreSQL",
    };
    println!(
        "{name}: microseconds a page of {LIMIT}, {SMALL} and {LARGE} people, medians of {ROUNDS} interleaved rounds"
    );
    for (what, request) in pages() {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (organization, times) in organizations.iter().zip(&mut times) {
                times.push(microseconds(server.address, &request(organization)).await?);
            }
        }
        let [small, large] = times.map(median);
        println!(
            "  {what:<34} {small:>8.0} {large:>8.0}   {:>6.2} x",
            large / small
        );
    }
    Ok(())
}

type Page = (&'static str, fn(&Organization) -> Request);

/// Pages of the same length in both organizations, except for searches.
fn pages() -> Vec<Page> {
    fn users(token: &str, query: &str) -> Request {
        Request::get(&format!("/api/users?limit={LIMIT}{query}"), Some(token))
    }
    fn audit(of: &Organization, query: &str) -> Request {
        Request::get(&format!("/api/audit?limit={LIMIT}{query}"), Some(&of.admin))
    }
    fn after(of: &Organization, i: u32) -> String {
        format!("&cursor={}", cursor(of.group, i))
    }
    vec![
        ("people, admin, first page", |of| users(&of.admin, "")),
        ("people, admin, middle", |of| {
            users(&of.admin, &after(of, of.count / 2))
        }),
        ("people, admin, last page", |of| {
            users(&of.admin, &after(of, of.count - LIMIT))
        }),
        ("people, manager of all, first page", |of| {
            users(&of.manager, "")
        }),
        ("people, manager of all, middle", |of| {
            users(&of.manager, &after(of, of.count / 2))
        }),
        ("people, manager of all, last page", |of| {
            users(&of.manager, &after(of, of.count - LIMIT))
        }),
        ("audit, first page", |of| audit(of, "")),
        ("audit, middle", |of| audit(of, &after(of, of.count / 2))),
        ("audit, of one action", |of| {
            audit(of, "&action=session.login")
        }),
        ("audit, refused", |of| audit(of, "&outcome=refused")),
        ("search, found on the first page", |of| {
            users(&of.admin, "&q=person")
        }),
        ("search, found nowhere", |of| users(&of.admin, "&q=nobody")),
    ]
}

/// Milliseconds per request, from one round on one connection.
async fn microseconds(address: SocketAddr, request: &Request) -> Result<f64> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    let mut times = Vec::new();
    for _ in 0..REQUESTS {
        let begun = Instant::now();
        let (status, body) = exchange(&mut stream, request, &mut buffer).await?;
        times.push(begun.elapsed().as_secs_f64() * 1e6);
        if status != 200 {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
        }
    }
    Ok(median(times))
}
