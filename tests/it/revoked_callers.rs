//! A caller who loses a right while their request is open finishes nothing with it.
//!
//! The head and the first byte of the body are sent, the caller is demoted, removed or signed out, and only then does
//! the rest of the body follow. The routes come from the OpenAPI document, so that a new one is tried as well.

use hallpass::http::openapi_json;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::role_matrix::{Cell, Kind, body, everything, routes};
use crate::support::{Actor, OTHER_PASSWORD, SESSION_COOKIE, TestApp, on_both_databases};

/// What carries the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Bearer,
    Cookie,
    Service,
    SessionToken,
}

/// What ends the caller's right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Demotion,
    Disabling,
    Removal,
    Logout,
    LogoutAll,
    /// `DELETE /api/auth/sessions/{id}`, and `DELETE /api/tokens/{id}` for a service.
    Revocation,
    /// Of an account with a verified address.
    Reset,
    /// The first reset of an account whose address nobody had verified.
    Claim,
}

const OF_PEOPLE: [Ending; 8] = [
    Ending::Demotion,
    Ending::Disabling,
    Ending::Removal,
    Ending::Logout,
    Ending::LogoutAll,
    Ending::Revocation,
    Ending::Reset,
    Ending::Claim,
];

/// A service outlives its owner's sign-ins.
const OF_SERVICES: [Ending; 5] = [
    Ending::Demotion,
    Ending::Disabling,
    Ending::Removal,
    Ending::Revocation,
    Ending::Claim,
];

on_both_databases! {
    async fn a_bearer_token_revoked_meanwhile_finishes_no_request(app: TestApp) {
        try_every_route(&app, &app, Carrier::Bearer, &OF_PEOPLE).await;
    }

    async fn a_token_revoked_at_another_instance_finishes_no_request(app: TestApp) {
        let there = app.second_instance().await;
        try_every_route(&app, &there, Carrier::Bearer, &OF_PEOPLE).await;
    }

    async fn a_session_cookie_revoked_meanwhile_finishes_no_request(app: TestApp) {
        try_every_route(&app, &app, Carrier::Cookie, &OF_PEOPLE).await;
    }

    async fn a_service_revoked_meanwhile_finishes_no_request(app: TestApp) {
        try_every_route(&app, &app, Carrier::Service, &OF_SERVICES).await;
    }

    async fn a_session_token_revoked_meanwhile_finishes_no_request(app: TestApp) {
        let there = app.second_instance().await;
        for instance in [&app, &there] {
            try_every_route(&app, instance, Carrier::SessionToken, &OF_PEOPLE).await;
        }
    }

    async fn what_was_made_around_an_ending_works_no_later_either(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let rogue = app.joins(ada.organization_id(), "rogue@acme.example").await;
        let credential = ("authorization", format!("Bearer {}", rogue.token));
        let body = json!({"name": "later"});
        let held = Held::begin(&app, "post", "/api/tokens", &[credential], &body).await;
        ada.changes(&rogue, json!({"disabled": true})).await.expect(200);
        assert_eq!(held.finish().await, 401);
        ada.changes(&rogue, json!({"disabled": false})).await.expect(200);
        rogue.me().await.refused(401, "Token revoked");
        assert_eq!(app.db.count("select count(*) from api_tokens").await, 0);
    }
}

