//! A database that has lost transactions: every instance notices, and hears of what comes after.

use futures_util::future::join_all;

use crate::process::{Server, hallpass_on};
use crate::support::cluster::Cluster;
use crate::support::follower::{Follower, Verdict};
use crate::support::jwt::claims;
use crate::support::{Actor, Db, PASSWORD, TestApp, eventually};

/// As many as an instance would wait for if it only compared numbers.
const LOST: usize = 40;

struct Instances {
    here: TestApp,
    there: TestApp,
    ada: Actor,
    /// Of a service.
    key: String,
}

impl Instances {
    async fn start(db: Db) -> Self {
        let here = TestApp::start(db).await;
        let there = here.second_instance().await;
        let ada = here.signs_up("Acme", "ada@acme.example").await;
        let key = here.service_key("billing").await;
        Self {
            here,
            there,
            ada,
            key,
        }
    }

    async fn sessions(&self, count: usize) -> Vec<Actor> {
        join_all((0..count).map(|_| self.ada.signs_in_again())).await
    }

    /// Ends them, and waits until the other instance refuses them.
    async fn end(&self, sessions: &[Actor]) {
        for session in sessions {
            eventually("the session can be ended", async || {
                session.logs_out().await.status == 200
            })
            .await;
            let elsewhere = session.at(&self.there);
            eventually("the other instance has heard of it", async || {
                elsewhere.me().await.status == 401
            })
            .await;
        }
    }

    /// A service at each instance, which has the whole list.
    async fn followed(&self) -> [Follower; 2] {
        let key = &self.key;
        for instance in [&self.here, &self.there] {
            eventually("the instance knows the latest revocations", async || {
                instance.revocations(key, "").await.status == 200
            })
            .await;
        }
        let mut followers = [
            Follower::begin(&self.here, key).await,
            Follower::begin(&self.there, key).await,
        ];
        for follower in &mut followers {
            assert!(follower.is_fresh().await);
        }
        followers
    }

    async fn recover(&self) {
        for instance in [&self.here, &self.there] {
            eventually("the instance works again", async || {
                instance.get("/readyz").await.status == 200
                    && instance
                        .tries_to_log_in(&self.ada.email, PASSWORD)
                        .await
                        .status
                        == 200
            })
            .await;
        }
    }
}

/// Services hear of these ends too, on the stream that they have had all the time, with a new list.
async fn hear(followers: [Follower; 2], ended: &[Actor]) {
    for mut follower in followers {
        for session in ended {
            follower.judges(&session.token, Verdict::Revoked).await;
        }
        assert!(follower.resets >= 2);
    }
}

fn admin(cluster: &Cluster) -> Db {
    Db::Postgres {
        url: cluster.url("postgres"),
    }
}

#[actix_web::test]
async fn after_a_promotion_that_lost_changes_the_next_one_is_heard() {
    let Some(primary) = Cluster::start() else {
        return;
    };
    let Some(Db::Postgres { url }) = Db::create_on(&primary, "").await else {
        return;
    };
    let standby = primary.standby();
    let hosts = format!(
        "{url}?host=127.0.0.1&port={}&target_session_attrs=read-write",
        standby.port
    );
    let instances = Instances::start(Db::Postgres { url: hosts }).await;
    let (lost, later) = (instances.sessions(LOST).await, instances.sessions(5).await);

    let followers = instances.followed().await;
    let sessions = "select count(*) from sessions";
    let all = instances.here.db.count(sessions).await;
    let copy = Db::Postgres {
        url: url.replace(&format!(":{}", primary.port), &format!(":{}", standby.port)),
    };
    eventually("the standby has followed", async || {
        copy.count(sessions).await == all
    })
    .await;
    let cut = "alter system set primary_conninfo = ''";
    admin(&standby).execute(cut).await;
    admin(&standby).execute("select pg_reload_conf()").await;
    eventually("it is cut off", async || {
        admin(&standby)
            .count("select count(*) from pg_stat_wal_receiver")
            .await
            == 0
    })
    .await;
    instances.end(&lost).await;

    primary.crash();
    admin(&standby).execute("select pg_promote()").await;
    instances.recover().await;
    instances.end(&later).await;
    hear(followers, &later).await;
    // Who has heard of the lost ends goes on refusing; the database has forgotten them.
    for session in &lost {
        session.me().await.refused(401, "Token revoked");
        session
            .at(&instances.there)
            .me()
            .await
            .refused(401, "Token revoked");
    }
    let fresh = instances.here.second_instance().await;
    lost[0].at(&fresh).me().await.expect(200);
}

#[actix_web::test]
async fn a_standby_checks_tokens_in_the_database_until_it_is_promoted() {
    let Some(primary) = Cluster::start() else {
        return;
    };
    let Some(Db::Postgres { url }) = Db::create_on(&primary, "").await else {
        return;
    };
    let writes = TestApp::start(Db::Postgres { url: url.clone() }).await;
    let ada = writes.signs_up("Acme", "ada@acme.example").await;
    let ended = ada.signs_in_again().await;
    let standby = primary.standby();
    let copy = url.replace(&format!(":{}", primary.port), &format!(":{}", standby.port));
    let reads = TestApp::start(Db::Postgres { url: copy }).await;
    for session in [&ada, &ended] {
        session.at(&reads).me().await.expect(200);
    }
    assert_eq!(
        reads.readiness("revocations").await["detail"],
        "The database is a standby; tokens are checked in it."
    );
    let login = reads.tries_to_log_in(&ada.email, PASSWORD).await;
    login.refused(503, "Service unavailable");

    ended.logs_out().await.expect(200);
    eventually("the standby has followed", async || {
        ended.at(&reads).me().await.status == 401
    })
    .await;
    ada.at(&reads).me().await.expect(200);
    primary.stop();
    admin(&standby).execute("select pg_promote()").await;
    eventually("it is followed", async || {
        reads.readiness("revocations").await["detail"]
            == "Revocations were read within the last two seconds."
    })
    .await;
    ada.at(&reads).logs_out().await.expect(200);
}

