//! When events are sent, how often, and how delivery ends.

use chrono::TimeDelta;
use data_encoding::BASE64;
use hallpass::service::operations::purge::purge;
use ring::hmac;
use serde_json::json;

use super::{Hook, arrive, deliveries, deliveries_are, hook, makes, tests};
use crate::process::{Server, hallpass_on};
use crate::support::cluster::free_port;
use crate::support::receiver::{Receiver, Reply, Told};
use crate::support::{Actor, Db, OTHER_SECRET, SECRET, TestApp, eventually, on_both_databases};

/// Whether a secret has signed what arrived, as the standard says.
fn is_signed(told: &Told, secret: &str) -> bool {
    let key = BASE64
        .decode(secret.trim_start_matches("whsec_").as_bytes())
        .unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let signed = format!(
        "{}.{}.{}",
        told.id(),
        told.header("webhook-timestamp"),
        told.body
    );
    let expected = format!(
        "v1,{}",
        BASE64.encode(hmac::sign(&key, signed.as_bytes()).as_ref())
    );
    told.header("webhook-signature")
        .split(' ')
        .any(|signature| signature == expected)
}

/// One event: somebody joins, of which this webhook wants to know.
async fn joining(admin: &Actor, receiver: &Receiver) -> Hook {
    let body = json!({"url": receiver.url(), "events": ["member.added"]});
    Hook::of(&makes(admin, &body).await)
}

async fn somebody_joins(app: &TestApp, admin: &Actor) {
    let email = format!("{}@acme.example", uuid::Uuid::now_v7());
    app.joins(admin.organization_id(), &email).await;
}

