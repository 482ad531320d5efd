//! What is no longer needed is deleted in small steps, and what is needed stays.

use chrono::TimeDelta;
use hallpass::service::operations::purge::{Purge, purge};
use hallpass::service::sessions::housekeeping;
use serde_json::json;

use crate::support::{Actor, Db, TestApp, on_both_databases};

const ADA: &str = "ada@acme.example";

/// Rows of each kind that are no longer needed.
const DEAD: i64 = 20_000;

/// The largest step.
const STEP: usize = 1000;

/// Table, columns, and the values of row `i`, dead by `{time}` and with the id `{id}`; `{ada}` and `{acme}` exist.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "failed_attempts",
        "account, address, at",
        "'a', '192.0.2.1', {time}",
    ),
    (
        "failures_in_a_row",
        "account, failures, last_at",
        "{text}, 1, {time}",
    ),
    (
        "known_addresses",
        "user_id, block, last_at",
        "{ada}, {text}, {time}",
    ),
    (
        "known_devices",
        "user_id, device, network, last_at",
        "{ada}, {text}, '', {time}",
    ),
    ("slack_states", "id, expires_at", "{id}, {time}"),
    (
        "one_time_tokens",
        "hash, purpose, payload, expires_at",
        "{text}, 'x', 'x', {time}",
    ),
    (
        "join_links",
        "id, hash, organization_id, maker_id, role, created_at, expires_at",
        "{id}, {text}, {acme}, {ada}, 'employee', {time}, {time}",
    ),
    (
        "api_tokens",
        "id, hash, prefix, name, creator_id, organization_id, role, created_at, revoked_at",
        "{id}, {text}, 'hp_', 'revoked', {ada}, {acme}, 'employee', {time}, {time}",
    ),
    (
        "api_tokens",
        "id, hash, prefix, name, creator_id, organization_id, role, created_at, expires_at",
        "{id}, {text}, 'hp_', 'expired', {ada}, {acme}, 'employee', {time}, {time}",
    ),
    (
        "outbox",
        "id, kind, recipient, created_at",
        "{id}, 'blank', '', {time}",
    ),
    (
        "outbox",
        "id, kind, recipient, created_at, sent_at",
        "{id}, 'sent', 'a@b.example', {time}, {time}",
    ),
    (
        "outbox",
        "id, kind, recipient, created_at, given_up_at",
        "{id}, 'lost', 'a@b.example', {time}, {time}",
    ),
    (
        "webhook_deliveries",
        "id, webhook_id, event, at, attempts, delivered_at",
        "{id}, (select id from webhooks), 'user.created', {time}, 1, {time}",
    ),
    (
        "webhook_deliveries",
        "id, webhook_id, event, at, attempts, given_up_at",
        "{id}, (select id from webhooks), 'user.updated', {time}, 1, {time}",
    ),
    (
        "changes",
        "kind, user_id, at, expires_at",
        "'person_changed', {id}, {time}, {time}",
    ),
];

