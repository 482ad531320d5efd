//! `cargo bench --bench scale`: what changes with size, compared with another build of Hallpass.
//!
//! `SCALE_BASELINE` is the path of the other binary; without it only this build is measured. Arguments are the sections
//! to run (`logouts`, `refresh`, `people`, `start`, `memory`; all if there is none), as in
//! `cargo bench --bench scale -- start`. `SCALE_DIVISOR=100` makes a hundredth of all rows.
//!
//! Both builds have databases of their own on one PostgreSQL, with `fsync = on` for logouts, and run interleaved.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a failed measurement may panic, and results go to the terminal"
)]

mod support;

use std::cell::Cell;
use std::net::SocketAddr;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};

use support::cluster::Cluster;
use support::population::Database;
use support::tokens::Signer;
use support::{
    Request, Result, Server, connect_from, exchange, machine, median, once, serve, sign_in,
};

const ROUNDS: u32 = 5;
const ROUND: Duration = Duration::from_millis(1500);
/// The limit of a start that reads millions of rows.
const PATIENCE: Duration = Duration::from_secs(120);
/// Logouts of a round, and the connections that share them.
const LOGOUTS: u32 = 800;
const CONNECTIONS: u8 = 16;

/// A build of Hallpass.
#[derive(Clone)]
struct Build {
    name: &'static str,
    binary: String,
}

impl Build {
    fn all() -> Vec<Self> {
        let this = Self {
            name: "this",
            binary: env!("CARGO_BIN_EXE_hallpass").to_owned(),
        };
        let baseline = std::env::var("SCALE_BASELINE").ok().map(|binary| Self {
            name: "baseline",
            binary,
        });
        baseline.into_iter().chain([this]).collect()
    }

    fn serves(&self, database: &str) -> Command {
        serve(&self.binary, database)
    }

    async fn starts(&self, database: &str) -> Result<Server> {
        Server::start_within(self.serves(database), PATIENCE).await
    }
}

fn rows(count: u32) -> u32 {
    let divisor = std::env::var("SCALE_DIVISOR").ok();
    count
        / divisor
            .and_then(|divisor| divisor.parse().ok())
            .unwrap_or(1)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("{}", machine());
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let is_wanted = |section: &str| wanted.is_empty() || wanted.iter().any(|name| name == section);
    let builds = Build::all();
    if is_wanted("memory") {
        memory(&builds).await?;
    }
    let Some(cluster) = Cluster::start() else {
        println!("PostgreSQL is not installed");
        return Ok(());
    };
    if is_wanted("refresh") {
        refresh(&builds, &cluster).await?;
    }
    if is_wanted("logouts") {
        logouts(&builds, &cluster).await?;
    }
    if is_wanted("people") {
        people(&builds, &cluster).await?;
    }
    if is_wanted("start") {
        start(&builds, &cluster).await?;
    }
    Ok(())
}

/// A database of its own for a section and a build.
async fn database(cluster: &Cluster, section: &str, build: &Build) -> Result<Database> {
    let name = format!("{section}_{}", build.name);
    support::execute(&cluster.url("postgres"), &format!("create database {name}")).await?;
    Ok(Database::Postgres(cluster.url(&name)))
}

