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
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_postgres::NoTls;

use support::cluster::Cluster;
use support::{PASSWORD, Request, Result, Server, exchange, machine, median, once};

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

enum Database {
    /// The path of its file.
    Sqlite(String),
    /// Its URL.
    Postgres(String),
}

impl Database {
    fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{path}"),
            Self::Postgres(url) => url.clone(),
        }
    }

    async fn execute(&self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(path) => {
                let mut connection = SqliteConnection::establish(path)?;
                connection
                    .batch_execute("pragma foreign_keys = on; pragma busy_timeout = 60000")?;
                connection.batch_execute(sql)?;
            }
            Self::Postgres(url) => {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
                tokio::spawn(connection);
                client.batch_execute(sql).await?;
            }
        }
        Ok(())
    }

    fn id(&self, uuid: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{}'", uuid.replace('-', "")),
            Self::Postgres(_) => format!("'{uuid}'::uuid"),
        }
    }

    /// An SQL expression for the id of the `i`-th row of an organization.
    fn numbered(&self, group: u32) -> String {
        match self {
            Self::Sqlite(_) => format!("unhex(printf('019b{group:08x}700080000000%08x', i))"),
            Self::Postgres(_) => format!(
                "('019b{:04x}-{:04x}-7000-8000-0000' || lpad(to_hex(i), 8, '0'))::uuid",
                group >> 16,
                group & 0xffff
            ),
        }
    }

    fn numbers(&self, count: u32) -> String {
        match self {
            Self::Sqlite(_) => format!(
                "(with recursive n(i) as (select 1 union all select i + 1 from n where i < {count}) select i from n)"
            ),
            Self::Postgres(_) => format!("generate_series(1, {count}) as i"),
        }
    }

    fn now(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "1767225600000000",
            Self::Postgres(_) => "now()",
        }
    }
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
            admin: sign_in(server.address, &format!("admin{group}@example.com")).await?,
            manager: sign_in(server.address, &format!("manager{group}@example.com")).await?,
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

/// Registers an organization with an admin and a future manager; returns the ids.
async fn register_organization(
    address: SocketAddr,
    group: u32,
    count: u32,
) -> Result<(String, u32, u32, String)> {
    let found = json!({
        "organizationName": format!("Organization {group}"), "firstName": "Ada", "lastName": "Lovelace",
        "email": format!("admin{group}@example.com"), "password": PASSWORD,
    });
    let (_, body) = once(address, &Request::post_json("/api/auth/register", &found)).await?;
    let founded: Value = serde_json::from_slice(&body)?;
    let organization_id = text(&founded["organization"]["id"])?;
    let join = json!({
        "organizationId": organization_id, "name": "Grace Hopper",
        "email": format!("manager{group}@example.com"), "password": PASSWORD,
    });
    let (_, body) = once(address, &Request::post_json("/api/auth/register", &join)).await?;
    let joined: Value = serde_json::from_slice(&body)?;
    Ok((organization_id, group, count, text(&joined["user"]["id"])?))
}

async fn sign_in(address: SocketAddr, email: &str) -> Result<String> {
    let body = json!({ "email": email, "password": PASSWORD });
    let (_, body) = once(address, &Request::post_json("/api/auth/login", &body)).await?;
    let answer: Value = serde_json::from_slice(&body)?;
    text(&answer["accessToken"])
}

fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().ok_or("no text")?.to_owned())
}

/// Ten people per manager, all below one manager, and as many audit rows.
async fn fill(
    database: &Database,
    organization_id: &str,
    group: u32,
    count: u32,
    manager_id: &str,
) -> Result<()> {
    let organization = database.id(organization_id);
    let top = database.id(manager_id);
    let id = database.numbered(group);
    let above = id.replace(", i)", ", i / 10)").replace("(i)", "(i / 10)");
    let numbers = database.numbers(count);
    let now = database.now();
    database
        .execute(&format!(
            "begin;
             update memberships set role = 'manager' where user_id = {top};
             insert into users (id, email, name, ver, created_at, updated_at)
             select {id}, 'person' || i || '@group{group}.example', 'Person ' || i, 0, {now}, {now}
             from {numbers} order by i;
             insert into memberships (user_id, organization_id, role, manager_id, created_at, updated_at)
             select {id}, {organization}, 'employee', case when i < 10 then {top} else {above} end, {now}, {now}
             from {numbers} order by i;
             insert into audit (id, at, action, outcome, actor_id, subject_id, organization_id, address, request_id)
             select {id}, {now}, 'session.login', case when i % 4 = 0 then 'refused' else 'ok' end,
                 {id}, {id}, {organization}, '198.51.100.7', 'request-' || i
             from {numbers} order by i;
             commit;"
        ))
        .await
}