async fn try_every_route(app: &TestApp, instance: &TestApp, carrier: Carrier, endings: &[Ending]) {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let email = format!("{}@acme.example", uuid::Uuid::now_v7());
    let ada = app.signs_up("Acme", &email).await;
    let mut faults = Vec::new();
    let mut tried = 0;
    for (method, route, example) in routes(&document) {
        if !takes(&document, method, route, carrier) {
            continue;
        }
        for ending in endings {
            tried += 1;
            let body = body(method, route)
                .or_else(|| example.clone())
                .unwrap_or(json!({}));
            let what = format!("{method} {route} by {carrier:?} after {ending:?}");
            if let Err(fault) = try_route(
                app,
                instance,
                &ada,
                (method, route, &body),
                carrier,
                *ending,
            )
            .await
            {
                faults.push(format!("{what}: {fault}"));
            }
        }
    }
    assert!(tried >= endings.len(), "the document names no such route");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether a route changes something, reads a body and takes this credential.
fn takes(document: &Value, method: &str, route: &str, carrier: Carrier) -> bool {
    let operation = &document["paths"][route][method];
    let scheme = match carrier {
        Carrier::Bearer | Carrier::Service => "bearer",
        Carrier::Cookie => "sessionCookie",
        Carrier::SessionToken => "sessionToken",
    };
    let schemes = operation["security"].as_array();
    method != "get"
        && operation.get("requestBody").is_some()
        && schemes.is_some_and(|schemes| schemes.iter().any(|it| it.get(scheme).is_some()))
}

async fn try_route(
    app: &TestApp,
    instance: &TestApp,
    ada: &Actor,
    (method, route, body): (&str, &str, &Value),
    carrier: Carrier,
    ending: Ending,
) -> Result<(), String> {
    let cell = Cell::of(app, ada, Kind::Admin).await;
    let caller = cell.caller.as_ref().unwrap();
    if ending != Ending::Claim {
        let token = app.mailed_token(&caller.email, "verify_email").await;
        app.verifies(&token).await.expect(200);
    }
    let credential = Credential::of(&cell, carrier).await;
    let (path, headers) = credential.request(&cell.path(route));
    let held = Held::begin(app, method, &path, &headers, body).await;
    end(app, instance, ada, caller, &credential, ending).await;

    let before = everything(app).await;
    if ending == Ending::Demotion {
        // What an employee may do is done; what they may not is refused.
        let control = Held::begin(app, method, &path, &headers, body)
            .await
            .finish()
            .await;
        if control != 403 {
            return match held.finish().await {
                status if status < 500 || status == control => Ok(()),
                status => Err(format!("{status}")),
            };
        }
    }
    let status = held.finish().await;
    // Ending a session that has ended is success.
    let is_refused = matches!(status, 401 | 403) || route == "/api/auth/logout";
    if !is_refused {
        return Err(format!("{status}"));
    }
    if everything(app).await != before {
        return Err(format!("{status}, and something changed"));
    }
    Ok(())
}

async fn end(
    app: &TestApp,
    instance: &TestApp,
    ada: &Actor,
    caller: &Actor,
    credential: &Credential,
    ending: Ending,
) {
    let (ada, caller) = (ada.at(instance), caller.at(instance));
    let answer = match ending {
        Ending::Demotion => ada.changes(&caller, json!({"role": "employee"})).await,
        Ending::Disabling => ada.changes(&caller, json!({"disabled": true})).await,
        Ending::Removal => ada.delete(&format!("/api/users/{}", caller.id())).await,
        Ending::Logout => match credential {
            Credential::SessionToken(token) => {
                instance
                    .post(&format!("/api/v1/logout?token={token}"))
                    .await
            }
            _ => caller.logs_out().await,
        },
        Ending::LogoutAll => caller.post("/api/auth/logout-all").await,
        Ending::Revocation => match credential {
            Credential::Service { id, .. } => ada.delete(&format!("/api/tokens/{id}")).await,
            _ => {
                let kind = match credential {
                    Credential::SessionToken(_) => "token",
                    _ => "jwt",
                };
                let other = caller.signs_in_again().await;
                let sessions = other.sessions().await;
                let session = sessions
                    .iter()
                    .find(|session| session["kind"] == kind && session["current"] == false)
                    .unwrap();
                let id = session["id"].as_str().unwrap();
                other.delete(&format!("/api/auth/sessions/{id}")).await
            }
        },
        Ending::Reset | Ending::Claim => {
            instance.forgets_password(&caller.email).await.expect(200);
            let token = app.mailed_token(&caller.email, "reset_password").await;
            instance.resets_password(&token, OTHER_PASSWORD).await
        }
    };
    answer.expect(200);
}

enum Credential {
    Bearer(String),
    Cookie(String),
    Service { id: String, token: String },
    SessionToken(String),
}

impl Credential {
    async fn of(cell: &Cell, carrier: Carrier) -> Self {
        let caller = cell.caller.as_ref().unwrap();
        match carrier {
            Carrier::Bearer => Self::Bearer(caller.token.clone()),
            Carrier::Cookie => Self::Cookie(caller.token.clone()),
            Carrier::SessionToken => Self::SessionToken(cell.session_token.clone().unwrap()),
            Carrier::Service => {
                let body = json!({"name": "a service", "role": "admin"});
                let created = caller.post("/api/tokens").json(&body).await.expect(201);
                Self::Service {
                    id: created["id"].as_str().unwrap().to_owned(),
                    token: created["token"].as_str().unwrap().to_owned(),
                }
            }
        }
    }

    fn request(&self, path: &str) -> (String, Vec<(&'static str, String)>) {
        let headers = match self {
            Self::Bearer(token) | Self::Service { token, .. } => {
                vec![("authorization", format!("Bearer {token}"))]
            }
            Self::Cookie(token) => vec![
                ("cookie", format!("{SESSION_COOKIE}={token}")),
                ("origin", "http://localhost".to_owned()),
                ("sec-fetch-site", "same-origin".to_owned()),
            ],
            Self::SessionToken(token) => return (format!("{path}?token={token}"), Vec::new()),
        };
        (path.to_owned(), headers)
    }
}

/// A request whose body is not complete.
struct Held {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Held {
    /// Sends the head and the first byte of the body, and waits until the server wants the rest.
    async fn begin(
        app: &TestApp,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &Value,
    ) -> Self {
        let body = body.to_string().into_bytes();
        let mut head = format!(
            "{} {path} HTTP/1.1\r\nhost: localhost\r\n",
            method.to_uppercase()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!(
            "content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
            body.len()
        ));
        let mut stream = TcpStream::connect(app.client.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut line = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut line).await.unwrap();
        assert!(
            line.starts_with(b"HTTP/1.1 100 "),
            "{}",
            String::from_utf8_lossy(&line)
        );
        let (first, rest) = body.split_at(1);
        stream.write_all(first).await.unwrap();
        Self {
            stream,
            rest: rest.to_vec(),
        }
    }

    /// Sends the rest and returns the status.
    async fn finish(mut self) -> u16 {
        // The server may have answered and closed before it read the rest.
        let _ = self.stream.write_all(&self.rest).await;
        let mut answer = Vec::new();
        let _ = self.stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        status
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("no answer: {answer}"))
    }
}
