//! The memory of a server, idle and with very many idle connections.

use std::fs;

use rustix::process::{Resource, getrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::process::Server;
use crate::support::Db;

const MANY: u64 = 20_000;

/// For the other tests of this process, and for the server's own files.
const LEFT_TO_OTHERS: u64 = 2_000;

#[actix_web::test]
async fn twenty_thousand_idle_connections_do_not_block_other_clients() {
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let count = allowed.saturating_sub(LEFT_TO_OTHERS).min(MANY);
    if count < MANY {
        eprintln!(
            "\n*** only {allowed} open files are allowed here: TRIED WITH {count} CONNECTIONS INSTEAD OF {MANY} ***\n"
        );
    }
    let server = Server::start(&Db::sqlite()).await;
    let token = &*server.signs_up("acme").await;
    let before = memory(&server);

    let mut idle = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(server.client.address()).await.unwrap();
        // A connection without a first request is cut off, so each has been answered once.
        stream
            .write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let mut answer = [0; 1024];
        let read = stream.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200 "));
        idle.push(stream);
    }
    for _ in 0..100 {
        server
            .client
            .get("/api/auth/me")
            .bearer(token)
            .await
            .expect(200);
    }
    server.signs_in("acme").await;
    let each = (memory(&server) - before) * 1024 / count.max(1);
    eprintln!("{count} idle connections take {each} bytes of memory each");
}

#[actix_web::test]
async fn the_apis_documents_leave_no_memory_in_use() {
    let server = Server::start(&Db::sqlite()).await;
    let before = kib(&server, "RssAnon:");
    for _ in 0..3 {
        server.client.get("/openapi.json").await.expect(200);
        assert_eq!(server.client.get("/docs").await.status, 200);
    }
    let after = kib(&server, "RssAnon:");
    assert!(after < before + 3 * 1024, "{before} KiB, then {after}");
}

/// Resident, in KiB.
fn memory(server: &Server) -> u64 {
    kib(server, "VmRSS:")
}

/// A line of `/proc/<pid>/status`.
fn kib(server: &Server, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
