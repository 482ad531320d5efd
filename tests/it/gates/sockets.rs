//! Requests with bodies that a gate does not read, byte by byte.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::GATES;
use crate::support::{Db, TestApp};

const DEADLINE: Duration = Duration::from_secs(20);

/// Everything that comes back, until the server closes the connection.
async fn exchange(address: SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
    read.expect("the server closes the connection").unwrap();
    String::from_utf8(answer).unwrap()
}

#[actix_web::test]
async fn a_body_that_never_comes_is_not_waited_for() {
    let app = TestApp::start(Db::sqlite()).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    for gate in GATES {
        for body in [
            "content-length: 1000000000\r\n\r\n",
            "content-length: 1000000000\r\n\r\nGET /livez HTTP/1.1\r\nhost: x\r\n\r\n",
            "content-length: 1000000000\r\nexpect: 100-continue\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\n40000000\r\nGET /livez HTTP/1.1\r\nhost: x\r\n\r\n",
        ] {
            let head = format!(
                "POST {gate} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{body}",
                ada.token
            );
            let answer = exchange(app.client.address(), head.as_bytes()).await;
            let answer = answer
                .strip_prefix("HTTP/1.1 100 Continue\r\n\r\n")
                .unwrap_or(&answer);
            let answers = answer.matches("HTTP/1.1 ").count();
            assert!(
                answer.starts_with("HTTP/1.1 200 ") && answers == 1,
                "{body:?}: {answer}"
            );
            // Nobody may send another request on it.
            assert!(
                answer.to_lowercase().contains("connection: close"),
                "{body:?}: {answer}"
            );
        }
    }
}

#[actix_web::test]
async fn a_body_is_never_taken_for_the_next_request() {
    let app = TestApp::start(Db::sqlite()).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let within = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    let last = "GET /api/auth/csrf HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    for gate in GATES {
        for body in [
            format!("content-length: {}\r\n\r\n{within}", within.len()),
            format!(
                "transfer-encoding: chunked\r\n\r\n{:x}\r\n{within}\r\n0\r\n\r\n",
                within.len()
            ),
        ] {
            let sent = format!(
                "PROPFIND {gate}/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{body}{last}",
                ada.token
            );
            let answer = exchange(app.client.address(), sent.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            // Either the connection has ended, or the next answer is that of the next request.
            match answer.matches("HTTP/1.1 ").count() {
                1 => assert!(
                    answer.to_lowercase().contains("connection: close"),
                    "{answer}"
                ),
                2 => assert!(answer.contains("csrfToken"), "{answer}"),
                _ => panic!("{answer}"),
            }
        }
    }
}

/// As no client would write them, but proxies may.
#[actix_web::test]
async fn a_path_leads_nowhere_else() {
    let app = TestApp::start(Db::sqlite()).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    for gate in GATES {
        for tail in [
            "/../me",
            "/../../../livez",
            "/%2e%2e/me",
            "/..;/me",
            "/./",
            "/\\..\\me",
            "//../me?x=/../me",
        ] {
            let ask = async |credential: &str| {
                let sent = format!(
                    "DELETE {gate}{tail} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {credential}\r\n\
                     connection: close\r\n\r\n"
                );
                exchange(app.client.address(), sent.as_bytes()).await
            };
            let answer = ask(&ada.token).await;
            assert!(
                answer.starts_with("HTTP/1.1 200 ") && answer.contains("remote-user: "),
                "{tail} {answer}"
            );
            let answer = ask("nonsense").await;
            assert!(answer.starts_with("HTTP/1.1 401 "), "{tail} {answer}");
        }
    }
}

#[actix_web::test]
async fn what_begins_another_protocol_is_answered_like_every_request() {
    let app = TestApp::start(Db::sqlite()).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    for head in [
        "GET {} HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade, close\r\nsec-websocket-key: x\r\n",
        "GET {} HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade, close\r\nhttp2-settings: AAMAAABk\r\n",
        "GET {} HTTP/1.0\r\n",
    ] {
        let head = head.replace("{}", GATES[0]);
        for (credential, status) in [(&*ada.token, "200"), ("nonsense", "401")] {
            let sent = format!("{head}host: x\r\nauthorization: Bearer {credential}\r\n\r\n");
            let answer = exchange(app.client.address(), sent.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1."), "{answer}");
            assert_eq!(answer.get(9..12), Some(status), "{sent} {answer}");
        }
    }
}