/// A number that a query returns.
async fn number(database: &Database, query: &str) -> Result<f64> {
    let (client, connection) =
        tokio_postgres::connect(&database.url(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let row = client
        .query_one(&format!("select ({query})::float8"), &[])
        .await?;
    Ok(row.get(0))
}

fn ratio(name: &str, values: &[f64], unit: &str) {
    let shown: Vec<String> = values
        .iter()
        .map(|value| format!("{value:>10.1}"))
        .collect();
    let compared = match values {
        [baseline, this] => format!("   {:>5.2} x", this / baseline),
        _ => String::new(),
    };
    println!("  {name:<44} {} {unit}{compared}", shown.join(" "));
}

async fn memory(builds: &[Build]) -> Result<()> {
    println!("memory of a server over SQLite, MB: {}", names(builds));
    let mut idle = Vec::new();
    let mut documented = Vec::new();
    for build in builds {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("bench.db");
        let server = build.starts(&format!("sqlite:{}", path.display())).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        idle.push(server.resident_megabytes()?);
        for page in ["/openapi.json", "/docs"] {
            once(server.address, &Request::get(page, None)).await?;
        }
        documented.push(server.resident_megabytes()?);
    }
    ratio("idle, with a JWT_SECRET", &idle, "MB");
    let more: Vec<f64> = documented
        .iter()
        .zip(&idle)
        .map(|(after, before)| after - before)
        .collect();
    ratio("more after /openapi.json and /docs", &more, "MB");
    Ok(())
}

fn names(builds: &[Build]) -> String {
    let names: Vec<&str> = builds.iter().map(|build| build.name).collect();
    names.join(", ")
}

async fn refresh(builds: &[Build], cluster: &Cluster) -> Result<()> {
    println!(
        "refreshes a second, medians of {ROUNDS} interleaved rounds: {}, a bare route",
        names(builds)
    );
    let directory = tempfile::tempdir()?;
    for (engine, connections) in [("PostgreSQL", &[1, 8, 64][..]), ("SQLite", &[8])] {
        let mut servers = Vec::new();
        for build in builds {
            let url = if engine == "SQLite" {
                format!("sqlite:{}", directory.path().join(build.name).display())
            } else {
                database(cluster, "refresh", build).await?.url()
            };
            let server = build.starts(&url).await?;
            let token = sign_in(server.address).await?;
            servers.push((server, Request::post("/api/auth/refresh", &token)));
        }
        for &connections in connections {
            let mut rates = vec![Vec::new(); servers.len() + 1];
            let mut cpu = vec![Vec::new(); servers.len() + 1];
            for _ in 0..ROUNDS {
                let bare = servers
                    .last()
                    .map(|(server, _)| (server, Request::get("/livez", None)));
                let all = servers
                    .iter()
                    .map(|(server, request)| (server, request.clone()))
                    .chain(bare);
                for (n, (server, request)) in all.enumerate() {
                    let before = server.cpu_seconds()?;
                    let rate = rate(server.address, &request, connections).await?;
                    let used = server.cpu_seconds()? - before;
                    rates[n].push(rate);
                    cpu[n].push(used * 1e6 / (rate * ROUND.as_secs_f64()));
                }
            }
            let mut rates: Vec<f64> = rates.into_iter().map(median).collect();
            let mut cpu: Vec<f64> = cpu.into_iter().map(median).collect();
            let (bare, bare_cpu) = (
                rates.pop().unwrap_or(f64::NAN),
                cpu.pop().unwrap_or(f64::NAN),
            );
            ratio(
                &format!("{engine}, {connections} connections"),
                &rates,
                "/s",
            );
            ratio("own CPU for each", &cpu, "µs");
            let this = rates.last().copied().unwrap_or(f64::NAN);
            println!(
                "  {:<44} {bare:>10.1} /s, {bare_cpu:.1} µs; refresh is {:.2} of it",
                "bare route",
                this / bare
            );
        }
    }
    Ok(())
}

/// Requests a second of one kind; all must be answered with 200.
async fn rate(server: SocketAddr, request: &Request, connections: u8) -> Result<f64> {
    let until = Instant::now() + ROUND;
    let mut all = JoinSet::new();
    for n in 1..=connections {
        let mut stream = connect_from(n, server).await?;
        let request = request.clone();
        all.spawn(async move {
            let (mut buffer, mut count) = (Vec::with_capacity(4096), 0_u32);
            while Instant::now() < until {
                match exchange(&mut stream, &request, &mut buffer).await {
                    Ok((200, _)) => count += 1,
                    Ok((status, _)) => return Err(format!("{status}")),
                    Err(error) => return Err(error.to_string()),
                }
            }
            Ok(count)
        });
    }
    let mut count = 0;
    while let Some(done) = all.join_next().await {
        count += done??;
    }
    Ok(f64::from(count) / ROUND.as_secs_f64())
}

/// Users of the bench, and the tokens of their sessions.
struct Crowd {
    signer: Signer,
    /// The time with which the ids of sessions begin: an older session would have ended.
    time: String,
}

impl Crowd {
    /// Copies the first user, and a session for each number of `sessions`, which may be none.
    async fn of(database: &Database, server: &Server, users: u32, sessions: u32) -> Result<Self> {
        let token = sign_in(server.address).await?;
        let signer = Signer::of(&token)?;
        let (user, session) = (signer.claim("sub")?, signer.claim("sid")?);
        let time = session.get(..13).ok_or("no time")?.to_owned();
        let copy = |table: &str, whose: &str, changed: &str, count: u32| {
            format!(
                "insert into {table}
                 select copied.* from {table} as original, generate_series(1, {count}) as i,
                     jsonb_populate_record(null::{table}, to_jsonb(original) || {changed}) as copied
                 where original.{whose};"
            )
        };
        let user_number = "('019b0000-0000-7000-8000-' || lpad(to_hex(i % USERS), 12, '0'))"
            .replace("USERS", &users.to_string());
        // The triggers would fill tables of which no request here reads anything.
        database
            .execute(&format!(
                "set session_replication_role = replica; {} {} {} analyze;",
                copy(
                    "users",
                    &format!("id = '{user}'"),
                    &format!("jsonb_build_object('id', {user_number}, 'email', i || '@x.example')"),
                    users
                ),
                copy(
                    "memberships",
                    &format!("user_id = '{user}'"),
                    &format!("jsonb_build_object('user_id', {user_number})"),
                    users
                ),
                copy(
                    "sessions",
                    &format!("id = '{session}'"),
                    &format!(
                        "jsonb_build_object('user_id', {user_number},
                             'id', '{time}-7000-8000-' || lpad(to_hex(i), 12, '0'))"
                    ),
                    sessions
                ),
            ))
            .await?;
        Ok(Self { signer, time })
    }

    fn token(&self, user: u64, session: u64) -> String {
        self.signer.sign(
            &format!("019b0000-0000-7000-8000-{user:012x}"),
            &format!("{}-7000-8000-{session:012x}", self.time),
        )
    }
}

async fn logouts(builds: &[Build], cluster: &Cluster) -> Result<()> {
    const USERS: u32 = 1000;
    println!(
        "logouts a second, fsync = on, {CONNECTIONS} connections in all: {}",
        names(builds)
    );
    let admin = cluster.url("postgres");
    support::execute(&admin, "alter system set fsync = on").await?;
    support::execute(&admin, "select pg_reload_conf()").await?;
    let mut all = Vec::new();
    for build in builds {
        let database = database(cluster, "logouts", build).await?;
        let servers = [
            build.starts(&database.url()).await?,
            build.starts(&database.url()).await?,
        ];
        let sessions = LOGOUTS * 2 * ROUNDS;
        let crowd = Crowd::of(&database, &servers[0], USERS, sessions).await?;
        all.push((database, servers, crowd, 1..=sessions));
    }
    let mut rates = [(); 2].map(|()| vec![Vec::new(); builds.len()]);
    let mut flushes = [(); 2].map(|()| vec![Vec::new(); builds.len()]);
    for _ in 0..ROUNDS {
        for (n, (database, servers, crowd, sessions)) in all.iter_mut().enumerate() {
            for instances in 1..=2 {
                let tokens: Vec<String> = sessions
                    .take(LOGOUTS as usize)
                    .map(|session| crowd.token((session % USERS).into(), session.into()))
                    .collect();
                let before = wal_syncs(database).await?;
                let addresses: Vec<SocketAddr> = servers
                    .iter()
                    .map(|server| server.address)
                    .take(instances)
                    .collect();
                rates[instances - 1][n].push(log_out(&addresses, &tokens).await?);
                let synced = wal_syncs(database).await? - before;
                flushes[instances - 1][n].push(synced / f64::from(LOGOUTS));
            }
        }
    }
    for (instances, (rates, flushes)) in ["one instance", "two instances"]
        .iter()
        .zip(rates.into_iter().zip(flushes))
    {
        let rates: Vec<f64> = rates.into_iter().map(median).collect();
        let flushes: Vec<f64> = flushes.into_iter().map(|all| median(all) * 100.0).collect();
        ratio(instances, &rates, "/s");
        ratio("WAL flushes per hundred logouts", &flushes, "");
    }
    support::execute(&admin, "alter system reset fsync").await?;
    support::execute(&admin, "select pg_reload_conf()").await
}

/// Statistics reach the view within a second of a transaction's end.
async fn wal_syncs(database: &Database) -> Result<f64> {
    tokio::time::sleep(Duration::from_millis(1500)).await;
    number(database, "select wal_sync from pg_stat_wal").await
}

/// Logs all out, and returns how many a second.
async fn log_out(servers: &[SocketAddr], tokens: &[String]) -> Result<f64> {
    let begun = Instant::now();
    let mut all = JoinSet::new();
    let share = tokens.len().div_ceil(usize::from(CONNECTIONS));
    for (n, tokens) in (1..).zip(tokens.chunks(share)) {
        let mut stream = connect_from(n, servers[usize::from(n) % servers.len()]).await?;
        let requests: Vec<Request> = tokens
            .iter()
            .map(|token| Request::post("/api/auth/logout", token))
            .collect();
        all.spawn(async move {
            let mut buffer = Vec::with_capacity(4096);
            for request in requests {
                match exchange(&mut stream, &request, &mut buffer).await {
                    Ok((200..=299, _)) => {}
                    Ok((status, body)) => {
                        return Err(format!("{status}: {}", String::from_utf8_lossy(&body)));
                    }
                    Err(error) => return Err(error.to_string()),
                }
            }
            Ok(())
        });
    }
    while let Some(done) = all.join_next().await {
        done??;
    }
    Ok(tokens.len() as f64 / begun.elapsed().as_secs_f64())
}

async fn people(builds: &[Build], cluster: &Cluster) -> Result<()> {
    let (few, many) = (rows(50_000), rows(1_000_000));
    println!("/me a second of {few} and of {many} people in turn, on PostgreSQL:");
    let mut variants = Vec::new();
    for build in builds {
        let database = database(cluster, "people", build).await?;
        let first = build.starts(&database.url()).await?;
        let crowd = Rc::new(Crowd::of(&database, &first, many, 0).await?);
        drop(first);
        variants.push((
            build.name.to_owned(),
            build.serves(&database.url()),
            Rc::clone(&crowd),
        ));
        if build.name == "this" {
            let mut command = build.serves(&database.url());
            command.env("PEOPLE_CACHE_SIZE", many.to_string());
            variants.push((format!("this, PEOPLE_CACHE_SIZE={many}"), command, crowd));
        }
    }
    for (name, command, crowd) in variants {
        let server = Server::start_within(command, PATIENCE).await?;
        // Half of what the cache holds is warm after one round.
        let warm = few / 2;
        walk(&server, &crowd, warm, 1).await?;
        let (mut rates, mut colder) = (Vec::new(), Vec::new());
        if name.contains('=') {
            walk(&server, &crowd, many, 1).await?;
        }
        for _ in 0..ROUNDS {
            rates.push(walk(&server, &crowd, warm, 4).await?);
            colder.push(walk(&server, &crowd, many, 1).await?);
        }
        let (warm, cold) = (median(rates), median(colder));
        println!(
            "  {name:<44} {warm:>10.0} {cold:>10.0} /s   {:>5.2} x, {:.0} MB",
            cold / warm,
            server.resident_megabytes()?
        );
    }
    Ok(())
}

/// Requests the profile of each of the first `count` users, or of as many as can be in some seconds; several times.
async fn walk(server: &Server, crowd: &Rc<Crowd>, count: u32, times: u32) -> Result<f64> {
    let next = Rc::new(Cell::new(0_u32));
    let begun = Instant::now();
    let local = LocalSet::new();
    let mut all = Vec::new();
    for n in 1..=32 {
        let mut stream = connect_from(n, server.address).await?;
        let (crowd, next) = (Rc::clone(crowd), Rc::clone(&next));
        all.push(local.spawn_local(async move {
            let mut buffer = Vec::with_capacity(4096);
            while next.get() < count * times {
                let number = next.replace(next.get() + 1);
                // Not in the order of the table.
                let user = u64::from(number) * 7_919 % u64::from(count);
                let request = Request::get("/api/auth/me", Some(&crowd.token(user, number.into())));
                match exchange(&mut stream, &request, &mut buffer).await {
                    Ok((200, _)) => {}
                    Ok((status, body)) => {
                        return Err(format!("{status}: {}", String::from_utf8_lossy(&body)));
                    }
                    Err(error) => return Err(error.to_string()),
                }
            }
            Ok(())
        }));
    }
    local.await;
    for done in all {
        done.await??;
    }
    Ok(f64::from(count * times) / begun.elapsed().as_secs_f64())
}

async fn start(builds: &[Build], cluster: &Cluster) -> Result<()> {
    println!("start with living revocations, on PostgreSQL:");
    let admin = cluster.url("postgres");
    support::execute(&admin, "alter system set log_min_duration_statement = 1000").await?;
    support::execute(&admin, "select pg_reload_conf()").await?;
    let mut filled = Vec::new();
    for build in builds {
        let database = database(cluster, "start", build).await?;
        let server = build.starts(&database.url()).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        filled.push((build, database, server.resident_megabytes()?));
    }
    for count in [rows(2_000_000), rows(10_000_000)] {
        for (build, database, _) in &filled {
            if build.name == "baseline" && count > rows(2_000_000) {
                continue;
            }
            // Session ids of today, whose tokens expire within a week.
            database
                .execute(&format!(
                    "insert into changes (kind, user_id, session_id, at, expires_at)
                     select 'session_ended', id, id, now(), now() + random() * interval '7 days'
                     from (select gen_random_uuid() as id from generate_series(1, {count})) as ids
                     limit {count} - (select count(*) from changes);
                     analyze changes;"
                ))
                .await?;
        }
        for (build, database, empty) in &filled {
            if build.name == "baseline" && count > rows(2_000_000) {
                continue;
            }
            let slow = slow_statements(cluster)?;
            let begun = Instant::now();
            let server = match build.starts(&database.url()).await {
                Ok(server) => server,
                Err(why) => {
                    println!(
                        "  {:<10} {count:>9}: {why}, after {:.1} s",
                        build.name,
                        begun.elapsed().as_secs_f64()
                    );
                    continue;
                }
            };
            let ready = begun.elapsed();
            while !knows_all(&server).await? {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let complete = begun.elapsed();
            let bytes = |megabytes: f64| (megabytes - empty) * 1024.0 * 1024.0 / f64::from(count);
            println!(
                "  {:<10} {count:>9}: ready after {:>6.2} s, complete after {:>6.2} s, {:>5.1} bytes each, {:>5.1} at the \
                 peak, statements above a second: {}",
                build.name,
                ready.as_secs_f64(),
                complete.as_secs_f64(),
                bytes(server.resident_megabytes()?),
                bytes(server.peak_megabytes()?),
                slow_statements(cluster)? - slow
            );
        }
    }
    Ok(())
}

async fn knows_all(server: &Server) -> Result<bool> {
    let (_, body) = once(server.address, &Request::get("/readyz?verbose", None)).await?;
    let ready: serde_json::Value = serde_json::from_slice(&body)?;
    let checks = ready["checks"].as_array().ok_or("no checks")?;
    let check = checks
        .iter()
        .find(|check| check["name"] == "revocations")
        .ok_or("no such check")?;
    // It is `ok` while it still reads.
    let detail = check["detail"].as_str().ok_or("no detail")?;
    Ok(detail.contains("were read"))
}

/// How often PostgreSQL has logged a statement of more than a second. Those that fill tables are finished by then.
fn slow_statements(cluster: &Cluster) -> Result<usize> {
    let log = std::fs::read_to_string(cluster.directory.join("log"))?;
    Ok(log
        .lines()
        .filter(|line| line.contains("LOG:  duration: "))
        .count())
}