#[actix_web::test]
async fn after_a_restore_under_running_instances_the_next_change_is_heard() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let Some(db) = Db::create_on(&cluster, "").await else {
        return;
    };
    let instances = Instances::start(db).await;
    let (lost, later) = (instances.sessions(LOST).await, instances.sessions(5).await);
    let name = instances
        .here
        .db
        .url()
        .rsplit_once('/')
        .unwrap()
        .1
        .to_owned();
    alone(
        &cluster,
        &name,
        &format!("create database older template {name}"),
    )
    .await;
    instances.recover().await;
    let followers = instances.followed().await;
    instances.end(&lost).await;

    alone(&cluster, &name, &format!("drop database {name}")).await;
    admin(&cluster)
        .execute(&format!("alter database older rename to {name}"))
        .await;
    instances.recover().await;
    instances.end(&later).await;
    hear(followers, &later).await;
}

/// Runs a statement that requires that nobody is connected to the database.
async fn alone(cluster: &Cluster, name: &str, statement: &str) {
    let admin = admin(cluster);
    admin
        .execute(&format!("alter database {name} allow_connections false"))
        .await;
    let away = format!(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{name}'"
    );
    admin.execute(&away).await;
    admin.execute(statement).await;
    if !statement.starts_with("drop") {
        admin
            .execute(&format!("alter database {name} allow_connections true"))
            .await;
    }
}

#[actix_web::test]
async fn after_a_crash_that_lost_commits_the_next_change_is_heard() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let Some(db) = Db::create_on(&cluster, "").await else {
        return;
    };
    let instances = Instances::start(db).await;
    let sessions = instances.sessions(40).await;
    admin(&cluster)
        .execute("alter system set synchronous_commit = off")
        .await;
    admin(&cluster).execute("select pg_reload_conf()").await;
    for round in sessions.chunks(10) {
        let (before, after) = round.split_at(5);
        for session in before {
            session.logs_out().await.expect(200);
        }
        cluster.crash();
        cluster.resume();
        instances.recover().await;
        instances.end(after).await;
    }
}

#[actix_web::test]
async fn lost_revocations_are_named_in_the_log() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let Some(db) = Db::create_on(&cluster, "").await else {
        return;
    };
    let server = Server::run(hallpass_on(&db, &["serve"])).await;
    let other = Server::run(hallpass_on(&db, &["serve"])).await;
    let (ada, bob) = (server.signs_up("acme").await, server.signs_up("bolt").await);
    let name = db.url().rsplit_once('/').unwrap().1.to_owned();
    alone(
        &cluster,
        &name,
        &format!("create database older template {name}"),
    )
    .await;
    for (path, token) in [("/api/auth/logout", &ada), ("/api/auth/logout-all", &bob)] {
        eventually("sessions can be ended", async || {
            other.client.post(path).bearer(token).await.status == 200
        })
        .await;
    }
    // Not from the database, which the server asks as long as it has not read the feed again.
    db.execute("alter table users rename to users_away").await;
    for token in [&ada, &bob] {
        eventually("the server has heard of it", async || {
            server.client.get("/api/auth/me").bearer(token).await.status == 401
        })
        .await;
    }

    alone(&cluster, &name, &format!("drop database {name}")).await;
    admin(&cluster)
        .execute(&format!("alter database older rename to {name}"))
        .await;
    let (ada, bob) = (claims(&ada), claims(&bob));
    let session = ada["sid"].as_str().unwrap().splitn(4, '-').last().unwrap();
    let user = bob["sub"].as_str().unwrap();
    eventually("the log names what is lost", async || {
        let log = server.output();
        [session, user, "the database has lost revocations"]
            .iter()
            .all(|words| log.contains(words))
    })
    .await;
}

/// A copy of an older state into the open file, as SQLite's backup API writes one.
#[actix_web::test]
async fn an_older_copy_of_a_sqlite_file_is_noticed() {
    let instances = Instances::start(Db::sqlite()).await;
    let (lost, later) = (instances.sessions(LOST).await, instances.sessions(5).await);
    let copy = crate::support::scratch::fresh_path("older.db");
    let db = &instances.here.db;
    db.execute(&format!("vacuum into '{}'", copy.display()))
        .await;
    instances.end(&lost).await;
    db.execute(&format!(
        "attach '{}' as older;
         begin immediate;
         delete from changes;
         insert into changes select * from older.changes;
         delete from sqlite_sequence where name = 'changes';
         insert into sqlite_sequence select * from older.sqlite_sequence where name = 'changes';
         update sessions set revoked_at = null;
         commit;",
        copy.display()
    ))
    .await;
    instances.end(&later).await;
}
