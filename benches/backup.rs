//! `cargo bench --bench backup`: a backup against the `.backup` of the `sqlite3` program, and rows a second of a copy.
//!
//! `BACKUP_MEGABYTES` is the size of the database, 1,000 unless it is set, and `COPY_ROWS` how many are copied, 200,000
//! unless it is set. Backups are made in turns, each to a new file.
#![allow(
    clippy::print_stdout,
    reason = "a failed measurement may panic, and results go to the terminal"
)]

mod support;

use std::process::{Command, Stdio};
use std::time::Instant;

use support::cluster::Cluster;
use support::population::Database;
use support::{Result, machine, median};

const ROUNDS: usize = 3;

/// Bytes of a row of the audit log, with its indexes.
const ROW: u64 = 500;

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// Seconds that a program takes.
fn seconds(command: &mut Command) -> Result<f64> {
    let begun = Instant::now();
    let output = command.stdin(Stdio::null()).output()?;
    let took = begun.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(took)
}

fn hallpass(database: &Database) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
    command
        .env("DATABASE_URL", database.url())
        .env("JWT_SECRET", "c1HqGm0Jr8vXn5sTzWqK3yLb7Rd2Fp6Ua9Ee4Oi");
    command
}

/// Rows of the audit log, which has no references.
async fn fill(database: &Database, rows: u64) -> Result<()> {
    seconds(hallpass(database).arg("migrate"))?;
    database
        .execute(&format!(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < {rows})
             insert into audit (id, at, action, outcome, actor_id, organization_id, address, request_id)
             select unhex(printf('%012x', i) || hex(randomblob(10))), i, 'session.created', 'ok', randomblob(16),
                 randomblob(16), '192.0.2.1', hex(randomblob(80)) from n"
        ))
        .await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("{}", machine());
    let directory = tempfile::tempdir()?;
    let file = |name: &str| directory.path().join(name).display().to_string();

    let large = Database::Sqlite(file("large.db"));
    fill(&large, number("BACKUP_MEGABYTES", 1_000) * 1_000_000 / ROW).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        ours.push(seconds(
            hallpass(&large).args(["backup", &file(&format!("ours{round}"))]),
        )?);
        let backup = format!(".backup '{}'", file(&format!("theirs{round}")));
        theirs.push(seconds(
            Command::new("sqlite3").args([&file("large.db"), &backup]),
        )?);
    }
    let size = std::fs::metadata(file("large.db"))?.len();
    let (ours, theirs) = (median(ours), median(theirs));
    println!(
        "backup of {} MB: {:.2} times as long as sqlite3 .backup ({ours:.1} s, {theirs:.1} s)",
        size / 1_000_000,
        ours / theirs
    );

    let rows = number("COPY_ROWS", 200_000);
    let source = Database::Sqlite(file("source.db"));
    fill(&source, rows).await?;
    let report = |to: &str, took: f64| {
        let per_second = rows as f64 / took;
        println!(
            "copy of {rows} rows to {to}: {per_second:.0} rows/s, {:.1} times 10,000",
            per_second / 10_000.0
        );
    };
    let sqlite = Database::Sqlite(file("target.db"));
    report(
        "SQLite",
        seconds(hallpass(&source).args(["copy", &source.url(), &sqlite.url()]))?,
    );
    if let Some(cluster) = Cluster::shared() {
        let url = cluster.url("postgres");
        report(
            "PostgreSQL",
            seconds(hallpass(&source).args(["copy", &source.url(), &url]))?,
        );
    }
    Ok(())
}
