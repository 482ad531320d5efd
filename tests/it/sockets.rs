//! Malformed and slow clients.

use std::io::{ErrorKind, Read, Write};
use std::net::{self, SocketAddr};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::spawn_local;
use tokio::time::timeout;

use crate::support::{Db, TestApp};

/// Above the ten seconds that are promised, so that a busy machine fails no test.
const DEADLINE: Duration = Duration::from_secs(20);

#[actix_web::test]
async fn an_unfinished_request_is_cut_off_while_others_are_served() {
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

const SLOW_HEAD: &str = "GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ";
const SLOW_BODY: &str = "POST /api/auth/login HTTP/1.1\r\nhost: x\r\n\
     content-type: application/json\r\ncontent-length: 100\r\n\r\n{";

#[actix_web::test]
async fn five_hundred_slow_sockets_are_cut_off_and_block_no_one() {
    let app = TestApp::start(Db::sqlite()).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let address = app.client.address();
    // Before the attack, because their first requests must be in time.
    let mut answered = Vec::new();
    for _ in 0..125 {
        answered.push(answered_once(address).await);
    }
    let mut slow: Vec<_> = answered
        .into_iter()
        .map(|stream| spawn_local(never_ends(stream, SLOW_HEAD)))
        .collect();
    for _ in 0..125 {
        for beginning in [SLOW_HEAD, SLOW_BODY] {
            slow.push(spawn_local(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                never_ends(stream, beginning).await;
            }));
        }
        slow.push(spawn_local(never_reads(address)));
    }
    for _ in 0..100 {
        ada.me().await.expect(200);
    }
    for cut_off in slow {
        timeout(DEADLINE, cut_off)
            .await
            .expect("the connection is closed")
            .unwrap();
    }
    ada.me().await.expect(200);
}

async fn answered_once(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = [0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 200 "));
    stream
}

/// Sends the start of a request, and then a byte now and then until the connection ends.
async fn never_ends(mut stream: TcpStream, beginning: &str) {
    if stream.write_all(beginning.as_bytes()).await.is_err() {
        return;
    }
    let mut drops = tokio::time::interval(Duration::from_millis(500));
    let mut answer = [0; 4096];
    loop {
        tokio::select! {
            _ = drops.tick() => if stream.write_all(b"x").await.is_err() { return },
            read = stream.read(&mut answer) => if matches!(read, Ok(0) | Err(_)) { return },
        }
    }
}

/// Requests more than the socket buffers hold, and never reads.
async fn never_reads(address: SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let questions = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    while stream.write_all(questions.as_bytes()).await.is_ok() {}
}

#[actix_web::test]
async fn input_that_is_not_http_is_refused_and_the_server_survives() {
    let app = TestApp::start(Db::sqlite()).await;
    let address = app.client.address();
    let head = |field: &str, size| {
        format!(
            "GET /livez HTTP/1.1\r\nhost: x\r\n{field}{}\r\n\r\n",
            "x".repeat(size)
        )
        .into_bytes()
    };
    let fields: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let begins = |line: &str| format!("{line}\r\nhost: x\r\n\r\n").into_bytes();
    for (nonsense, status) in [
        // TLS, HTTP/2 and what was before HTTP/1.
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
            "400",
        ),
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(),
            "400",
        ),
        (b"GET /livez\r\n\r\n".to_vec(), "400"),
        (begins("GET /livez HTTP/2.0"), "400"),
        (begins("GET /livez HTTP/1.2"), "400"),
        (b"NONSENSE\r\n\r\n".to_vec(), "400"),
        // Heads that are too large, in each way.
        (head("x: ", 40_000), "431"),
        (head("x: ", 100_000), "431"),
        (head("x: ", 500_000), "431"),
        (
            begins(&format!("GET /{} HTTP/1.1", "x".repeat(60_000))),
            "431",
        ),
        (
            begins(&format!("GET /{} HTTP/1.1", "x".repeat(65_536))),
            "400",
        ),
        (
            begins(&format!("GET /livez?{} HTTP/1.1", "a=b&".repeat(10_000))),
            "431",
        ),
        (
            format!("GET /livez HTTP/1.1\r\nhost: x\r\n{fields}\r\n").into_bytes(),
            "431",
        ),
    ] {
        let answer = exchange(address, &nonsense);
        let seen = String::from_utf8_lossy(&nonsense[..nonsense.len().min(60)]).into_owned();
        // A client that still sends when the connection is closed may lose the answer.
        let is_lost = answer.is_empty() && nonsense.len() > 100_000;
        assert!(
            is_lost || answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{seen} → {answer}"
        );
        app.get("/livez").await.expect(200);
    }
}

