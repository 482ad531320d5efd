//! Ten instances with one PostgreSQL: each hears of every revocation once, and none takes many connections.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio_postgres::NoTls;

use crate::support::cluster::Cluster;
use crate::support::pg_proxy::PgProxy;
use crate::support::{Actor, Answer, Db, TestApp, eventually};

const INSTANCES: usize = 10;

/// Connections of an instance with the default `DATABASE_POOL_SIZE`, besides one for each of its workers, as
/// docs/RUNBOOK.md says.
const MOST: usize = 8 + 6;
/// With every connection for requests in use: also the feed, readiness and housekeeping, and the one that listens.
const BUSY: usize = 8 + 3;
/// After a minute without requests, when all kinds of queries have been made before.
const IDLE: usize = 5;

/// Instances that share a database, each through a proxy of its own.
struct Fleet {
    db: Db,
    proxies: Vec<PgProxy>,
    instances: Vec<TestApp>,
}

impl Fleet {
    async fn start(cluster: &Cluster) -> Self {
        let db = Db::create_on(cluster, "").await.unwrap();
        let proxies = join_all((0..INSTANCES).map(|_| PgProxy::start(&db))).await;
        let start = |proxy: &PgProxy| TestApp::start(proxy.db(&db));
        let instances = join_all(proxies.iter().map(start)).await;
        Self {
            db,
            proxies,
            instances,
        }
    }

    /// Polls each instance until `holds`, and returns how long the slowest took.
    async fn everywhere(
        &self,
        what: &str,
        actor: &Actor,
        holds: impl AsyncFn(&Actor) -> bool,
    ) -> Duration {
        let holds = &holds;
        let each = self.instances.iter().map(|instance| async move {
            let actor = actor.at(instance);
            eventually(what, async || holds(&actor).await).await
        });
        let took = join_all(each).await;
        took.into_iter().max().unwrap()
    }

    async fn refuses(&self, how: &str, session: &Actor) -> Duration {
        let took = self
            .everywhere(how, session, async |session| {
                session.me().await.status == 401
            })
            .await;
        for instance in &self.instances {
            session
                .at(instance)
                .me()
                .await
                .refused(401, "Token revoked");
        }
        took
    }

    /// The session works at every instance, from memory from now on.
    async fn knows(&self, session: &Actor) {
        for instance in &self.instances {
            session.at(instance).me().await.expect(200);
        }
    }

    async fn connections(&self) -> usize {
        let count = "select count(*) from pg_stat_activity
             where datname = current_database() and application_name = 'hallpass'";
        usize::try_from(self.db.count(count).await).unwrap()
    }
}

/// A manager, and sessions of theirs.
struct Person {
    manager: Actor,
    single: Vec<Actor>,
    others: Vec<Actor>,
}

async fn person(fleet: &Fleet, ada: &Actor, n: usize) -> Person {
    let app = &fleet.instances[0];
    let manager = app
        .joins(ada.organization_id(), &format!("bob{n}@acme.example"))
        .await;
    let promotion = json!({"role": "manager"});
    ada.changes(&manager, promotion).await.expect(200);
    let mut sessions = Vec::new();
    for _ in 0..6 {
        sessions.push(manager.signs_in_again().await);
    }
    for session in &sessions {
        fleet.knows(session).await;
    }
    let others = sessions.split_off(3);
    Person {
        manager,
        single: sessions,
        others,
    }
}

/// Ends sessions, demotes, and ends all sessions, at the instance with this number. Returns how long it took at most
/// until all instances had heard of one of these.
async fn revokes(fleet: &Fleet, ada: &Actor, person: &Person, n: usize) -> Duration {
    let here = &fleet.instances[n];
    let mut slowest = Duration::ZERO;
    for session in &person.single {
        session.at(here).logs_out().await.expect(200);
        slowest = slowest.max(
            fleet
                .refuses("the end of a session is heard", session)
                .await,
        );
    }
    let members = person.manager.organization_path("/members");
    person.others[0].get(&members).await.expect(200);
    let demotion = json!({"role": "employee"});
    let ada = ada.at(here);
    ada.changes(&person.manager, demotion).await.expect(200);
    let took = fleet
        .everywhere("a demotion is heard", &person.others[0], async |bob| {
            bob.get(&members).await.status == 403
        })
        .await;
    slowest = slowest.max(took);
    let logout = person.others[1].at(here).post("/api/auth/logout-all").await;
    logout.expect(200);
    for session in &person.others {
        slowest = slowest.max(
            fleet
                .refuses("the end of all sessions is heard", session)
                .await,
        );
    }
    slowest
}

