//! What one person can pile up is bounded: sessions, changes, audit rows, and the length of lists.

use chrono::TimeDelta;
use hallpass::service::sessions::housekeeping;
use serde_json::{Value, json};

use crate::people::Staff;
use crate::support::{
    Actor, Browser, Db, OTHER_PASSWORD, PASSWORD, SECRET, TestApp, eventually, jwt,
    on_both_databases,
};

const ADA: &str = "ada@acme.example";

/// Far more than end one by one.
const MANY: i64 = 3000;

/// The session used longest ago of those that [`piles_up`] inserts.
const FORGOTTEN: &str = "01939f2e-0000-7000-8000-000000000001";

on_both_databases! {
    async fn a_sign_in_above_the_limit_ends_the_session_used_longest_ago(db: Db) {
        let app = TestApp::configured(db, |config| config.accounts.sessions_per_user = 3).await;
        let oldest = app.signs_up("Acme", ADA).await;
        app.advance(TimeDelta::minutes(10));
        let unused = oldest.signs_in_again().await;
        app.advance(TimeDelta::minutes(10));
        let newest = oldest.signs_in_again().await;
        oldest.refreshes().await.expect(200);
        newest.signs_in_again().await.me().await.expect(200);
        oldest.me().await.expect(200);
        newest.me().await.expect(200);
        unused.me().await.refused(401, "Token revoked");
        unused.refreshes().await.refused(401, "Token revoked");
        assert_eq!(newest.sessions().await.len(), 3);
        let rows = r#"select count(*) from audit where action = 'session.ended'
            and detail = '{"sessions":1,"sessionsPerUser":3}'"#;
        assert_eq!(app.db.count(rows).await, 1);
    }

    async fn every_kind_of_session_counts_against_the_limit(db: Db) {
        let app = TestApp::configured(db, |config| config.accounts.sessions_per_user = 1).await;
        let ada = app.signs_up("Acme", ADA).await;
        app.advance(TimeDelta::seconds(1));
        let token = session_token(&app).await;
        ada.me().await.refused(401, "Token revoked");
        app.advance(TimeDelta::seconds(1));
        let browser = Browser::new(&app);
        browser.signs_in(ADA, PASSWORD).await;
        assert_eq!(searches(&app, &token).await, 401);
        app.advance(TimeDelta::seconds(1));
        ada.signs_in_again().await.me().await.expect(200);
        assert_eq!(browser.session().await, json!({}));
    }

    async fn a_password_without_the_second_factor_ends_no_session(db: Db) {
        let app = TestApp::configured(db, |config| config.accounts.sessions_per_user = 2).await;
        let ada = app.signs_up("Acme", ADA).await;
        let authenticator = ada.enrols(&app).await;
        let mut locked = Vec::new();
        for _ in 0..4 {
            app.advance(TimeDelta::seconds(1));
            locked.push(session_token(&app).await);
        }
        ada.me().await.expect(200);
        assert_eq!(app.db.count("select count(*) from sessions where revoked_at is null").await, 3);
        app.advance(TimeDelta::seconds(1));
        for (token, status) in [(&locked[2], 200), (&locked[0], 401)] {
            app.post(&format!("/api/v1/unlock?token={token}"))
                .json(&json!({"code": authenticator.code(&app)}))
                .await
                .expect(status);
            app.advance(TimeDelta::seconds(30));
        }
        ada.me().await.expect(200);
        let other = session_token(&app).await;
        app.post(&format!("/api/v1/unlock?token={other}"))
            .json(&json!({"code": authenticator.code(&app)}))
            .await
            .expect(200);
        ada.me().await.refused(401, "Token revoked");
    }

    async fn a_sign_in_ends_few_of_many_sessions_and_housekeeping_the_rest(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let forgotten = piles_up(&app, &ada).await;
        let before = changes(&app).await;
        app.advance(TimeDelta::seconds(1));
        let new = ada.signs_in_again().await;
        assert!(changes(&app).await - before <= 100);
        assert_eq!(live(&app).await, MANY + 2 - 100);
        tidies(&app).await;
        assert_eq!(live(&app).await, 100);
        new.me().await.expect(200);
        eventually("this instance knows", async || forgotten.me().await.status == 401).await;
        let rows = "select count(*) from audit where action = 'session.ended'";
        assert!(app.db.count(rows).await < 20);
    }

    async fn a_longer_rule_revives_none_of_many_sessions(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let admin = app.joins_invited(&ada, "bob@acme.example", "admin").await;
        let forgotten = piles_up(&app, &ada).await;
        ada.sets_rules(&json!({"sessionIdle": 600})).await;
        app.advance(TimeDelta::minutes(11));
        let admin = admin.signs_in_again().await;
        admin.sets_rules(&json!({"sessionIdle": null})).await;
        for ended in [&ada, &forgotten] {
            ended.me().await.refused(401, "Token revoked");
        }
        admin.me().await.expect(200);
        assert_eq!(live(&app).await, 1);
    }

    async fn logout_all_ends_any_number_of_sessions_with_one_change(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let forgotten = piles_up(&app, &ada).await;
        let token = session_token(&app).await;
        app.db.execute("update sessions set last_used_at = (select min(last_used_at) from sessions) where token_hash is not null").await;
        forgotten.me().await.expect(200);
        let before = changes(&app).await;
        ada.post("/api/auth/logout-all").await.expect(200);
        assert_eq!(changes(&app).await - before, 1);
        for ended in [&ada, &forgotten] {
            ended.me().await.refused(401, "Token revoked");
        }
        assert_eq!(searches(&app, &token).await, 401);
        let new = ada.signs_in_again().await;
        assert_eq!(new.sessions().await.len(), 1);
        new.refreshes().await.expect(200);
    }

    async fn a_reset_ends_any_number_of_sessions_with_one_change(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let forgotten = piles_up(&app, &ada).await;
        app.forgets_password(ADA).await.expect(200);
        let token = app.mailed_token(ADA, "reset_password").await;
        let revocations = "select count(*) from changes where kind in ('session_ended', 'tokens_called_back')";
        app.resets_password(&token, OTHER_PASSWORD).await.expect(200);
        assert_eq!(app.db.count(revocations).await, 1);
        forgotten.me().await.refused(401, "Token revoked");
        forgotten.refreshes().await.refused(401, "Token revoked");
    }

    async fn a_new_password_spares_only_this_of_any_number_of_sessions(db: Db) {
        let mut app = TestApp::start(db).await;
        let ada = app.signs_up("Acme", ADA).await;
        let forgotten = piles_up(&app, &ada).await;
        forgotten.me().await.expect(200);
        let before = changes(&app).await;
        ada.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        assert!(changes(&app).await - before <= 1);
        for _ in 0..2 {
            ada.me().await.expect(200);
            ada.refreshes().await.expect(200);
            forgotten.me().await.refused(401, "Token revoked");
            forgotten.refreshes().await.refused(401, "Token revoked");
            assert_eq!(ada.sessions().await.len(), 1);
            app.restart().await;
        }
        tidies(&app).await;
        assert_eq!(live(&app).await, 1);
        forgotten.me().await.refused(401, "Token revoked");
    }

    async fn a_new_password_writes_one_change_for_each_other_session(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        for _ in 0..3 {
            ada.signs_in_again().await;
        }
        let before = changes(&app).await;
        ada.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        assert_eq!(changes(&app).await - before, 3);
    }

    async fn disabling_and_removal_end_any_number_of_sessions_with_one_change(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let forgotten = piles_up(&app, &bob).await;
        let before = changes(&app).await;
        ada.changes(&bob, json!({"disabled": true})).await.expect(200);
        assert_eq!(changes(&app).await - before, 1);
        forgotten.me().await.refused(401, "Token revoked");
        ada.changes(&bob, json!({"disabled": false})).await.expect(200);
        forgotten.me().await.refused(401, "Token revoked");

        let path = ada.organization_path(&format!("/members/{}", bob.id()));
        let before = changes(&app).await;
        ada.delete(&path).await.expect(200);
        assert!(changes(&app).await - before <= 1);
        forgotten.me().await.refused(401, "Token revoked");
    }

    async fn removal_from_one_of_two_organizations_ends_any_number_of_sessions(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let alan = app.joins(ada.organization_id(), "alan@acme.example").await;
        app.advance(TimeDelta::seconds(1));
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        alan.also_belongs_to(&app, bob.organization_id(), "employee").await;
        let forgotten = piles_up(&app, &alan).await;
        let before = changes(&app).await;
        ada.delete(&ada.organization_path(&format!("/members/{}", alan.id()))).await.expect(200);
        assert!(changes(&app).await - before <= 2);
        alan.also_belongs_to(&app, ada.organization_id(), "employee").await;
        forgotten.me().await.refused(401, "Token revoked");
        forgotten.refreshes().await.refused(401, "Token revoked");
    }

    async fn an_account_with_any_number_of_sessions_is_deleted_at_once(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let forgotten = piles_up(&app, &bob).await;
        ada.delete(&format!("/api/users/{}", bob.id())).await.expect(200);
        forgotten.me().await.refused(401, "Token revoked");
        app.tries_to_log_in(&bob.email, PASSWORD).await.refused(401, "Invalid credentials");
        let kept = format!("select count(*) from users where name <> '' and id = {}", app.db.id(bob.id()));
        assert_eq!(app.db.count(&kept).await, 0);
        app.joins(ada.organization_id(), "bob@acme.example").await.me().await.expect(200);
        tidies(&app).await;
        let rows = format!("select count(*) from users where id = {}", app.db.id(bob.id()));
        assert_eq!(app.db.count(&rows).await, 0);
    }

    async fn sessions_are_listed_in_pages_newest_first(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        for _ in 0..4 {
            ada.signs_in_again().await;
        }
        let all = ada.sessions().await;
        assert_eq!(all.len(), 5);
        assert_eq!(pages(&ada, "/api/auth/sessions", "sessions", 2).await, [&all[..2], &all[2..4], &all[4..]]);
        ada.get("/api/auth/sessions?limit=0&cursor=x").await.refused_fields(&["limit", "cursor"]);
        ada.get("/api/auth/sessions?cursor=AZqfLl0bSiCcPWSx4PeowA").await.refused_fields(&["cursor"]);
        assert_eq!(ada.get("/api/auth/sessions?cursor=").await.expect(200)["sessions"], json!(all));
    }

    async fn a_page_has_a_hundred_items_unless_asked_otherwise(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        piles_up(&app, &ada).await;
        let page = ada.get("/api/auth/sessions").await.expect(200);
        assert_eq!(page["sessions"].as_array().unwrap().len(), 100);
        assert!(page["nextCursor"].is_string());
    }

    async fn open_invitations_are_listed_in_pages_newest_first(app: TestApp) {
        let ada = app.signs_up_verified("Acme", ADA).await;
        for n in 0..5 {
            app.advance(TimeDelta::seconds(1));
            ada.invites(&format!("guest{n}@acme.example"), "employee").await.expect(201);
        }
        let path = ada.organization_path("/invitations");
        let all = ada.get(&path).await.expect(200)["invitations"].as_array().unwrap().clone();
        assert_eq!((all.len(), &all[0]["email"]), (5, &json!("guest4@acme.example")));
        assert_eq!(pages(&ada, &path, "invitations", 2).await, [&all[..2], &all[2..4], &all[4..]]);
        ada.get(&format!("{path}?limit=101")).await.refused_fields(&["limit"]);
    }

    async fn routine_acts_above_a_hundred_a_minute_are_counted_in_one_row(app: TestApp) {
        let Staff { grace, .. } = &Staff::of(&app).await;
        let there = app.second_instance().await;
        for n in 0..130 {
            let at = if n % 2 == 0 { &app } else { &there };
            grace.at(at).patch("/api/auth/me").json(&json!({"name": format!("Grace {n}")})).await.expect(200);
        }
        assert_eq!(rows(&app, grace, "user.profile_updated").await, 100);
        assert_eq!(details(&app, grace, "audit.counted").await, [json!({"count": 30})]);
        // Acts that matter to others are not hidden by it.
        grace.signs_in_again().await;
        grace.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        assert_eq!(rows(&app, grace, "user.password_changed").await, 1);

        app.advance(TimeDelta::minutes(1));
        grace.patch("/api/auth/me").json(&json!({"name": "Grace Hopper"})).await.expect(200);
        assert_eq!(rows(&app, grace, "user.profile_updated").await, 101);
        assert_eq!(rows(&app, grace, "audit.counted").await, 1);
    }

    async fn the_same_act_on_one_person_is_counted_and_another_is_not(app: TestApp) {
        let Staff { ada, grace, alan, .. } = &Staff::of(&app).await;
        let before = rows(&app, ada, "user.role_changed").await;
        for n in 0..103 {
            let role = if n % 2 == 0 { "manager" } else { "employee" };
            ada.changes(alan, json!({"role": role})).await.expect(200);
        }
        ada.changes(grace, json!({"role": "employee"})).await.expect(200);
        ada.changes(alan, json!({"disabled": true})).await.expect(200);
        assert_eq!(rows(&app, ada, "user.role_changed").await - before, 101);
        assert_eq!(rows(&app, ada, "user.disabled").await, 1);
        let last = json!({"action": "user.role_changed", "count": 3, "last": {"role": ["employee", "manager"]}});
        assert_eq!(details(&app, ada, "audit.counted").await, [last]);
    }

    async fn a_person_has_one_living_change_and_a_repetition_none(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let of_ada = "select count(*) from changes where kind = 'person_changed'";
        for n in 0..10 {
            ada.patch("/api/auth/me").json(&json!({"name": format!("Ada {n}")})).await.expect(200);
            assert_eq!(ada.me().await.expect(200)["name"], format!("Ada {n}"));
        }
        assert_eq!(app.db.count(of_ada).await, 1);
        let newest = app.db.values("select max(seq) as v from changes").await;
        let written = rows(&app, &ada, "user.profile_updated").await;
        ada.patch("/api/auth/me").json(&json!({"name": "Ada 9"})).await.expect(200);
        let organization = ada.organization_path("");
        ada.patch(&organization).json(&json!({"name": "Acme"})).await.expect(200);
        assert_eq!(app.db.values("select max(seq) as v from changes").await, newest);
        assert_eq!(rows(&app, &ada, "user.profile_updated").await, written);
        assert_eq!(rows(&app, &ada, "organization.updated").await, 0);
    }
}

