//! Services that verify tokens themselves hear within a second which of them to refuse.

use std::time::Instant;

use chrono::TimeDelta;
use hallpass::ports::Clock as _;
use hallpass::service::operations::purge::purge;
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::follower::{Follower, Known, Verdict};
use crate::support::jwt::claims;
use crate::support::{Db, OTHER_PASSWORD, PASSWORD, TestApp, eventually, on_both_databases};

fn sid(token: &str) -> String {
    claims(token)["sid"].as_str().unwrap().to_owned()
}

/// Sessions of nobody end, each at another time after a quarter of an hour.
async fn sessions_end(app: &TestApp, count: u32) {
    let now = app.clock.now().timestamp();
    let insert = match &app.db {
        Db::Sqlite { .. } => format!(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < {count})
             insert into changes (kind, user_id, session_id, at, expires_at)
             select 'session_ended', randomblob(16), randomblob(16), {now} * 1000000, ({now} + 1000 + i) * 1000000 from n"
        ),
        Db::Postgres { .. } => format!(
            "insert into changes (kind, user_id, session_id, at, expires_at)
             select 'session_ended', gen_random_uuid(), gen_random_uuid(), to_timestamp({now}), to_timestamp({now} + 1000 + i)
             from generate_series(1, {count}) i"
        ),
    };
    app.db.execute(&insert).await;
}

