//! Instances behind a balancer are replaced one after the other, and no request is lost.

use std::cell::{Cell, RefCell};
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::process::{Server, hallpass_on};
use crate::support::actors::{member_body, organization_body};
use crate::support::client::{Call, Client};
use crate::support::{Db, PASSWORD, eventually};

const INSTANCES: usize = 3;

const PROBE_EVERY: Duration = Duration::from_millis(200);

/// As many probes in a row must fail until an instance gets no more requests: more than the default `DRAIN_TIME` allows.
const FALL: u32 = 6;

/// Far longer than the balancer takes to notice, so that a busy machine fails no test.
const DRAIN_TIME: &str = "5s";

/// When a revocation must be known everywhere.
const HEARD_WITHIN: Duration = Duration::from_secs(1);

/// Sends each request to the next instance that answers its probes. It keeps connections, and repeats nothing.
#[derive(Default)]
struct Balancer {
    backends: RefCell<Vec<Rc<Backend>>>,
    requests: Cell<usize>,
}

struct Backend {
    client: Client,
    failures: Cell<u32>,
    requests: Cell<usize>,
}

impl Balancer {
    fn add(&self, server: &Server) -> Rc<Backend> {
        let backend = Rc::new(Backend {
            client: Client::keeping_connections(server.client.address()),
            failures: Cell::new(FALL),
            requests: Cell::new(0),
        });
        self.backends.borrow_mut().push(Rc::clone(&backend));
        backend
    }

    async fn probe(&self) {
        let backends = self.backends.borrow().clone();
        join_all(backends.iter().map(|backend| async {
            // On a connection of its own, which the server may close.
            let probe = Client::new(backend.client.address()).get("/readyz");
            let is_ready = probe
                .try_send()
                .await
                .is_ok_and(|ready| ready.status == 200);
            let failures = backend.failures.get();
            backend
                .failures
                .set(if is_ready { 0 } else { failures + 1 });
        }))
        .await;
    }

    fn call(&self, method: Method, path: &str) -> Call {
        let backends = self.backends.borrow();
        let up: Vec<_> = backends
            .iter()
            .filter(|backend| backend.failures.get() < FALL)
            .collect();
        let backend = up[self.requests.get() % up.len()];
        self.requests.set(self.requests.get() + 1);
        backend.requests.set(backend.requests.get() + 1);
        backend.client.call(method, path)
    }

    fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    fn me(&self, token: &str) -> Call {
        self.call(Method::GET, "/api/auth/me").bearer(token)
    }

    async fn logs_in(&self, email: &str) -> String {
        let login = json!({"email": email, "password": PASSWORD});
        let answer = self.post("/api/auth/login").json(&login).await.expect(200);
        answer["accessToken"].as_str().unwrap().to_owned()
    }
}

/// Tokens of sessions that have ended, and when that was acknowledged.
type Ended = RefCell<Vec<(Instant, String)>>;

/// Signs in, asks, refreshes and signs out, and sees that what has ended stays so.
async fn comes_and_goes(balancer: &Balancer, email: &str, ended: &Ended) {
    let token = balancer.logs_in(email).await;
    balancer.me(&token).await.expect(200);
    let refresh = balancer.post("/api/auth/refresh").bearer(&token).await;
    let refreshed = refresh.expect(200)["accessToken"]
        .as_str()
        .unwrap()
        .to_owned();
    balancer.me(&refreshed).await.expect(200);
    let logout = balancer.post("/api/auth/logout").bearer(&refreshed).await;
    logout.expect(200);
    ended.borrow_mut().push((Instant::now(), token));
    let old: Vec<String> = ended
        .borrow()
        .iter()
        .filter(|(at, _)| at.elapsed() > HEARD_WITHIN)
        .map(|(_, token)| token.clone())
        .collect();
    for token in old.iter().rev().take(INSTANCES * 2) {
        balancer.me(token).await.refused(401, "Token revoked");
    }
}

fn serve(db: &Db) -> Command {
    let mut command = hallpass_on(db, &["serve"]);
    command
        .env("RATE_LIMITS", "off")
        .env("DRAIN_TIME", DRAIN_TIME);
    command
}

#[actix_web::test]
async fn replacing_each_instance_under_load_loses_no_request() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let mut servers = Vec::new();
    for _ in 0..INSTANCES {
        servers.push(Server::run(serve(&db)).await);
    }
    let balancer = Balancer::default();
    let mut backends: Vec<_> = servers.iter().map(|server| balancer.add(server)).collect();
    balancer.probe().await;

    let body = organization_body("Acme", "ada@acme.example");
    let founded = balancer
        .post("/api/auth/register")
        .json(&body)
        .await
        .expect(201);
    let mut people = vec!["ada@acme.example".to_owned()];
    for n in 0..3 {
        let email = format!("bob{n}@acme.example");
        let body = member_body(founded["organization"]["id"].as_str().unwrap(), &email);
        balancer
            .post("/api/auth/register")
            .json(&body)
            .await
            .expect(201);
        people.push(email);
    }

    let (is_over, ended) = (&Cell::new(false), &Ended::default());
    let load = join_all(people.iter().map(async |email| {
        while !is_over.get() {
            comes_and_goes(&balancer, email, ended).await;
        }
    }));
    let probes = async {
        while !is_over.get() {
            balancer.probe().await;
            tokio::time::sleep(PROBE_EVERY).await;
        }
    };
    let upgrade = async {
        for server in &mut servers {
            server.signal("TERM");
            assert_eq!(server.exit_code().await, Some(0), "{}", server.output());
            *server = Server::run(serve(&db)).await;
            let backend = balancer.add(server);
            eventually("the new instance gets requests", async || {
                backend.requests.get() > 10
            })
            .await;
            backends.push(backend);
        }
        is_over.set(true);
    };
    tokio::join!(load, probes, upgrade);

    let ended = ended.take();
    tokio::time::sleep(HEARD_WITHIN).await;
    for server in &servers {
        for (_, token) in &ended {
            let me = server.client.get("/api/auth/me").bearer(token).await;
            me.refused(401, "Token revoked");
        }
    }
    let served: Vec<usize> = backends
        .iter()
        .map(|backend| backend.requests.get())
        .collect();
    assert!(served.iter().all(|&requests| requests > 0), "{served:?}");
    eprintln!(
        "requests of the old instances and of the new ones: {served:?}; {} sessions ended",
        ended.len()
    );
}