#[actix_web::test]
async fn another_instance_learns_the_newest_of_many_names() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let here = TestApp::start(db).await;
    let there = here.second_instance().await;
    let ada = here.signs_up("Acme", ADA).await;
    for n in 0..40 {
        ada.at(&there).me().await.expect(200);
        let body = json!({"name": format!("Ada {n}")});
        ada.patch("/api/auth/me").json(&body).await.expect(200);
    }
    eventually("the other instance knows the newest name", async || {
        ada.at(&there).me().await.expect(200)["name"] == "Ada 39"
    })
    .await;
}

/// Gives an account many live sessions, as a version without a limit allowed, and returns one of them that was used
/// long ago.
async fn piles_up(app: &TestApp, actor: &Actor) -> Actor {
    let (series, id, time) = match app.db {
        Db::Sqlite { .. } => (
            format!(
                "with recursive n(i) as (select 1 union all select i + 1 from n where i < {MANY})"
            ),
            "cast(substr({sid}, 1, 6) || randomblob(10) as blob)",
            "created_at - i",
        ),
        Db::Postgres { .. } => (
            format!("with n(i) as (select generate_series(1, {MANY}))"),
            "overlay({sid}::text placing substr(gen_random_uuid()::text, 15) from 15)::uuid",
            "created_at - i * interval '1 microsecond'",
        ),
    };
    // An id begins with the time at which its session began.
    let sid = jwt::claims(&actor.token)["sid"]
        .as_str()
        .unwrap()
        .to_owned();
    let forgotten_id = format!("{}{}", &sid[..14], &FORGOTTEN[14..]);
    let (user_id, forgotten) = (app.db.id(actor.id()), app.db.id(&forgotten_id));
    let sid = app.db.id(&sid);
    let id = id.replace("{sid}", &sid);
    app.db
        .execute(&format!(
            "insert into sessions (id, user_id, organization_id, created_at, last_used_at, expires_at, kind, locked)
             {series} select case when i = {MANY} then {forgotten} else {id} end, {user_id}, organization_id,
                 created_at, {time}, expires_at, kind, locked from n, sessions where sessions.id = {sid}"
        ))
        .await;
    let token = jwt::altered(&actor.token, SECRET, |claims| {
        claims["sid"] = json!(forgotten_id);
    });
    Actor {
        token,
        ..actor.clone()
    }
}

