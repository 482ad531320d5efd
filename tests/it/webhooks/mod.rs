//! Webhooks: who makes them, what they are told, and how it is delivered.

mod addresses;
mod crud;
mod delivery;
mod events;
mod signatures;

use serde_json::{Value, json};

use crate::support::receiver::Receiver;
use crate::support::{Actor, Answer, TestApp, eventually};

/// A webhook that an admin made.
pub struct Hook {
    pub id: String,
    pub secret: String,
}

impl Hook {
    fn of(made: &Answer) -> Self {
        let made = made.expect(201);
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        Self {
            id: text("id"),
            secret: text("secret"),
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/webhooks/{}{rest}", self.id)
    }
}

async fn makes(admin: &Actor, body: &Value) -> Answer {
    admin.post("/api/webhooks").json(body).await
}

/// A webhook of the admin's organization that leads to the receiver, for all events.
async fn hook(admin: &Actor, receiver: &Receiver) -> Hook {
    Hook::of(&makes(admin, &json!({"url": receiver.url()})).await)
}

/// Waits until the receiver was told so often.
async fn arrive(receiver: &Receiver, times: usize) {
    eventually(&format!("{times} requests have arrived"), async || {
        receiver.told().len() >= times
    })
    .await;
    assert_eq!(receiver.told().len(), times, "{:?}", receiver.events());
}

/// Waits until so many deliveries meet the condition.
async fn deliveries_are(app: &TestApp, condition: &str, count: i64) {
    let select = format!("select count(*) from webhook_deliveries where {condition}");
    eventually(&format!("{count} deliveries are {condition}"), async || {
        app.db.count(&select).await == count
    })
    .await;
}

/// The first page of a webhook's deliveries.
async fn deliveries(admin: &Actor, hook: &Hook) -> Vec<Value> {
    let list = admin.get(&hook.path("/deliveries")).await.expect(200);
    list["deliveries"].as_array().unwrap().clone()
}

async fn tests(admin: &Actor, hook: &Hook) -> String {
    let queued = admin.post(&hook.path("/test")).await.expect(202);
    queued["id"].as_str().unwrap().to_owned()
}
