//! Clients that do not speak properly, or not in time.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::house::{Db, TestApp};

/// Above the ten seconds that are promised, so that a busy machine fails nothing.
const PATIENCE: Duration = Duration::from_secs(20);

#[actix_web::test]
async fn who_does_not_finish_a_request_is_cut_off_while_others_are_served() {
    let app = TestApp::start(Db::sqlite()).await;
    let address = app.client.address();
    let slow: Vec<_> = [
        "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: 100\r\n\r\n{\"email\"",
        "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n5\r\n{\"ema",
        "GET /api/auth/me HTTP/1.1\r\nhost: x\r\nauthorization: Bear",
    ]
    .into_iter()
    .map(|beginning| thread::spawn(move || exchange(address, beginning.as_bytes())))
    .collect();
    app.get("/livez").await.expect(200);
    for cut_off in slow {
        let answer = cut_off.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    app.get("/livez").await.expect(200);
}

#[actix_web::test]
async fn what_is_not_http_is_refused_and_the_server_lives() {
    let app = TestApp::start(Db::sqlite()).await;
    let address = app.client.address();
    let huge = format!(
        "GET /livez HTTP/1.1\r\nhost: x\r\nx-huge: {}\r\n\r\n",
        "x".repeat(500_000)
    );
    for nonsense in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"NONSENSE\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        huge.as_bytes(),
    ] {
        let answer = exchange(address, nonsense);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    app.get("/livez").await.expect(200);
}

#[actix_web::test]
async fn pipelined_requests_are_answered_in_order() {
    let app = TestApp::start(Db::sqlite()).await;
    let answers = exchange(
        app.client.address(),
        b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    let statuses: Vec<&str> = answers
        .match_indices("HTTP/1.1 ")
        .map(|(at, version)| &answers[at + version.len()..][..3])
        .collect();
    assert_eq!(statuses, ["200", "404"]);
}

/// Sends bytes and nothing more, and reads until the server closes the connection.
fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server that has heard enough may close before everything is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_ne!(
            error.kind(),
            ErrorKind::WouldBlock,
            "the connection stays open"
        );
    }
    String::from_utf8_lossy(&answer).into_owned()
}
