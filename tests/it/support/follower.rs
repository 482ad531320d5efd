//! A service that follows revocations, and judges tokens as one that verifies them itself.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use hallpass::domain::service_account::ServiceName;
use hallpass::service::operations::operator::{Removed, add_service_key, remove_service};
use serde_json::Value;
use tokio::time::timeout;

use super::client::{Call, Client, builder};
use super::jwt::claims;
use super::test_app::{TestApp, operator_context};

/// Far above every promised time, so that a busy machine fails no test.
const PATIENCE: Duration = Duration::from_secs(20);

impl TestApp {
    /// A new key of a service, which is new if none has the name.
    pub async fn service_key(&self, name: &str) -> String {
        let app = self.operator_app().await;
        let name = ServiceName::parse(name).unwrap();
        let added = add_service_key(app.services(), &operator_context(), name).await;
        added.unwrap().unwrap().secret.expose().to_owned()
    }

    pub async fn removes_service(&self, name: &str) {
        let app = self.operator_app().await;
        let name = ServiceName::parse(name).unwrap();
        let removed = remove_service(app.services(), &operator_context(), name, None).await;
        assert_eq!(removed.unwrap(), Removed::Service);
    }

    pub fn revocations(&self, key: &str, query: &str) -> Call {
        self.get(&format!("/api/revocations{query}")).bearer(key)
    }
}

/// What a token is worth to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Good,
    Revoked,
    Outdated,
}

/// What is revoked and outdated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    sids: BTreeSet<String>,
    ver: HashMap<String, i64>,
    pv: HashMap<String, i64>,
}

impl Known {
    pub fn from_entries(entries: &Value) -> Self {
        let mut known = Self::default();
        known.add(entries);
        known
    }

    pub fn add(&mut self, entries: &Value) {
        for entry in entries.as_array().expect("an array of entries") {
            let text = |name: &str| entry[name].as_str().map(str::to_owned);
            let number = |name: &str| entry[name].as_i64();
            match (text("sid"), text("sub"), number("ver"), number("pv")) {
                (Some(sid), None, None, None) => {
                    self.sids.insert(sid);
                }
                (None, Some(sub), Some(ver), None) => {
                    let known = self.ver.entry(sub).or_insert(ver);
                    *known = (*known).max(ver);
                }
                (None, Some(sub), None, Some(pv)) => {
                    let known = self.pv.entry(sub).or_insert(pv);
                    *known = (*known).max(pv);
                }
                _ => panic!("an entry of no kind: {entry}"),
            }
        }
    }

    pub fn sids(&self) -> &BTreeSet<String> {
        &self.sids
    }

    pub fn judges(&self, token: &str) -> Verdict {
        let claims = claims(token);
        let sub = claims["sub"].as_str().unwrap();
        let is_below = |listed: &HashMap<String, i64>, name: &str| {
            listed
                .get(sub)
                .is_some_and(|min| claims[name].as_i64().unwrap() < *min)
        };
        if self.sids.contains(claims["sid"].as_str().unwrap()) || is_below(&self.ver, "ver") {
            Verdict::Revoked
        } else if is_below(&self.pv, "pv") {
            Verdict::Outdated
        } else {
            Verdict::Good
        }
    }
}

/// A stream, read event by event.
pub struct Follower {
    answer: reqwest::Response,
    buffer: String,
    /// The list that counts.
    pub known: Known,
    /// A new one, from a `reset` on.
    aside: Option<Known>,
    pub cursor: Option<String>,
    pub resets: usize,
}

/// An event of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub data: Value,
    pub id: Option<String>,
}

impl Follower {
    pub async fn begin(app: &TestApp, key: &str) -> Self {
        Self::resume(app, key, None, Known::default()).await
    }

    /// As [`begin`](Self::begin), with a program of its own.
    pub async fn begin_at(client: &Client, key: &str) -> Self {
        Self::resume_at(client, key, None, Known::default()).await
    }

    /// As after a cut, with what was known.
    pub async fn resume(app: &TestApp, key: &str, cursor: Option<String>, known: Known) -> Self {
        Self::resume_at(&app.client, key, cursor, known).await
    }

    pub async fn resume_at(
        client: &Client,
        key: &str,
        cursor: Option<String>,
        known: Known,
    ) -> Self {
        let answer = Self::opens_at(client, key, cursor.as_deref()).await;
        assert_eq!(answer.status(), 200);
        Self {
            answer,
            buffer: String::new(),
            known,
            aside: None,
            cursor,
            resets: 0,
        }
    }

    pub async fn opens(app: &TestApp, key: &str, cursor: Option<&str>) -> reqwest::Response {
        Self::opens_at(&app.client, key, cursor).await
    }

    async fn opens_at(client: &Client, key: &str, cursor: Option<&str>) -> reqwest::Response {
        let url = format!("http://{}/api/revocations", client.address());
        let mut request = builder()
            .build()
            .unwrap()
            .get(url)
            .header("accept", "text/event-stream")
            .bearer_auth(key);
        if let Some(cursor) = cursor {
            request = request.header("last-event-id", cursor);
        }
        request.send().await.unwrap()
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Event> {
        while !self.buffer.contains("\n\n") {
            let chunk = timeout(PATIENCE, self.answer.chunk()).await;
            let chunk = chunk.expect("an event within twenty seconds").ok()??;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        let (text, rest) = self.buffer.split_once("\n\n").unwrap();
        let field = |name: &str| {
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let event = Event {
            name: field("event").unwrap_or("message").to_owned(),
            data: serde_json::from_str(field("data").unwrap()).unwrap(),
            id: field("id").map(str::to_owned),
        };
        self.buffer = rest.to_owned();
        Some(event)
    }

    /// Reads until the list is complete; false at the end.
    pub async fn is_fresh(&mut self) -> bool {
        while let Some(event) = self.next().await {
            match event.name.as_str() {
                "reset" => {
                    self.aside = Some(Known::default());
                    self.resets += 1;
                }
                "message" => {
                    assert!(event.data.as_array().unwrap().len() <= 1000);
                    self.aside
                        .as_mut()
                        .unwrap_or(&mut self.known)
                        .add(&event.data);
                }
                "fresh" => {
                    if let Some(new) = self.aside.take() {
                        self.known = new;
                    }
                    self.cursor = event.id;
                    return true;
                }
                other => panic!("an event {other:?}"),
            }
        }
        false
    }

    /// Reads until a token is worth that.
    pub async fn judges(&mut self, token: &str, verdict: Verdict) {
        let started = std::time::Instant::now();
        while self.known.judges(token) != verdict {
            assert!(started.elapsed() < PATIENCE, "not {verdict:?} in time");
            assert!(self.is_fresh().await, "the stream ended");
        }
    }

    /// Whether the server ends the stream.
    pub async fn ends(&mut self) -> bool {
        timeout(PATIENCE, async { while self.is_fresh().await {} })
            .await
            .is_ok()
    }
}
