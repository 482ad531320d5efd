//! `cargo bench --bench housekeeping`: sign-ins on SQLite while dead rows are deleted.
//!
//! `HOUSEKEEPING_ROWS` is how many, 10,000,000 unless it is set. The purge of a server begins a minute after its start,
//! so a minute of sign-ins without it is compared with those until all rows are gone.
#![allow(
    clippy::print_stdout,
    reason = "a failed measurement may panic, and results go to the terminal"
)]

mod support;

use std::time::{Duration, Instant};

use diesel::sql_types::BigInt;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use tokio::net::TcpStream;

use support::population::Database;
use support::{Result, Server, exchange, login, machine, quantile, sign_in};

/// How long sign-ins are measured before the purge may begin.
const ALONE: Duration = Duration::from_secs(55);

/// Table and values of row `i`, all dead for long.
const TABLES: &[(&str, &str)] = &[
    (
        "failed_attempts (account, address, at)",
        "'account' || (i % 1000), '192.0.2.1', 1",
    ),
    (
        "failures_in_a_row (account, failures, last_at)",
        "'account' || i, 1, 1",
    ),
    (
        "one_time_tokens (hash, purpose, payload, expires_at)",
        "'hash' || i, 'x', 'x', 1",
    ),
    (
        "outbox (id, kind, recipient, created_at, sent_at)",
        "cast(printf('%016d', i) as blob), 'sent', 'a@b.example', 1, 1",
    ),
];

#[derive(QueryableByName)]
struct Rows {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// What the sign-ins of a phase met.
#[derive(Default)]
struct Phase {
    milliseconds: Vec<f64>,
    refused: usize,
    /// Bytes.
    largest_wal: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("{}", machine());
    let rows = std::env::var("HOUSEKEEPING_ROWS").ok();
    let rows: u32 = rows
        .and_then(|rows| rows.parse().ok())
        .unwrap_or(10_000_000);
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("bench.db").display().to_string();
    let database = Database::Sqlite(path.clone());
    let server = Server::start(&database.url()).await?;
    sign_in(server.address).await?;
    drop(server);
    fill(&database, rows / u32::try_from(TABLES.len())?).await?;

    let server = Server::start(&database.url()).await?;
    let begun = Instant::now();
    let alone = sign_ins(&server, &path, || Ok(begun.elapsed() < ALONE)).await?;
    let since = Instant::now();
    let meanwhile = sign_ins(&server, &path, || Ok(dead_rows(&path)? > 0)).await?;
    println!(
        "{rows} dead rows, gone after {:.0} s; sign-ins:",
        since.elapsed().as_secs_f64()
    );
    for (name, phase) in [("alone", &alone), ("meanwhile", &meanwhile)] {
        println!(
            "  {name:<10} {:>6} sign-ins, {} refused, p50 {:>6.1} ms, p99 {:>6.1} ms, slowest {:>6.1} ms, WAL at most {:.1} MB",
            phase.milliseconds.len(),
            phase.refused,
            quantile(&phase.milliseconds, 0.5),
            quantile(&phase.milliseconds, 0.99),
            quantile(&phase.milliseconds, 1.0),
            phase.largest_wal as f64 / 1e6
        );
    }
    let ratio = quantile(&meanwhile.milliseconds, 0.99) / quantile(&alone.milliseconds, 0.99);
    println!(
        "  p99 {ratio:.2} x, WAL afterwards {:.1} MB",
        wal(&path) as f64 / 1e6
    );
    Ok(())
}

async fn fill(database: &Database, count: u32) -> Result<()> {
    let numbers = format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < {count})"
    );
    for (table, values) in TABLES {
        let insert = format!("insert into {table} {numbers} select {values} from n");
        database.execute(&insert).await?;
    }
    database.execute("pragma wal_checkpoint(truncate)").await
}

/// Signs in on one connection, again and again, while `goes_on`; looks once a second.
async fn sign_ins(
    server: &Server,
    path: &str,
    goes_on: impl Fn() -> Result<bool>,
) -> Result<Phase> {
    let mut phase = Phase::default();
    let mut stream = TcpStream::connect(server.address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    let (request, mut looked) = (login(), Instant::now());
    loop {
        let sent = Instant::now();
        let (status, _) = exchange(&mut stream, &request, &mut buffer).await?;
        phase
            .milliseconds
            .push(sent.elapsed().as_secs_f64() * 1000.0);
        phase.refused += usize::from(status != 200);
        phase.largest_wal = phase.largest_wal.max(wal(path));
        if looked.elapsed() > Duration::from_secs(1) {
            looked = Instant::now();
            if !goes_on()? {
                return Ok(phase);
            }
        }
    }
}

fn wal(path: &str) -> u64 {
    std::fs::metadata(format!("{path}-wal")).map_or(0, |wal| wal.len())
}

fn dead_rows(path: &str) -> Result<i64> {
    let mut connection = SqliteConnection::establish(path)?;
    let any = "select exists (select 1 from failed_attempts where at = 1)
                   + exists (select 1 from failures_in_a_row where last_at = 1)
                   + exists (select 1 from one_time_tokens where expires_at = 1)
                   + exists (select 1 from outbox where sent_at = 1) as count";
    Ok(sql_query(any).get_result::<Rows>(&mut connection)?.count)
}