on_both_databases! {
    async fn the_list_is_whole_without_a_cursor_and_new_with_one(app: TestApp) {
        let key = app.service_key("billing").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let (first, second) = (ada.signs_in_again().await, ada.signs_in_again().await);
        first.logs_out().await.expect(200);
        eventually("the first end is listed", async || {
            let listed = app.revocations(&key, "").await.expect(200);
            listed["whole"] == json!(true) && Known::from_entries(&listed["revoked"]).judges(&first.token) == Verdict::Revoked
        })
        .await;
        let mut cursor = app.revocations(&key, "").await.expect(200)["cursor"].as_str().unwrap().to_owned();
        let quiet = app.revocations(&key, &format!("?after={cursor}")).await.expect(200);
        assert_eq!([&quiet["whole"], &quiet["revoked"]], [&json!(false), &json!([])]);

        second.logs_out().await.expect(200);
        let mut heard = Known::default();
        eventually("the second end is news", async || {
            let news = app.revocations(&key, &format!("?after={cursor}")).await.expect(200);
            assert_eq!(news["whole"], json!(false));
            heard.add(&news["revoked"]);
            cursor = news["cursor"].as_str().unwrap().to_owned();
            heard.judges(&second.token) == Verdict::Revoked
        })
        .await;
        assert_eq!(heard.judges(&ada.token), Verdict::Good);
    }

    async fn a_cursor_that_is_none_of_ours_is_answered_with_the_whole_list(app: TestApp) {
        let key = app.service_key("billing").await;
        for after in ["", "x", "other.1", "a.b.c.d", "%00", "9999999999999999999999.1", "AAAAAAAAAAA.1.1,2"] {
            let listed = app.revocations(&key, &format!("?after={after}")).await.expect(200);
            assert_eq!(listed["whole"], json!(true), "{after:?}");
        }
        for query in ["?wait=31", "?wait=-1", "?wait=", "?wait=1&wait=2", "?after=a&after=b"] {
            assert_eq!(app.revocations(&key, query).await.status, 400, "{query}");
        }
    }

    async fn only_a_key_of_a_service_opens_the_list(app: TestApp) {
        let key = app.service_key("billing").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let service = ada.as_a_service("admin").await;
        let path = "/api/revocations";
        for call in [
            app.get(path),
            app.get(path).bearer(&ada.token),
            app.get(path).bearer(&service.token),
            app.get(path).bearer("hps_"),
            app.get(path).bearer(&key.replace("hps_", "hp_")),
            app.get(path).bearer(&format!("{key}x")),
        ] {
            let answer = call.await;
            assert_eq!(answer.status, 401, "{}", answer.text());
            assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        }
        ada.get("/api/auth/me").bearer(&key).await;
        assert_eq!(app.get("/api/auth/me").bearer(&key).await.status, 401);
        let answer = app.revocations(&key, "").await;
        answer.expect(200);
        let stream = Follower::opens(&app, &key, None).await;
        assert_eq!(stream.headers()["cache-control"], "no-store, no-transform");
        assert_eq!(stream.headers()["x-accel-buffering"], "no");
        assert_eq!(stream.headers()["content-type"], "text/event-stream");
        app.removes_service("billing").await;
        assert_eq!(app.revocations(&key, "").await.status, 401);
    }

    async fn who_waits_is_answered_at_the_first_news(app: TestApp) {
        let key = app.service_key("billing").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let session = ada.signs_in_again().await;
        let cursor = app.revocations(&key, "").await.expect(200)["cursor"].as_str().unwrap().to_owned();
        let path = format!("?after={cursor}&wait=30");
        let (news, _) = futures_util::future::join(app.revocations(&key, &path).into_future(), session.logs_out()).await;
        let news = news.expect(200);
        assert_eq!(news["revoked"], json!([{"sid": sid(&session.token)}]));
        assert_eq!(news["whole"], json!(false));
    }

    async fn a_stream_begins_with_the_list_and_goes_on_where_it_was_cut(app: TestApp) {
        let key = app.service_key("billing").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let [before, during, cut, after] = [
            ada.signs_in_again().await, ada.signs_in_again().await, ada.signs_in_again().await, ada.signs_in_again().await,
        ];
        before.logs_out().await.expect(200);
        let mut service = Follower::begin(&app, &key).await;
        assert!(service.is_fresh().await);
        assert_eq!(service.resets, 1);
        service.judges(&before.token, Verdict::Revoked).await;
        during.logs_out().await.expect(200);
        service.judges(&during.token, Verdict::Revoked).await;
        assert_eq!(service.known.judges(&cut.token), Verdict::Good);

        let (cursor, known) = (service.cursor.clone(), service.known.clone());
        drop(service);
        cut.logs_out().await.expect(200);
        let mut service = Follower::resume(&app, &key, cursor, known).await;
        service.judges(&cut.token, Verdict::Revoked).await;
        after.logs_out().await.expect(200);
        service.judges(&after.token, Verdict::Revoked).await;
        assert_eq!(service.resets, 0);
        assert_eq!(service.known.judges(&ada.token), Verdict::Good);
    }

    async fn who_was_cut_off_for_an_hour_is_told_all_of_it(app: TestApp) {
        let key = app.service_key("billing").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let (first, last) = (ada.signs_in_again().await, ada.signs_in_again().await);
        let service = Follower::begin(&app, &key).await;
        let (cursor, known) = (service.cursor.clone(), service.known.clone());
        drop(service);
        first.logs_out().await.expect(200);
        // More than an instance remembers as news, most of it good for longer than the hour.
        sessions_end(&app, 70_000).await;
        app.advance(TimeDelta::hours(1));
        purge(app.operator_app().await.services()).await;
        last.logs_out().await.expect(200);

        let mut service = Follower::resume(&app, &key, cursor, known).await;
        for ended in [&first, &last] {
            service.judges(&ended.token, Verdict::Revoked).await;
        }
        service.judges(&ada.token, Verdict::Good).await;
        let listed = app.revocations(&key, "").await.expect(200);
        let listed = Known::from_entries(&listed["revoked"]);
        assert!(listed.sids().len() > 60_000, "{}", listed.sids().len());
        assert!(listed.sids().is_subset(service.known.sids()));
    }

    async fn a_long_list_comes_in_pieces_and_in_every_form(app: TestApp) {
        let key = app.service_key("billing").await;
        // More than a page, and of two kinds.
        sessions_end(&app, 12_345).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.post("/api/auth/logout-all").await.expect(200);
        let mut service = Follower::begin(&app, &key).await;
        service.judges(&ada.token, Verdict::Revoked).await;
        assert_eq!(service.known.sids().len(), 12_345);

        let listed = app.revocations(&key, "").await.expect(200);
        assert_eq!(Known::from_entries(&listed["revoked"]), service.known);

        let packed = app.revocations(&key, "").header("accept", "application/octet-stream").await;
        let end = packed.body.iter().position(|b| *b == b'\n').unwrap();
        let head: Value = serde_json::from_slice(&packed.body[..end]).unwrap();
        assert_eq!(head["sids"], 12_345);
        assert_eq!(head["others"], json!([{"sub": ada.id(), "ver": 1}]));
        let marks: Vec<u64> = packed.body[end + 1..]
            .chunks_exact(8)
            .map(|mark| u64::from_le_bytes(mark.try_into().unwrap()))
            .collect();
        assert!(marks.is_sorted());
        let mut expected: Vec<u64> = service.known.sids().iter()
            .map(|sid| u64::from_str_radix(&sid.replace('-', "")[16..], 16).unwrap())
            .collect();
        expected.sort_unstable();
        assert_eq!(marks, expected);
        let after = head["cursor"].as_str().unwrap();
        let news = app.revocations(&key, &format!("?after={after}")).await.expect(200);
        assert_eq!(news["whole"], json!(false));
    }

    async fn a_key_has_two_streams_from_an_address(app: TestApp) {
        let (key, other) = (app.service_key("billing").await, app.service_key("search").await);
        let mut first = Follower::begin(&app, &key).await;
        let second = Follower::begin(&app, &key).await;
        let third = Follower::opens(&app, &key, None).await;
        assert_eq!(third.status(), 429);
        assert!(third.headers().contains_key("retry-after"));
        let mut foreign = Follower::begin(&app, &other).await;
        assert!(first.is_fresh().await && foreign.is_fresh().await);
        app.revocations(&key, "").await.expect(200);
        // A key that was added while others have streams.
        let late = app.service_key("late").await;
        let mut newest = Follower::begin(&app, &late).await;
        assert!(newest.is_fresh().await && newest.is_fresh().await);
        drop(second);
        eventually("the place is free again", async || {
            Follower::opens(&app, &key, None).await.status() == 200
        })
        .await;
        // A removed key ends its streams and no others.
        app.removes_service("billing").await;
        assert!(first.ends().await);
        assert!(foreign.is_fresh().await);
    }

    async fn whatever_takes_a_right_away_is_heard_by_who_verifies_tokens_alone(app: TestApp) {
        let key = app.service_key("billing").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let mut service = Follower::begin(&app, &key).await;
        let path = |rest: &str| ada.organization_path(rest);
        let joined = async |name: &str| app.joins(ada.organization_id(), &format!("{name}@acme.example")).await;

        let person = joined("ended").await;
        let session = person.signs_in_again().await;
        person.delete(&format!("/api/auth/sessions/{}", sid(&session.token))).await.expect(200);
        service.judges(&session.token, Verdict::Revoked).await;

        let person = joined("everywhere").await;
        person.post("/api/auth/logout-all").await.expect(200);
        service.judges(&person.token, Verdict::Revoked).await;

        let person = joined("password").await;
        let other = person.signs_in_again().await;
        person.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        service.judges(&other.token, Verdict::Revoked).await;
        assert_eq!(service.known.judges(&person.token), Verdict::Good);

        let person = joined("disabled").await;
        ada.changes(&person, json!({"disabled": true})).await.expect(200);
        service.judges(&person.token, Verdict::Revoked).await;

        let person = joined("promoted").await;
        ada.changes(&person, json!({"role": "manager"})).await.expect(200);
        service.judges(&person.token, Verdict::Outdated).await;

        let person = joined("removed").await;
        ada.delete(&path(&format!("/members/{}", person.id()))).await.expect(200);
        service.judges(&person.token, Verdict::Revoked).await;

        let person = joined("leaver").await;
        person.leaves().await;
        service.judges(&person.token, Verdict::Revoked).await;

        let person = joined("deleted").await;
        person.delete("/api/auth/account").json(&json!({"password": PASSWORD})).await.expect(200);
        service.judges(&person.token, Verdict::Revoked).await;

        let person = joined("without").await;
        ada.enrols(&app).await;
        ada.sets_rules(&json!({"requireMfa": true})).await;
        service.judges(&person.token, Verdict::Outdated).await;
        assert_eq!(service.known.judges(&ada.token), Verdict::Good);

        ada.delete(&path("")).json(&json!({"name": "Acme"})).await.expect(200);
        assert_ne!(service.known.judges(&person.token), Verdict::Good);
        let all = Follower::begin(&app, &key).await;
        assert_eq!(all.resets, 0);
    }

    async fn an_instance_that_stops_ends_its_streams_first(app: TestApp) {
        let mut app = app;
        let key = app.service_key("billing").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let session = ada.signs_in_again().await;
        let mut service = Follower::begin(&app, &key).await;
        assert!(service.is_fresh().await);
        let (_, ended) = futures_util::future::join(app.stop(), service.ends()).await;
        assert!(ended);
        let (cursor, known) = (service.cursor.clone(), service.known.clone());
        let is_shared = matches!(app.db, Db::Postgres { .. });
        app.advance(TimeDelta::seconds(1));
        app.restart_stopped().await;
        session.logs_out().await.expect(200);
        let mut service = Follower::resume(&app, &key, cursor, known).await;
        service.judges(&session.token, Verdict::Revoked).await;
        // PostgreSQL knows the transactions of a moment ago; a file has no other instance.
        assert_eq!(service.resets, usize::from(!is_shared));
    }
}

