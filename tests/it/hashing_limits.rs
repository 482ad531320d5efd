//! Whatever hashes a password is counted by address and by account, and what can be refused without hashing is.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::client::Call;
use crate::support::{Actor, Answer, Db, OTHER_PASSWORD, PASSWORD, TestApp, on_both_databases};

const ADA: &str = "ada@acme.example";
const WRONG: &str = "Not-The-Password-1";

/// Calls with a password whose bucket is that of their route, whoever calls.
const BY_ROUTE: [(&str, &str); 5] = [
    ("/api/auth/login", "login"),
    ("/api/auth/callback/credentials", "login"),
    ("/api/auth/signin/credentials", "login"),
    ("/api/v1/login", "login"),
    ("/api/auth/register", "register"),
];

/// Others, which draw from the login bucket when they hash.
const BY_CALL: [&str; 7] = [
    "/api/auth/change-password",
    "/api/auth/change-email",
    "/api/auth/mfa/recovery-codes",
    "/api/auth/mfa/totp",
    "/api/auth/reauthenticate",
    "/api/auth/reset-password",
    "/api/auth/set-password",
];

async fn limited(db: Db) -> TestApp {
    TestApp::configured(db, |config| {
        config.server.rate_limits = true;
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await
}

/// What is left in a bucket of this address, after taking one out of it.
async fn left(app: &TestApp, path: &str, address: &str) -> i64 {
    let call = app.post(path).header("x-forwarded-for", address);
    let answer = call.json(&json!({})).await;
    let left = answer.header("ratelimit").unwrap();
    let left = left.split_once("r=").unwrap().1;
    left.split_once(';').unwrap().0.parse().unwrap()
}

/// How many the call takes out of the login bucket of its address, and its answer.
async fn drawn(app: &TestApp, address: &str, call: Call) -> (i64, Answer) {
    let before = left(app, "/api/auth/login", address).await;
    let answer = call.header("x-forwarded-for", address).await;
    let after = left(app, "/api/auth/login", address).await;
    (before - after - 1, answer)
}

/// With a right current password and a new one that breaks a rule.
fn too_short(actor: &Actor, n: u16) -> Call {
    let body = json!({"currentPassword": PASSWORD, "newPassword": "x"});
    let address = format!("198.51.100.{}", n % 100);
    let call = actor.post("/api/auth/change-password");
    call.header("x-forwarded-for", &address).json(&body)
}

on_both_databases! {
    async fn calls_that_hash_draw_from_the_login_bucket_of_their_address(db: Db) {
        let app = limited(db).await;
        let ada = app.signs_up_verified("Acme", ADA).await;
        ada.enrols(&app).await;
        ada.invites("bob@acme.example", "employee").await.expect(201);
        let invitation = app.mailed_token("bob@acme.example", "invitation").await;
        let mut links = Vec::new();
        for email in ["eve@bolt.example", "kim@cog.example"] {
            app.registers("Other", email).await;
            app.forgets_password(email).await.expect(200);
            links.push(app.mailed_token(email, "reset_password").await);
        }
        let eve = app.joins(ada.organization_id(), "mia@acme.example").await;
        let change = json!({"currentPassword": WRONG, "newPassword": OTHER_PASSWORD});
        let email = json!({"email": "new@acme.example", "password": WRONG});
        let code = json!({"code": "123456", "password": WRONG});
        let reset = json!({"token": links[0], "password": OTHER_PASSWORD});
        let page = [("token", links[1].as_str()), ("password", OTHER_PASSWORD)];
        let joining = [("token", invitation.as_str()), ("name", "Bob"), ("password", PASSWORD)];
        let joins = json!({
            "email": "bob@acme.example", "password": PASSWORD, "name": "Bob", "invitationToken": invitation,
        });
        let calls = [
            (ada.post("/api/auth/change-password").json(&change), 401),
            (ada.post("/api/auth/change-email").json(&email), 401),
            (ada.post("/api/auth/mfa/recovery-codes").json(&code), 401),
            (ada.delete("/api/auth/mfa/totp").json(&code), 401),
            (eve.post("/api/auth/reauthenticate").json(&json!({"password": WRONG})), 401),
            (app.post("/api/auth/reset-password").json(&reset), 200),
            (app.post("/reset-password").form(&page), 200),
            (app.post("/accept-invitation").form(&joining), 200),
            (app.tries("/api/auth/login", "email"), 401),
            (app.tries("/api/v1/login", "name"), 401),
        ];
        for (n, (call, status)) in calls.into_iter().enumerate() {
            let (drawn, answer) = drawn(&app, &format!("192.0.2.{n}"), call).await;
            assert_eq!((drawn, answer.status.as_u16()), (1, status), "{n}: {}", answer.text());
        }
        // Registrations have a bucket of their own.
        let (drawn, _) = drawn(&app, "192.0.2.99", app.post("/api/auth/register").json(&joins)).await;
        assert_eq!(drawn, 0);
        let registers = left(&app, "/api/auth/register", "192.0.2.99").await;
        assert_eq!(registers, 300 - 2);
    }

    async fn what_can_be_refused_without_hashing_is_not_counted_as_hashing(db: Db) {
        let app = limited(db).await;
        let ada = app.signs_up("Acme", ADA).await;
        let code = json!({"code": "123456", "password": PASSWORD});
        let unchanged = json!({"email": ADA, "password": PASSWORD});
        let unknown = json!({"token": "A".repeat(43), "password": OTHER_PASSWORD});
        let page = [("token", "A"), ("name", "Bob"), ("password", PASSWORD)];
        let calls = [
            (ada.delete("/api/auth/mfa/totp").json(&code), 409),
            (ada.post("/api/auth/mfa/recovery-codes").json(&code), 409),
            (ada.post("/api/auth/change-email").json(&unchanged), 400),
            (app.post("/api/auth/reset-password").json(&unknown), 400),
            (app.post("/reset-password").form(&page[..1]), 400),
            (app.post("/accept-invitation").form(&page), 400),
        ];
        for (n, (call, status)) in calls.into_iter().enumerate() {
            let (drawn, answer) = drawn(&app, &format!("192.0.2.{n}"), call).await;
            assert_eq!((drawn, answer.status.as_u16()), (0, status), "{n}: {}", answer.text());
        }
    }
}

impl TestApp {
    fn tries(&self, path: &str, field: &str) -> Call {
        let body = json!({field: "unknown@acme.example", "password": WRONG});
        self.post(path).json(&body)
    }
}

#[actix_web::test]
async fn an_account_has_one_login_bucket_for_all_its_addresses() {
    let app = limited(Db::sqlite()).await;
    let ada = app.signs_up("Acme", ADA).await;
    for _ in 0..12 {
        let calls = (0..50).map(|n| too_short(&ada, n).into_future());
        for answer in join_all(calls).await {
            answer.refused_fields(&["newPassword"]);
        }
    }
    let refused = too_short(&ada, 99).await;
    refused.refused(429, "Too many requests");
    assert_eq!(refused.header("x-error-code"), Some("too_many_requests"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("ratelimit"), Some("\"login\";r=0;t=1"));
    assert_eq!(
        refused.header("ratelimit-policy"),
        Some("\"login\";q=600;w=60")
    );
    // Others are not affected, nor is the owner's own sign-in.
    let bob = app.signs_up("Bolt", "bob@bolt.example").await;
    too_short(&bob, 99).await.refused_fields(&["newPassword"]);
    app.logs_in(ADA, PASSWORD).await;
    // Nor whoever holds a link that was sent to the owner.
    app.forgets_password(ADA).await.expect(200);
    let link = app.mailed_token(ADA, "reset_password").await;
    app.resets_password(&link, OTHER_PASSWORD).await.expect(200);
}

/// A new call with a password must be added above.
#[actix_web::test]
async fn every_documented_call_with_a_password_has_a_known_bucket() {
    let app = TestApp::start(Db::sqlite()).await;
    let document = app.get("/openapi.json").await.expect(200);
    let mut paths = BTreeSet::new();
    for (path, calls) in document["paths"].as_object().unwrap() {
        for call in calls.as_object().unwrap().values() {
            let contents = call["requestBody"]["content"].as_object();
            let bodies = contents.into_iter().flat_map(|contents| contents.values());
            if bodies
                .into_iter()
                .any(|body| has_password(&document, &body["schema"]))
            {
                paths.insert(path.as_str());
            }
        }
    }
    let known = BY_ROUTE.iter().map(|(path, _)| *path).chain(BY_CALL);
    assert_eq!(paths, known.collect());
    for (path, group) in BY_ROUTE {
        let app = limited(Db::sqlite()).await;
        let answer = app.post(path).json(&json!({})).await;
        let left = answer.header("ratelimit").unwrap_or_default().to_owned();
        assert!(left.starts_with(&format!("\"{group}\"")), "{path}: {left}");
    }
}

fn has_password(document: &Value, schema: &Value) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        return has_password(document, document.pointer(pointer).unwrap());
    }
    let fields = schema["properties"].as_object();
    let mut names = fields.into_iter().flat_map(|fields| fields.keys());
    names.any(|name| name.to_lowercase().ends_with("password"))
        || ["allOf", "anyOf", "oneOf"].iter().any(|parts| {
            let parts = schema[parts].as_array();
            parts.is_some_and(|parts| parts.iter().any(|part| has_password(document, part)))
        })
}
