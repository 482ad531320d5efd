//! Every answer that a route can be driven to is in the OpenAPI document, with its error code.

use hallpass::http::openapi_json;
use reqwest::Method;
use serde_json::{Value, json};

use crate::role_matrix::{Cell, Kind, body, routes, session_token};
use crate::support::{Actor, Answer, Db, SESSION_COOKIE, SlackApp, TestApp};

const KINDS: [Kind; 7] = [
    Kind::Anonymous,
    Kind::Employee,
    Kind::Manager,
    Kind::Admin,
    Kind::ForeignAdmin,
    Kind::EmployeesService,
    Kind::WithoutOrganization,
];

const UNKNOWN_ID: &str = "019a9f2e-0000-7000-8000-000000000000";

#[actix_web::test]
async fn every_answer_of_every_route_is_documented() {
    let app = TestApp::start(Db::sqlite()).await;
    drives_every_route(&app, |_| true).await;
}

#[actix_web::test]
async fn every_answer_of_the_slack_routes_is_documented_where_slack_is_set_up() {
    let app = SlackApp::start(Db::sqlite()).await;
    drives_every_route(&app, |path| path.contains("slack")).await;
}

async fn drives_every_route(app: &TestApp, is_meant: impl Fn(&str) -> bool) {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let locked = locked_session(app).await;
    let enrolling = must_enrol(app).await;
    let mut faults = Vec::new();
    for (method, path, example) in routes(&document) {
        if !is_meant(path) {
            continue;
        }
        let route = Route {
            app,
            operation: &document["paths"][path][method],
            method,
            path,
            body: body(method, path).or(example),
        };
        for kind in KINDS {
            let cell = Cell::of(app, &ada, kind).await;
            let probe = match (&cell.session_token, &cell.caller) {
                (Some(token), _) if path.starts_with("/api/v1/") => {
                    Probe::query(&format!("token={token}"))
                }
                (_, Some(caller)) => Probe::bearer(&caller.token),
                _ => Probe::default(),
            };
            route
                .drive(&cell, probe, &format!("{kind:?}"), &mut faults)
                .await;
        }
        let cell = Cell::of(app, &ada, Kind::Admin).await;
        let admin = cell.caller.as_ref().unwrap();
        let service = admin.as_a_service("admin").await;
        for (what, probe) in probes(admin, &service, &locked, &enrolling) {
            route.drive(&cell, probe, &what, &mut faults).await;
        }
        let cell = Cell::of(app, &ada, Kind::Admin).await;
        let admin = cell.caller.as_ref().unwrap();
        let session = session_token(app, admin).await;
        admin.post("/api/auth/logout-all").await.expect(200);
        for probe in [
            Probe::bearer(&admin.token),
            Probe::query(&format!("token={session}")),
        ] {
            route
                .drive(&cell, probe, "a revoked token", &mut faults)
                .await;
        }
    }
    faults.sort();
    faults.dedup();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is special about one request.
#[derive(Clone, Default)]
struct Probe {
    headers: Vec<(&'static str, String)>,
    query: String,
    /// Instead of the route's own.
    body: Option<(&'static str, Vec<u8>)>,
    /// Instead of an existing one.
    id: Option<&'static str>,
    is_head: bool,
}

impl Probe {
    fn bearer(token: &str) -> Self {
        Self {
            headers: vec![("authorization", format!("Bearer {token}"))],
            ..Self::default()
        }
    }

    fn query(query: &str) -> Self {
        Self {
            query: query.to_owned(),
            ..Self::default()
        }
    }

    fn cookies(token: &str, more: &[(&'static str, &str)]) -> Self {
        let cookie = format!(
            "{SESSION_COOKIE}={token}; hallpass-session={}",
            "A".repeat(64)
        );
        let more = more
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        Self {
            headers: [("cookie", cookie)].into_iter().chain(more).collect(),
            ..Self::default()
        }
    }
}

fn probes(admin: &Actor, service: &Actor, locked: &str, enrolling: &str) -> Vec<(String, Probe)> {
    let by_admin = || Probe::bearer(&admin.token);
    let mut probes = vec![
        ("an admin's service", Probe::bearer(&service.token)),
        (
            "an admin's service in the query",
            Probe::query(&format!("token={}", service.token)),
        ),
        (
            "an access token in the query",
            Probe::query(&format!("token={}", admin.token)),
        ),
        ("a locked session", Probe::query(&format!("token={locked}"))),
        (
            "an unknown session",
            Probe::query(&format!("token={}", "A".repeat(64))),
        ),
        ("two tokens in the query", Probe::query("token=a&token=b")),
        (
            "a bad query",
            Probe {
                query: "limit=0&cursor=%00&from=x&to=x&role=x&size=0".to_owned(),
                ..by_admin()
            },
        ),
        ("a person who must enrol", Probe::bearer(enrolling)),
        ("a bad token", Probe::bearer("x")),
        ("a bad API token", Probe::bearer("hp_x")),
        (
            "a foreign page",
            Probe::cookies(
                &admin.token,
                &[
                    ("origin", "https://evil.example"),
                    ("sec-fetch-site", "cross-site"),
                ],
            ),
        ),
        (
            "a foreign page without a cookie",
            Probe {
                headers: vec![("origin", "https://evil.example".to_owned())],
                ..Probe::default()
            },
        ),
        ("a silent page", Probe::cookies(&admin.token, &[])),
        (
            "our page",
            Probe::cookies(&admin.token, &[("origin", "http://localhost")]),
        ),
        (
            "a compressed body",
            Probe {
                headers: vec![
                    ("authorization", format!("Bearer {}", admin.token)),
                    ("content-encoding", "gzip".to_owned()),
                ],
                body: Some(("application/json", b"x".to_vec())),
                ..Probe::default()
            },
        ),
        (
            "a prefetch",
            Probe {
                headers: vec![("sec-purpose", "prefetch".to_owned())],
                ..Probe::default()
            },
        ),
        (
            "HEAD",
            Probe {
                is_head: true,
                ..by_admin()
            },
        ),
    ];
    for id in [UNKNOWN_ID, "nonsense"] {
        probes.push((
            id,
            Probe {
                id: Some(id),
                ..by_admin()
            },
        ));
    }
    for (media_type, body) in [
        ("application/json", b"{".to_vec()),
        ("application/json", b"{\"unknown\":7}".to_vec()),
        ("application/json", b"{}".to_vec()),
        ("application/json", vec![b' '; 20_000]),
        ("text/plain", b"x".to_vec()),
        (
            "application/x-www-form-urlencoded",
            b"email=x&password=y&token=z".to_vec(),
        ),
        (
            "application/x-www-form-urlencoded",
            b"token=a&token=b".to_vec(),
        ),
    ] {
        let body = Some((media_type, body));
        probes.push(("another body", Probe { body, ..by_admin() }));
    }
    probes
        .into_iter()
        .map(|(what, probe)| (what.to_owned(), probe))
        .collect()
}

struct Route<'a> {
    app: &'a TestApp,
    operation: &'a Value,
    method: &'a str,
    path: &'a str,
    body: Option<Value>,
}

impl Route<'_> {
    async fn drive(&self, cell: &Cell, probe: Probe, what: &str, faults: &mut Vec<String>) {
        if probe.is_head && self.method != "get" {
            return;
        }
        let answer = self.send(cell, &probe).await;
        if let Err(fault) = self.is_documented(&answer) {
            faults.push(format!("{} {} by {what}: {fault}", self.method, self.path));
        }
    }

    async fn send(&self, cell: &Cell, probe: &Probe) -> Answer {
        let path = match probe.id {
            None => cell.path(self.path),
            Some(id) => ["{id}", "{userId}", "{invitationId}", "{linkId}"]
                .iter()
                .fold(self.path.to_owned(), |path, part| path.replace(part, id)),
        };
        let method = match probe.is_head {
            true => Method::HEAD,
            false => self.method.to_uppercase().parse().unwrap(),
        };
        let mut call = self
            .app
            .client
            .call(method, &format!("{path}?{}", probe.query));
        for (name, value) in &probe.headers {
            call = call.header(name, value);
        }
        call = match (&probe.body, &self.body) {
            (Some((media_type, body)), _) if self.method != "get" => {
                call.body(media_type, body.clone())
            }
            (None, Some(body)) => call.json(body),
            _ => call,
        };
        call.await
    }

    fn is_documented(&self, answer: &Answer) -> Result<(), String> {
        let status = answer.status.as_u16();
        let code = answer.header("x-error-code").unwrap_or("-");
        if self.operation["responses"]
            .get(status.to_string())
            .is_none()
        {
            return Err(format!("{status} {code} is not documented"));
        }
        let codes = self.operation["x-error-codes"].as_array().unwrap();
        if code != "-" && !codes.iter().any(|known| known == code) {
            return Err(format!("{status} has no code {code}"));
        }
        Ok(())
    }
}

/// A session of `/api/v1` that waits for its second factor.
async fn locked_session(app: &TestApp) -> String {
    let person = app.signs_up("Locked", "locked@acme.example").await;
    person.enrols(app).await;
    session_token(app, &person).await
}

/// The token of a person whose organization requires a second factor.
async fn must_enrol(app: &TestApp) -> String {
    let admin = app.signs_up("Strict", "strict@acme.example").await;
    let person = app.joins(admin.organization_id(), "lax@acme.example").await;
    admin.enrols(app).await;
    admin.sets_rules(&json!({"requireMfa": true})).await;
    person.token
}