on_both_databases! {
    async fn one_purge_is_many_short_transactions(db: Db) {
        let app = TestApp::start(db).await;
        let ada = app.signs_up("Acme", ADA).await;
        let hook = json!({"url": "http://127.0.0.1:9/", "events": ["user.deleted"]});
        ada.post("/api/webhooks").json(&hook).await.expect(201);
        let before = counts(&app).await;
        inserts(&app, &ada, "2100-01-01", 1).await;
        let living = counts(&app).await;
        assert!(living.iter().zip(&before).all(|(living, before)| living > before));
        inserts(&app, &ada, "2020-01-01", DEAD).await;
        let operator_app = app.operator_app().await;

        let mut interrupted = Purge::new(operator_app.services());
        for _ in 0..3 {
            interrupted.step().await.unwrap();
        }
        let dead: i64 = counts(&app).await.iter().sum::<i64>() - living.iter().sum::<i64>();
        assert!(dead > 0);

        let mut purge = Purge::new(operator_app.services());
        let mut deleted = 0;
        while let Some(step) = purge.step().await {
            assert!((1..=STEP).contains(&step.deleted), "{step:?}");
            if deleted == 0 {
                ada.signs_in_again().await.me().await.expect(200);
            }
            deleted += i64::try_from(step.deleted).unwrap();
        }
        assert!(deleted > 0);
        for (left, (was, (table, ..))) in counts(&app).await.iter().zip(living.iter().zip(ROWS)) {
            // The sign-in in between has left rows of its own.
            assert!((*was..was + 5).contains(left), "{table}: {was}, then {left}");
        }
    }

    async fn what_has_ended_is_kept_as_long_as_the_settings_say(db: Db) {
        let app = TestApp::start(db).await;
        let ada = app.signs_up_verified("Acme", ADA).await;
        ada.signs_in_again().await.logs_out().await.expect(200);
        for email in ["bob@acme.example", "eve@acme.example"] {
            ada.invites(email, "employee").await.expect(201);
        }
        let invitations = ada.get(&ada.organization_path("/invitations")).await.expect(200);
        let revoked = invitations["invitations"][0]["id"].as_str().unwrap();
        ada.delete(&ada.organization_path(&format!("/invitations/{revoked}"))).await.expect(200);
        // Sessions, invitations, e-mails that no mail server took, audit rows: all as they were, or which are gone.
        let logins = "select count(*) from audit where action = 'session.login'";
        let first = app.db.count(logins).await;
        let all = left(&app).await;
        assert_eq!(all[..2], [2, 2]);
        let [sessions, invitations, emails, audit] = all;

        app.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
        assert_eq!(purged(&app).await, all);
        app.advance(TimeDelta::seconds(1));
        assert_eq!(purged(&app).await, [sessions - 1, invitations - 1, emails, audit]);
        app.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
        assert_eq!(purged(&app).await, [sessions - 1, invitations - 1, emails, audit]);
        app.advance(TimeDelta::seconds(1));
        assert_eq!(purged(&app).await, [sessions - 1, invitations - 2, 0, audit]);
        let later = ada.signs_in_again().await;
        // Her first session has ended by now, and is deleted thirty days after that was noticed.
        app.advance(TimeDelta::days(60));
        assert_eq!(purged(&app).await[0], 2);
        app.advance(TimeDelta::days(29));
        assert_eq!(purged(&app).await[0], 2);
        app.advance(TimeDelta::days(1));
        assert_eq!(purged(&app).await[0], 1);
        app.advance(TimeDelta::days(400 - 37 - 60 - 30) - TimeDelta::milliseconds(1));
        assert!(purged(&app).await[3] > audit);
        app.advance(TimeDelta::milliseconds(1));
        let before = app.db.count(logins).await;
        assert!(before > first);
        assert!(purged(&app).await[3] < audit);
        assert_eq!(app.db.count(logins).await, before - first);
        later.me().await.refused(401, "Token expired");
    }
}

#[actix_web::test]
async fn a_wal_that_has_grown_shrinks_again() {
    let app = TestApp::start(Db::sqlite()).await;
    let Db::Sqlite { path } = &app.db else {
        unreachable!()
    };
    let wal = || {
        std::fs::metadata(format!("{}-wal", path.display()))
            .unwrap()
            .len()
    };
    let many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)";
    app.db
        .execute(&format!(
            "insert into one_time_tokens (hash, purpose, payload, expires_at)
             {many} select hex(randomblob(16)), 'x', hex(randomblob(200)), 0 from n"
        ))
        .await;
    assert!(wal() > WAL_LIMIT, "{}", wal());
    purge(app.operator_app().await.services()).await;
    assert_eq!(
        app.db.count("select count(*) from one_time_tokens").await,
        0
    );
    assert!((ROOM..=WAL_LIMIT).contains(&wal()), "{}", wal());
    app.signs_up("Acme", ADA).await;
}

/// The WAL's minimum, without which a full disk would refuse sign-ins, and its maximum at rest.
const ROOM: u64 = 4 << 20;
const WAL_LIMIT: u64 = 16 << 20;