/// What every instance does each hour.
async fn tidies(app: &TestApp) {
    let operator = app.operator_app().await;
    housekeeping::close_ended(operator.services())
        .await
        .unwrap();
    housekeeping::delete_hidden_accounts(operator.services())
        .await
        .unwrap();
}

async fn session_token(app: &TestApp) -> String {
    let body = json!({"name": ADA, "password": PASSWORD, "returnToken": true});
    let answer = app.post("/api/v1/login").json(&body).await.expect(200);
    answer["token"].as_str().unwrap().to_owned()
}

async fn searches(app: &TestApp, token: &str) -> u16 {
    let call = app.post(&format!("/api/v1/search?token={token}"));
    let answer = call.json(&json!({"from": 0, "size": 10})).await;
    answer.status.as_u16()
}

async fn changes(app: &TestApp) -> i64 {
    app.db.count("select count(*) from changes").await
}

/// All tests' sessions are of one user, and none of them expires.
async fn live(app: &TestApp) -> i64 {
    app.db
        .count("select count(*) from sessions where revoked_at is null")
        .await
}

async fn pages(actor: &Actor, path: &str, items: &str, limit: u8) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = actor
            .get(&format!("{path}?limit={limit}&cursor={cursor}"))
            .await
            .expect(200);
        pages.push(page[items].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return pages,
        }
    }
}

async fn rows(app: &TestApp, actor: &Actor, action: &str) -> i64 {
    let actor_id = app.db.id(actor.id());
    let rows =
        format!("select count(*) from audit where actor_id = {actor_id} and action = '{action}'");
    app.db.count(&rows).await
}

async fn details(app: &TestApp, actor: &Actor, action: &str) -> Vec<Value> {
    let actor_id = app.db.id(actor.id());
    let details = format!(
        "select detail as v from audit where actor_id = {actor_id} and action = '{action}'"
    );
    let texts = app.db.values(&details).await;
    texts
        .iter()
        .map(|text| serde_json::from_str(text.as_deref().unwrap()).unwrap())
        .collect()
}