on_both_databases! {
    async fn an_event_is_sent_and_signed_as_soon_as_its_act_is_committed(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let hook = joining(&ada, &receiver).await;
        somebody_joins(&app, &ada).await;
        arrive(&receiver, 1).await;
        let told = &receiver.told()[0];
        assert!(is_signed(told, &hook.secret));
        assert_eq!(told.header("webhook-timestamp"), app.clock.timestamp().to_string());
        assert!(told.header("user-agent").starts_with("hallpass/"));
        deliveries_are(&app, "delivered_at is not null", 1).await;
        let [delivery] = deliveries(&ada, &hook).await.try_into().unwrap();
        assert_eq!(delivery, json!({
            "id": told.id(),
            "event": "member.added",
            "at": delivery["at"],
            "state": "delivered",
            "attempts": 1,
            "lastStatus": 204,
            "lastError": null,
            "nextAttemptAt": null,
            "endedAt": delivery["at"],
        }));
    }

    async fn a_failed_event_is_tried_ten_times_under_one_id(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let hook = joining(&ada, &receiver).await;
        receiver.replies(vec![Reply::Status(503, ""); 10]);
        somebody_joins(&app, &ada).await;
        // Up to a fifth later than in the middle.
        let pauses = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
        for (tried, seconds) in pauses.into_iter().enumerate() {
            arrive(&receiver, tried + 1).await;
            deliveries_are(&app, "last_status = 503 and delivered_at is null", 1).await;
            eventually("the attempt is stored", async || {
                let delivery = deliveries(&ada, &hook).await.remove(0);
                delivery["attempts"] == json!(tried + 1) && delivery["lastError"] == "refused"
            }).await;
            // Not before.
            app.advance(TimeDelta::milliseconds(seconds * 800 - 1));
            assert_eq!(receiver.told().len(), tried + 1);
            app.advance(TimeDelta::milliseconds(seconds * 400 + 1));
        }
        arrive(&receiver, 10).await;
        deliveries_are(&app, "given_up_at is not null and person is null", 1).await;
        let told = receiver.told();
        for again in &told {
            assert_eq!((again.id(), &again.body), (told[0].id(), &told[0].body));
            assert!(is_signed(again, &hook.secret));
        }
        let mut timestamps: Vec<_> = told.iter().map(|told| told.header("webhook-timestamp")).collect();
        timestamps.dedup();
        assert_eq!(timestamps.len(), 10);
        // Everything has failed for three days.
        deliveries_are(&app, "given_up_at is not null", 1).await;
        eventually("it is switched off", async || {
            app.db.count("select count(*) from webhooks where disabled_why = 'failing'").await == 1
        }).await;
        let row = "select count(*) from audit where action = 'webhook.switched_off'";
        assert_eq!(app.db.count(row).await, 1);
    }

    async fn a_receiver_that_recovers_is_told_and_not_failing_any_more(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let hook = joining(&ada, &receiver).await;
        receiver.replies([Reply::Status(500, "")]);
        somebody_joins(&app, &ada).await;
        arrive(&receiver, 1).await;
        deliveries_are(&app, "last_status = 500", 1).await;
        assert!(ada.get(&hook.path("")).await.expect(200)["failingSince"].is_string());
        app.advance(TimeDelta::seconds(6));
        arrive(&receiver, 2).await;
        deliveries_are(&app, "delivered_at is not null", 1).await;
        assert!(ada.get(&hook.path("")).await.expect(200)["failingSince"].is_null());
    }

    async fn a_redirect_is_a_failure_and_not_followed(app: TestApp) {
        let (receiver, other) = (Receiver::start().await, Receiver::start().await);
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let hook = joining(&ada, &receiver).await;
        let location = format!("location: {}\r\n", other.url()).leak();
        receiver.replies([Reply::Status(307, location)]);
        somebody_joins(&app, &ada).await;
        deliveries_are(&app, "last_status = 307 and delivered_at is null", 1).await;
        assert_eq!(deliveries(&ada, &hook).await[0]["lastError"], "redirected");
        assert_eq!(other.told().len(), 0);
    }

    async fn gone_switches_it_off_and_gives_up_what_waits(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let hook = joining(&ada, &receiver).await;
        receiver.replies([Reply::Status(500, ""), Reply::Status(410, "")]);
        somebody_joins(&app, &ada).await;
        deliveries_are(&app, "last_status = 500", 1).await;
        somebody_joins(&app, &ada).await;
        deliveries_are(&app, "given_up_at is not null", 2).await;
        let off = ada.get(&hook.path("")).await.expect(200);
        assert_eq!((&off["enabled"], &off["switchedOff"]["why"]), (&json!(false), &json!("gone")));
        somebody_joins(&app, &ada).await;
        assert_eq!(app.db.count("select count(*) from webhook_deliveries").await, 2);
        // Until an admin switches it on again.
        ada.patch(&hook.path("")).json(&json!({"enabled": true})).await.expect(200);
        somebody_joins(&app, &ada).await;
        arrive(&receiver, 3).await;
    }

    async fn a_receiver_may_ask_for_a_longer_pause(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let hook = joining(&ada, &receiver).await;
        receiver.replies([Reply::Status(429, "retry-after: 600\r\n")]);
        somebody_joins(&app, &ada).await;
        deliveries_are(&app, "last_status = 429", 1).await;
        let delivery = deliveries(&ada, &hook).await.remove(0);
        let instant = |field: &str| delivery[field].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        assert_eq!(instant("nextAttemptAt") - instant("at"), TimeDelta::seconds(600));
    }

    async fn a_test_is_sent_once_whatever_was_chosen(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let hook = joining(&ada, &receiver).await;
        receiver.replies([Reply::Status(500, "")]);
        let id = tests(&ada, &hook).await;
        deliveries_are(&app, "given_up_at is not null and attempts = 1", 1).await;
        let told = receiver.told().remove(0);
        assert_eq!((told.id(), told.event()), (&*id, "webhook.test".to_owned()));
        assert_eq!(told.json()["data"], json!({"webhookId": hook.id, "organizationId": ada.organization_id()}));
        assert!(ada.get(&hook.path("")).await.expect(200)["enabled"] == json!(true));
    }

    async fn for_a_day_after_a_rotation_both_secrets_sign(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let hook = joining(&ada, &receiver).await;
        let rotated = ada.post(&hook.path("/rotate-secret")).await.expect(200);
        let new = rotated["secret"].as_str().unwrap();
        assert_ne!(new, hook.secret);
        tests(&ada, &hook).await;
        arrive(&receiver, 1).await;
        app.advance(TimeDelta::hours(24));
        tests(&ada.signs_in_again().await, &hook).await;
        arrive(&receiver, 2).await;
        let by = |told: &Told| (is_signed(told, new), is_signed(told, &hook.secret));
        let told = receiver.told();
        assert_eq!((by(&told[0]), by(&told[1])), ((true, true), (true, false)));
    }

    async fn secrets_survive_a_rotation_of_jwt_secret(app: TestApp) {
        let mut app = app;
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let hook = joining(&ada, &receiver).await;
        ada.post(&hook.path("/rotate-secret")).await.expect(200);
        let old = "select secret || kid as v from webhooks";
        let before = app.db.values(old).await;
        app.restart_configured(|config| config.tokens.secrets = vec![OTHER_SECRET.into(), SECRET.into()]).await;
        eventually("they are sealed again", async || app.db.values(old).await != before).await;
        app.restart_configured(|config| config.tokens.secrets = vec![OTHER_SECRET.into()]).await;
        tests(&ada.signs_in_again().await, &hook).await;
        arrive(&receiver, 1).await;
        assert!(is_signed(&receiver.told()[0], &hook.secret));
        assert_eq!(receiver.told()[0].header("webhook-signature").split(' ').count(), 2);
    }

    async fn slow_receivers_hold_nobody_up(app: TestApp) {
        let (slow, quick) = (Receiver::start().await, Receiver::start().await);
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        joining(&ada, &quick).await;
        slow.replies(vec![Reply::Hangs; 100]);
        for _ in 0..20 {
            joining(&eve, &slow).await;
        }
        for _ in 0..3 {
            somebody_joins(&app, &eve).await;
        }
        // Each has one request in flight, and waits with the others.
        eventually("each is in flight", async || slow.hanging() == 20).await;
        for n in 1..=5 {
            somebody_joins(&app, &ada).await;
            arrive(&quick, n).await;
        }
        assert_eq!(slow.hanging(), 20);
        slow.resumes();
    }

    async fn two_instances_tell_each_event_once(app: TestApp) {
        let there = app.second_instance().await;
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        joining(&ada, &receiver).await;
        for n in 0..20 {
            let instance = if n % 2 == 0 { &app } else { &there };
            somebody_joins(instance, &ada).await;
        }
        arrive(&receiver, 20).await;
        let mut ids: Vec<_> = receiver.told().iter().map(|told| told.id().to_owned()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 20);
        deliveries_are(&app, "delivered_at is not null and attempts = 1", 20).await;
    }

    async fn an_event_survives_a_kill_and_is_sent_again_under_its_id(db: Db) {
        let receiver = Receiver::start().await;
        let serve = || {
            let mut serve = hallpass_on(&db, &["serve"]);
            serve.env("WEBHOOK_ALLOW_PRIVATE", "on");
            serve
        };
        let server = Server::run(serve()).await;
        let token = server.signs_up("acme").await;
        let body = json!({"url": receiver.url()});
        let post = |path: &str| server.client.post(path).bearer(&token);
        post("/api/webhooks").json(&body).await.expect(201);
        // It arrives, and the answer is never seen.
        receiver.replies([Reply::Hangs]);
        post("/api/auth/logout").await.expect(200);
        eventually("it has arrived", async || receiver.hanging() == 1).await;
        // Dropping it kills the process.
        drop(server);
        receiver.resumes();
        // As if the two-minute lease of the dead process had ended.
        let leases = "update webhook_deliveries set next_attempt_at = at where delivered_at is null";
        db.execute(leases).await;
        let _server = Server::run(serve()).await;
        eventually("it has arrived again", async || receiver.told().len() == 2).await;
        let [first, second] = receiver.told().try_into().unwrap();
        assert_eq!((first.id(), &first.body), (second.id(), &second.body));
        let done = "select count(*) from webhook_deliveries where delivered_at is not null";
        eventually("it is delivered", async || db.count(done).await == 1).await;
    }

    async fn a_shutdown_lets_events_in_flight_arrive(app: TestApp) {
        let mut app = app;
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        joining(&ada, &receiver).await;
        receiver.replies([Reply::Hangs]);
        somebody_joins(&app, &ada).await;
        eventually("it is in flight", async || receiver.hanging() == 1).await;
        let ((), ()) = tokio::join!(app.stop(), async { receiver.resumes() });
        deliveries_are(&app, "delivered_at is not null", 1).await;
    }

    async fn who_repeats_an_act_fills_no_table_while_a_receiver_is_slow(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        hook(&ada, &receiver).await;
        receiver.replies([Reply::Hangs]);
        for n in 0..30 {
            let name = json!({"name": format!("Ada {n}")});
            ada.patch("/api/auth/me").json(&name).await.expect(200);
            eventually("one hangs", async || receiver.hanging() == 1).await;
        }
        assert_eq!(app.db.count("select count(*) from webhook_deliveries").await, 2);
        receiver.resumes();
        arrive(&receiver, 2).await;
        assert_eq!(receiver.told()[1].json()["data"]["name"], "Ada 29");
    }

    async fn deliveries_are_kept_for_days_and_listed_in_pages(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let hook = joining(&ada, &receiver).await;
        for _ in 0..3 {
            somebody_joins(&app, &ada).await;
            app.advance(TimeDelta::seconds(1));
        }
        deliveries_are(&app, "delivered_at is not null", 3).await;
        let page = ada.get(&hook.path("/deliveries?limit=2")).await.expect(200);
        let next = page["nextCursor"].as_str().unwrap();
        let rest = ada.get(&hook.path(&format!("/deliveries?cursor={next}"))).await.expect(200);
        assert_eq!((page["deliveries"].as_array().unwrap().len(), rest["deliveries"].as_array().unwrap().len()), (2, 1));
        assert!(page["deliveries"][0]["at"].as_str() > rest["deliveries"][0]["at"].as_str());
        app.advance(TimeDelta::days(3) - TimeDelta::seconds(4));
        purge(app.operator_app().await.services()).await;
        assert_eq!(app.db.count("select count(*) from webhook_deliveries").await, 3);
        app.advance(TimeDelta::seconds(5));
        purge(app.operator_app().await.services()).await;
        assert_eq!(app.db.count("select count(*) from webhook_deliveries").await, 0);
    }

    async fn the_backlog_is_reported(db: Db) {
        let address = ([127, 0, 0, 1], free_port()).into();
        let app = TestApp::configured(db, |config| config.server.metrics_addr = Some(address)).await;
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        assert_eq!(app.readiness("webhooks").await["detail"], "No event is waiting.");
        hook(&ada, &receiver).await;
        receiver.replies([Reply::Status(500, "")]);
        ada.signs_in_again().await.logs_out().await.expect(200);
        deliveries_are(&app, "last_status = 500", 1).await;
        assert_eq!(app.readiness("webhooks").await["detail"], "1 event has waited for 0 s.");
        let http = crate::support::client::builder().build().unwrap();
        let answer = http.get(format!("http://{address}/metrics")).send().await;
        let text = answer.unwrap().text().await.unwrap();
        assert!(text.contains("hallpass_events_waiting 1\n"), "{text}");
    }
}