#[actix_web::test]
async fn an_audit_query_with_every_filter_takes_a_selective_index() {
    let app = TestApp::start(Db::sqlite()).await;
    let ada = app.signs_up("Acme", ADA).await;
    let acme = app.db.id(ada.organization_id());
    let inserts = async |rows: i64, people: i64| {
        let sql = format!(
            "insert into audit (id, at, action, outcome, actor_id, subject_id, organization_id, request_id)
             with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
             select cast(x'01a2' || randomblob(14) as blob), 1798761600000000, 'session.login', 'ok',
                 cast('actor' || (i % {people}) as blob), cast('subject' || (i % {people}) as blob), {acme}, 'r' from n"
        );
        app.db.execute(&sql).await;
        purge(app.operator_app().await.services()).await;
    };
    // A query with several filters, of which one leaves few rows.
    let explain = format!(
        "explain query plan select * from audit where organization_id = {acme} and id < x'ff'
             and action = 'session.login' and outcome = 'ok' and actor_id = x'01' and subject_id = x'02'
             and id >= x'01' and at >= 1 and id < x'fe' and at < 4102444800000000 order by id desc limit 101"
    );
    let is_selective = |plan: &str| {
        ["audit_actor_idx", "audit_subject_idx"]
            .iter()
            .any(|index| plan.contains(index))
    };
    // How many rows SQLite expects of one person.
    let expected = async || {
        let stat = "select stat as v from sqlite_stat1 where idx = 'audit_actor_idx'";
        let stat = app.db.values(stat).await[0].clone().unwrap();
        stat.split(' ').nth(1).unwrap().parse::<i64>().unwrap()
    };
    inserts(100, 1).await;
    assert!(expected().await > 30);
    inserts(20_000, 1000).await;
    assert!(expected().await < 30);
    let plan = app.db.plan(&explain).await;
    assert!(is_selective(&plan), "{plan}");
}

/// What every instance does each hour, and what is left then.
async fn purged(app: &TestApp) -> [i64; 4] {
    let operator_app = app.operator_app().await;
    housekeeping::close_ended(operator_app.services())
        .await
        .unwrap();
    purge(operator_app.services()).await;
    left(app).await
}

async fn left(app: &TestApp) -> [i64; 4] {
    let mut left = [0; 4];
    for (table, left) in ["sessions", "invitations", "outbox", "audit"]
        .iter()
        .zip(&mut left)
    {
        *left = app.db.count(&format!("select count(*) from {table}")).await;
    }
    left
}

/// How many rows each table of [`ROWS`] has.
async fn counts(app: &TestApp) -> Vec<i64> {
    let mut counts = Vec::new();
    for (table, ..) in ROWS {
        counts.push(app.db.count(&format!("select count(*) from {table}")).await);
    }
    counts
}

async fn inserts(app: &TestApp, actor: &Actor, day: &str, rows: i64) {
    let (series, id, text, time) = match &app.db {
        Db::Sqlite { .. } => (
            format!(
                "with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
                 select {{values}} from n"
            ),
            // Early, as the ids of old rows are.
            "cast(x'0000' || randomblob(14) as blob)",
            "hex(randomblob(16))",
            format!("unixepoch('{day}') * 1000000"),
        ),
        Db::Postgres { .. } => (
            format!("select {{values}} from generate_series(1, {rows})"),
            "overlay(gen_random_uuid()::text placing '0000' from 1)::uuid",
            "gen_random_uuid()::text",
            format!("timestamptz '{day}'"),
        ),
    };
    for (table, columns, values) in ROWS {
        let values = values
            .replace("{id}", id)
            .replace("{text}", text)
            .replace("{time}", &time)
            .replace("{ada}", &app.db.id(actor.id()))
            .replace("{acme}", &app.db.id(actor.organization_id()));
        let select = series.replace("{values}", &values);
        app.db
            .execute(&format!("insert into {table} ({columns}) {select}"))
            .await;
    }
}