/// Input that one of two servers in a row could read as two requests and the other as one: it gets one answer.
#[actix_web::test]
async fn no_request_is_smuggled_behind_another() {
    const FIELDS: [&str; 31] = [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        "content-length: 2\r\ncontent-length: 0\r\n\r\n{}",
        "content-length: 2\r\ncontent-length: 2\r\n\r\n{}",
        "content-length: 2, 2\r\n\r\n{}",
        "content-length: -1\r\n\r\n",
        "content-length: +2\r\n\r\n{}",
        "content-length: 0x2\r\n\r\n{}",
        "content-length: 99999999999999999999\r\n\r\n{}",
        "content-length: 18446744073709551616\r\n\r\n{}",
        "content-length: \r\n\r\n{}",
        "content-length : 2\r\n\r\n{}",
        "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: identity\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
        "transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "x-folded: a\r\n b\r\n\r\n",
        "x-bare: a\rcontent-length: 2\r\n\r\n{}",
        "x-nul: a\0b\r\n\r\n",
        "host: y\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n2\n{}\n0\n\n",
        "transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    ];
    let app = TestApp::start(Db::sqlite()).await;
    let address = app.client.address();
    let tries: Vec<_> = FIELDS
        .map(|fields| {
            let bytes = format!(
                "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{fields}\
                 GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"
            );
            (fields, thread::spawn(move || exchange(address, bytes.as_bytes())))
        })
        .into();
    for (fields, answer) in tries {
        let answer = answer.join().unwrap();
        let statuses = statuses(&answer);
        assert!(
            statuses == ["400"] || statuses == ["408"],
            "{fields:?} → {answer}"
        );
    }
    app.get("/livez").await.expect(200);
}

#[actix_web::test]
async fn unusual_but_valid_requests_get_one_answer_each() {
    let app = TestApp::start(Db::sqlite()).await;
    let address = app.client.address();
    let long_method = "A".repeat(20_000);
    for (line, status) in [
        ("TRACE /livez", "405"),
        ("CONNECT /livez", "405"),
        ("CONNECT livez:443", "404"),
        ("get /livez", "405"),
        ("FROBNICATE /livez", "405"),
        (&format!("{long_method} /livez"), "405"),
        ("OPTIONS *", "404"),
        ("GET *", "404"),
        ("GET livez", "404"),
        ("GET //livez", "404"),
        ("GET /%00", "404"),
        ("GET /%FF%FE", "404"),
        // Whatever host they name, this server answers.
        ("GET http://elsewhere.example/livez", "200"),
        ("GET /%6Civez", "200"),
    ] {
        let answer = exchange(
            address,
            format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes(),
        );
        assert_eq!(statuses(&answer), [status], "{line} → {answer}");
    }
    // Protocol upgrades are ignored.
    for upgrade in ["h2c", "websocket"] {
        let answer = exchange(
            address,
            format!(
                "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: {upgrade}\r\n\r\n"
            )
            .as_bytes(),
        );
        assert_eq!(statuses(&answer), ["200"], "{upgrade} → {answer}");
    }
    // A compressed body is refused.
    for path in [
        "/api/auth/login",
        "/reset-password",
        "/api/auth/signin/credentials",
    ] {
        for encoding in ["gzip", "br", "identity, gzip"] {
            let packed = app
                .post(path)
                .header("content-encoding", encoding)
                .body("application/json", b"\x1f\x8b\x08\0\0\0\0\0".as_slice())
                .await;
            assert_eq!(packed.status, 415, "{path} {encoding}");
            assert_eq!(
                packed.header("x-error-code"),
                Some("unsupported_media_type")
            );
        }
    }
    let plain = app
        .post("/api/auth/login")
        .header("content-encoding", "identity")
        .json(&json!({"email": "ada@acme.example", "password": "wrong"}));
    plain.await.refused(401, "Invalid credentials");
    app.get("/livez").await.expect(200);
}

#[actix_web::test]
async fn pipelined_requests_are_answered_in_order() {
    let app = TestApp::start(Db::sqlite()).await;
    let pair = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGET /nothing HTTP/1.1\r\nhost: x\r\n\r\n";
    let last = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    // More than is read at once, and more than is read ahead.
    for pairs in [50, 2000] {
        let answers = exchange(app.client.address(), (pair.repeat(pairs) + last).as_bytes());
        let mut expected = ["200", "404"].repeat(pairs);
        expected.push("302");
        assert_eq!(statuses(&answers), expected);
    }
}

fn statuses(answers: &str) -> Vec<&str> {
    answers
        .match_indices("HTTP/1.1 ")
        .map(|(at, version)| &answers[at + version.len()..][..3])
        .collect()
}

/// Sends these bytes and nothing more, and reads until the server closes the connection.
fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    // The server may close before everything is sent.
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
