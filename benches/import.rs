//! `cargo bench --bench import`: how fast people are imported, and what sign-ins beside it notice.
//!
//! `IMPORT_PEOPLE` is how many, 50,000 unless it is set: an organization in which everybody has ten reports, with a
//! bcrypt for each. On each database, sign-ins are measured alone, and then while people are imported.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a failed measurement may panic, and results go to the terminal"
)]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpStream;

use support::cluster::Cluster;
use support::{Result, SECRET, Server, exchange, login, machine, quantile, sign_in};

/// How long sign-ins are measured alone.
const ALONE: Duration = Duration::from_secs(20);

/// The most reports of a manager.
const REPORTS: u32 = 10;

const MAPPING: &str = r#"
source = "bench"
[person]
external_id = "id"
email = "email"
verified = "verified"
name = "name"
password = { from = "password", scheme = "bcrypt" }
[membership]
organization = { from = "company", create = true }
role = { from = "role", map = { Boss = "admin", "*" = "employee" } }
manager = { from = "boss", by = "external_id" }
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("{}", machine());
    let people = std::env::var("IMPORT_PEOPLE").ok();
    let people: u32 = people
        .and_then(|people| people.parse().ok())
        .unwrap_or(50_000);
    let directory = tempfile::tempdir()?;
    let files = Files::write(directory.path(), people)?;
    let sqlite = directory.path().join("bench.db");
    measure(
        "SQLite",
        &format!("sqlite:{}", sqlite.display()),
        &files,
        people,
    )
    .await?;
    match Cluster::start() {
        Some(cluster) => {
            support::execute(&cluster.url("postgres"), "create database import").await?;
            measure("PostgreSQL", &cluster.url("import"), &files, people).await
        }
        None => Ok(()),
    }
}

/// The file with the people, and its mapping.
struct Files {
    people: PathBuf,
    mapping: PathBuf,
}

impl Files {
    fn write(directory: &Path, people: u32) -> Result<Self> {
        let mut text = "id,email,name,role,boss,company,verified,password\n".to_owned();
        for n in 0..people {
            let (role, boss) = match n {
                0 => ("Boss", String::new()),
                _ => ("Staff", format!("u{}", (n - 1) / REPORTS)),
            };
            // A salt and a checksum in the alphabet of bcrypt, whose last characters have bits that must be zero.
            let hash = format!("$2b$10$abcdefghijklmnopqrstuu{n:0>30}O");
            writeln!(
                text,
                "u{n},person{n}@bench.example,Person Number {n},{role},{boss},Bench,true,{hash}"
            )?;
        }
        let files = Self {
            people: directory.join("people.csv"),
            mapping: directory.join("bench.toml"),
        };
        fs::write(&files.people, text)?;
        fs::write(&files.mapping, MAPPING)?;
        Ok(files)
    }

    fn import(&self, database: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command
            .arg("import")
            .arg(&self.people)
            .arg("--map")
            .arg(&self.mapping)
            .args(["--yes", "--json"])
            .env_clear()
            .env("DATABASE_URL", database)
            .env("JWT_SECRET", SECRET)
            .env("RUST_LOG", "off")
            .stdout(Stdio::piped());
        command
    }
}

async fn measure(name: &str, database: &str, files: &Files, people: u32) -> Result<()> {
    let server = Server::start(database).await?;
    sign_in(server.address).await?;
    let begun = Instant::now();
    let alone = sign_ins(&server, || Ok(begun.elapsed() < ALONE)).await?;
    let mut running = Running::begin(files.import(database))?;
    let beside = sign_ins(&server, || running.goes_on()).await?;
    let (printed, seconds) = running.end()?;
    let created = printed["summary"]["created"].as_u64().unwrap_or_default();
    assert_eq!(created, u64::from(people), "{printed}");
    println!("{name}: {people} people, a tree with {REPORTS} reports for each manager");
    println!(
        "  {:.0} people/s with reading ({seconds:.1} s), at most {:.1} MB",
        f64::from(people) / seconds,
        running.megabytes
    );
    for (what, milliseconds) in [("alone", &alone), ("beside", &beside)] {
        println!(
            "  sign-ins {what:<7} {:>5}, p50 {:>6.1} ms, p99 {:>6.1} ms",
            milliseconds.len(),
            quantile(milliseconds, 0.5),
            quantile(milliseconds, 0.99)
        );
    }
    println!(
        "  p99 beside: {:.2} × alone",
        quantile(&beside, 0.99) / quantile(&alone, 0.99)
    );
    Ok(())
}

/// An import, and the most memory that it has used.
struct Running {
    process: Child,
    begun: Instant,
    megabytes: f64,
}

impl Running {
    fn begin(mut command: Command) -> Result<Self> {
        Ok(Self {
            process: command.spawn()?,
            begun: Instant::now(),
            megabytes: 0.0,
        })
    }

    fn goes_on(&mut self) -> Result<bool> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.trim().strip_suffix("kB"));
        if let Some(kilobytes) = peak {
            self.megabytes = kilobytes.trim().parse::<f64>()? / 1024.0;
        }
        Ok(self.process.try_wait()?.is_none())
    }

    /// What it has printed, and after how many seconds.
    fn end(&mut self) -> Result<(Value, f64)> {
        let status = self.process.wait()?;
        let seconds = self.begun.elapsed().as_secs_f64();
        let mut printed = String::new();
        let out = self.process.stdout.take().ok_or("no output")?;
        std::io::Read::read_to_string(&mut { out }, &mut printed)?;
        if !status.success() {
            return Err(format!("the import has ended: {status}").into());
        }
        Ok((serde_json::from_str(&printed)?, seconds))
    }
}

/// Signs in on one connection, again and again, while `goes_on`; returns how long each took, in milliseconds.
async fn sign_ins(server: &Server, mut goes_on: impl FnMut() -> Result<bool>) -> Result<Vec<f64>> {
    let mut milliseconds = Vec::new();
    let mut stream = TcpStream::connect(server.address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    let request = login();
    while goes_on()? {
        let sent = Instant::now();
        let (status, _) = exchange(&mut stream, &request, &mut buffer).await?;
        milliseconds.push(sent.elapsed().as_secs_f64() * 1000.0);
        if status != 200 {
            return Err(format!("a sign-in was answered {status}").into());
        }
    }
    Ok(milliseconds)
}
