//! Checks that the test harness works.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use tokio_postgres::NoTls;

use crate::support::cluster::Cluster;
use crate::support::database::Db;
use crate::support::{eventually, scratch};

#[actix_web::test]
async fn a_postgres_cluster_stops_and_comes_back_with_its_data() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let db = Db::create_on(&cluster, "").await.unwrap();
    db.execute("create table kept (n int); insert into kept values (7)")
        .await;
    cluster.stop();
    assert!(TcpStream::connect(("127.0.0.1", cluster.port)).is_err());
    cluster.resume();
    eventually("PostgreSQL is back", async || {
        tokio_postgres::connect(&db.url(), NoTls).await.is_ok()
    })
    .await;
    assert_eq!(db.count("select n from kept").await, 7);
}

#[actix_web::test]
async fn nothing_outlives_a_test_process_that_is_killed() {
    // The test below, in a process of its own.
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "support_tests::a_process_to_kill", "--nocapture"])
        .env("HALLPASS_TEST_TO_KILL", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    let mut held = output.lines().map_while(Result::ok).filter_map(|line| {
        let (_, what) = line.split_once("holds ")?;
        Some(what.to_owned())
    });
    let (scratch, cluster) = (held.next().unwrap(), held.next().unwrap());
    assert!(Path::new(&scratch).exists());
    process.kill().unwrap();
    process.wait().unwrap();
    eventually("the files are gone", async || {
        !Path::new(&scratch).exists() && !Path::new(&cluster).exists()
    })
    .await;
}

/// Does nothing except for the test above.
#[test]
fn a_process_to_kill() {
    if std::env::var_os("HALLPASS_TEST_TO_KILL").is_none() {
        return;
    }
    let directory = scratch::fresh_directory("held");
    println!("holds {}", directory.parent().unwrap().display());
    match Cluster::start() {
        Some(cluster) => {
            println!("holds {}", cluster.directory.display());
            loop {
                std::thread::park();
            }
        }
        None => println!("holds no cluster"),
    }
}
