//! What a server does when more passwords wait than it can verify in time.

use actix_web::rt;
use hallpass::ports::Clock as _;
use serde_json::{Value, json};

use crate::support::{Db, TestApp};

/// As many as one thread computes at once.
const LANES: usize = 6;

/// A server whose every sign-in takes seconds, since the address is unknown and the decoy hash as expensive.
async fn slow_server() -> TestApp {
    TestApp::configured(Db::sqlite(), |config| {
        config.passwords.bcrypt_cost = 16;
        config.passwords.hashing_threads = Some(1);
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await
}

fn login() -> Value {
    json!({ "email": "unknown@acme.example", "password": "Not-The-Password-1" })
}

async fn passwords_check(app: &TestApp) -> String {
    let answer = app.get("/readyz?verbose").await.expect(200);
    let checks = answer["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == "passwords");
    check.unwrap()["detail"].as_str().unwrap().to_owned()
}

async fn until_busy(app: &TestApp, lanes: usize) {
    let expected = format!("{lanes} of {LANES} hashes are being computed, 0 wait.");
    while !passwords_check(app).await.starts_with(&expected) {}
}

#[actix_web::test]
async fn a_full_queue_answers_503_and_cancelled_callers_free_their_slot() {
    let app = slow_server().await;
    until_busy(&app, 0).await;
    // One lane is for others than a flood.
    let waiting: Vec<_> = (1..LANES)
        .map(|_| rt::spawn(app.post("/api/auth/login").json(&login()).try_send()))
        .collect();
    until_busy(&app, LANES - 1).await;

    let refused = app.post("/api/auth/login").json(&login()).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    app.get("/api/auth/me").await.expect(401);

    for login in waiting {
        login.abort();
    }
    until_busy(&app, 0).await;
    // Cancelled, not computed: otherwise it would tell how long the last one took.
    assert_eq!(
        passwords_check(&app).await,
        "0 of 6 hashes are being computed, 0 wait."
    );
}

#[actix_web::test]
async fn a_flood_of_one_address_leaves_a_lane_to_another() {
    let app = slow_server().await;
    until_busy(&app, 0).await;
    let begins = |address: &str, count: usize| -> Vec<_> {
        let call = || {
            app.post("/api/auth/login")
                .header("x-forwarded-for", address)
        };
        (0..count)
            .map(|_| rt::spawn(call().json(&login()).try_send()))
            .collect()
    };
    let flood = begins("192.0.2.1", LANES - 1);
    until_busy(&app, LANES - 1).await;
    let refused = app
        .post("/api/auth/login")
        .header("x-forwarded-for", "192.0.2.1");
    assert_eq!(refused.json(&login()).await.status, 503);
    let other = json!({ "email": "other@acme.example", "password": "Not-The-Password-1" });
    let other = rt::spawn(app.post("/api/auth/login").json(&other).try_send());
    until_busy(&app, LANES).await;
    for login in flood.into_iter().chain([other]) {
        login.abort();
    }
    until_busy(&app, 0).await;
}

#[actix_web::test]
async fn strangers_who_type_an_address_do_not_keep_its_owner_waiting() {
    let app = TestApp::configured(Db::sqlite(), |config| {
        config.passwords.bcrypt_cost = 16;
        config.passwords.hashing_threads = Some(1);
        config.server.rate_limits = true;
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let email = "ada@acme.example";
    app.registers("Acme", email).await;
    let now = app.clock.now().timestamp_micros();
    app.db
        .execute(&format!(
            "insert into known_addresses (user_id, block, last_at) select id, '198.51.100.7', {now} from users"
        ))
        .await;
    let tries = |address: String| {
        let call = app.post("/api/auth/login");
        let body = json!({"email": email, "password": "Not-The-Password-1"});
        call.header("x-forwarded-for", &address).json(&body)
    };
    let mut computing: Vec<_> = (1..LANES)
        .map(|n| rt::spawn(tries(format!("192.0.2.{n}")).try_send()))
        .collect();
    until_busy(&app, LANES - 1).await;
    assert_eq!(tries("192.0.2.99".to_owned()).await.status, 503);
    computing.push(rt::spawn(tries("198.51.100.7".to_owned()).try_send()));
    until_busy(&app, LANES).await;
    for login in computing {
        login.abort();
    }
    until_busy(&app, 0).await;
}