#[actix_web::test]
async fn ten_instances_hear_of_every_revocation_once() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let fleet = Fleet::start(&cluster).await;
    let ada = fleet.instances[0]
        .signs_up("Acme", "ada@acme.example")
        .await;
    let mut people = Vec::new();
    for n in 0..INSTANCES {
        people.push(person(&fleet, &ada, n).await);
    }
    let revoked = people
        .iter()
        .enumerate()
        .map(|(n, person)| revokes(&fleet, &ada, person, n));
    let slowest = join_all(revoked).await.into_iter().max().unwrap();
    eprintln!(
        "heard at all {INSTANCES} instances after {} ms at most",
        slowest.as_millis()
    );
    fleet.knows(&ada).await;

    let written = fleet.db.values("select seq as v from changes").await;
    let written: BTreeSet<i64> = written
        .into_iter()
        .map(|seq| seq.unwrap().parse().unwrap())
        .collect();
    // Of each: three sessions, one end of all, and the last of the changes of the role.
    assert!(written.len() >= INSTANCES * 5, "{written:?}");
    for proxy in &fleet.proxies {
        eventually("the feed has been read to its end", async || {
            let heard: BTreeSet<i64> = heard(proxy).into_iter().collect();
            written.is_subset(&heard)
        })
        .await;
        let heard = heard(proxy);
        let unique: BTreeSet<i64> = heard.iter().copied().collect();
        assert_eq!(heard.len(), unique.len(), "a change was read twice");
    }
}

fn heard(proxy: &PgProxy) -> Vec<i64> {
    let traffic = proxy.traffic().into_iter();
    traffic.flat_map(|one| one.changes).collect()
}

#[actix_web::test]
async fn ten_instances_take_few_connections_and_give_them_back() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let fleet = Fleet::start(&cluster).await;
    // So many organizations that their shares take all connections.
    let mut admins = Vec::new();
    for n in 0..4 {
        let email = format!("ada@acme{n}.example");
        admins.push(fleet.instances[0].signs_up("Acme", &email).await);
    }
    let (lock, connection) = tokio_postgres::connect(&fleet.db.url(), NoTls)
        .await
        .unwrap();
    actix_web::rt::spawn(connection);
    lock.batch_execute("begin; select 1 from users for update")
        .await
        .unwrap();
    let is_busy = &Cell::new(false);
    let name = &json!({"name": "Another Name"});
    let clients = fleet.instances.iter().flat_map(|instance| {
        let each = admins.iter().map(|admin| admin.at(instance));
        each.flat_map(|admin| (0..4).map(move |_| admin.clone()))
    });
    let load = join_all(clients.map(async |admin| {
        while !is_busy.get() {
            // Who has waited too long is told to come back.
            served_or_told_to_wait(&admin.patch("/api/auth/me").json(name).await);
        }
    }));
    let releases = async {
        let busy = connections_when(&fleet, |count| count >= INSTANCES * BUSY).await;
        is_busy.set(true);
        lock.batch_execute("commit").await.unwrap();
        busy
    };
    let ((), busy) = tokio::join!(async { drop(load.await) }, releases);
    // Searches have connections of their own.
    let searches = fleet.instances.iter().flat_map(|instance| {
        let each = admins.iter().map(|admin| admin.at(instance));
        each.map(async |admin| {
            served_or_told_to_wait(&admin.get("/api/users?q=ada").await);
        })
    });
    join_all(searches).await;
    let most = fleet.connections().await.max(busy);
    let workers = std::thread::available_parallelism().unwrap().get();
    assert!(most <= INSTANCES * (MOST + workers), "{most} connections");

    let idle = connections_when(&fleet, |count| count <= INSTANCES * IDLE).await;
    eprintln!(
        "{INSTANCES} instances have {busy} connections when busy, {most} at most, {idle} when idle"
    );
    for admin in &admins {
        let works = async |admin: &Actor| admin.me().await.status == 200;
        fleet.everywhere("it works as before", admin, works).await;
    }
}

fn served_or_told_to_wait(answer: &Answer) {
    assert!(
        matches!(answer.status.as_u16(), 200 | 503),
        "{}",
        answer.text()
    );
}

/// Waits for a number of connections. Idle ones are closed after a minute, so that this may take longer than that.
async fn connections_when(fleet: &Fleet, holds: impl Fn(usize) -> bool) -> usize {
    let start = Instant::now();
    loop {
        let count = fleet.connections().await;
        if holds(count) {
            return count;
        }
        assert!(
            start.elapsed() < Duration::from_secs(180),
            "{count} connections"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