/// Prints how long it takes.
#[actix_web::test]
async fn a_service_that_follows_another_instance_hears_it_too() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let here = TestApp::start(db).await;
    let there = here.second_instance().await;
    let key = here.service_key("billing").await;
    let ada = here.signs_up("Acme", "ada@acme.example").await;
    let mut follows_here = Follower::begin(&here, &key).await;
    let mut follows_there = Follower::begin(&there, &key).await;
    for _ in 0..5 {
        let session = ada.signs_in_again().await;
        session.logs_out().await.expect(200);
        let answered = Instant::now();
        follows_here.judges(&session.token, Verdict::Revoked).await;
        let same = answered.elapsed();
        follows_there.judges(&session.token, Verdict::Revoked).await;
        println!(
            "refused after {same:?} on the same instance, {:?} on another",
            answered.elapsed()
        );
    }
    // A cursor of one instance is good at the other.
    let session = ada.signs_in_again().await;
    let (cursor, known) = (follows_here.cursor.clone(), follows_here.known.clone());
    drop((follows_here, follows_there));
    session.logs_out().await.expect(200);
    let mut service = Follower::resume(&there, &key, cursor, known).await;
    service.judges(&session.token, Verdict::Revoked).await;
    assert_eq!(service.resets, 0);
}

#[actix_web::test]
async fn while_the_database_is_away_streams_are_silent_and_lists_are_503() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let app = TestApp::start(Db::Postgres {
        url: cluster.url("postgres"),
    })
    .await;
    let key = app.service_key("billing").await;
    let mut service = Follower::begin(&app, &key).await;
    assert!(service.is_fresh().await);
    cluster.stop();
    let silent = std::time::Duration::from_secs(4);
    eventually("no `fresh` comes any more", async || {
        tokio::time::timeout(silent, service.is_fresh())
            .await
            .is_err()
    })
    .await;
    assert_eq!(app.revocations(&key, "").await.status, 503);
    cluster.resume();
    // Its server has started anew, and may have lost what it had not written.
    assert!(service.is_fresh().await);
    assert_eq!(service.resets, 2);
}
