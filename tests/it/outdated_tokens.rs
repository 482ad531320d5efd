//! Whatever changes what a token says raises `pv`, so that services that verify tokens themselves refuse the old one.

use serde_json::{Value, json};

use crate::support::{Actor, Db, TestApp, jwt, on_both_databases};

fn pv(actor: &Actor) -> i64 {
    jwt::claims(&actor.token)["pv"].as_i64().unwrap()
}

async fn announced(app: &TestApp, actor: &Actor) -> i64 {
    let id = actor.id().replace('-', "");
    let of_user = match &app.db {
        Db::Sqlite { .. } => format!("user_id = x'{id}'"),
        Db::Postgres { .. } => format!("user_id = '{id}'"),
    };
    let query = format!(
        "select coalesce(max(min_pv), 0) from changes where kind = 'tokens_outdated' and {of_user}"
    );
    app.db.count(&query).await
}

/// The old token is outdated, and a refreshed one is not.
async fn is_outdated(app: &TestApp, actor: &mut Actor, why: &str) {
    let min = announced(app, actor).await;
    assert!(pv(actor) < min, "{why}: {} is not below {min}", pv(actor));
    let refreshed = actor.refreshes().await.expect(200);
    actor.takes_token(&refreshed);
    assert_eq!(pv(actor), min, "{why}");
}

on_both_databases! {
    async fn a_token_says_how_old_its_role_and_membership_are(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let mut bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        assert_eq!(pv(&bob), 0);
        ada.changes(&bob, json!({"role": "manager"})).await.expect(200);
        is_outdated(&app, &mut bob, "a promotion").await;
        assert_eq!(jwt::claims(&bob.token)["role"], "manager");
        ada.changes(&bob, json!({"role": "employee"})).await.expect(200);
        is_outdated(&app, &mut bob, "a demotion").await;
        let before = announced(&app, &bob).await;
        ada.changes(&bob, json!({"role": "employee"})).await.expect(200);
        assert_eq!(announced(&app, &bob).await, before, "nothing changed");
        assert_eq!(announced(&app, &ada).await, 0);
    }

    /// Its session goes on in another organization, so that nothing but `pv` tells that the old token is outdated.
    async fn a_token_for_an_organization_left_meanwhile_is_outdated(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let eve = app.signs_up("Beta", "eve@beta.example").await;
        let carol = app.joins(ada.organization_id(), "carol@acme.example").await;
        carol.also_belongs_to(&app, eve.organization_id(), "employee").await;
        let body = json!({"organizationId": eve.organization_id()});
        let there = carol.post("/api/auth/refresh").json(&body).await.expect(200);
        let path = ada.organization_path(&format!("/members/{}", carol.id()));
        ada.delete(&path).await.expect(200);
        assert!(pv(&carol) < announced(&app, &carol).await);
        let mut there = Actor { token: there["accessToken"].as_str().unwrap().to_owned(), ..carol.clone() };
        is_outdated(&app, &mut there, "a removal").await;
        let claims = jwt::claims(&there.token);
        assert_eq!(claims["orgId"], Value::from(eve.organization_id()));
    }

    async fn new_rules_outdate_the_tokens_of_those_whom_they_concern(app: TestApp) {
        let mut ada = app.signs_up("Acme", "ada@acme.example").await;
        let mut bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let eve = app.signs_up("Beta", "eve@beta.example").await;

        ada.sets_rules(&json!({"sessionLifetime": 86_400})).await;
        is_outdated(&app, &mut ada, "a shorter life").await;
        is_outdated(&app, &mut bob, "a shorter life").await;
        let before = announced(&app, &bob).await;
        ada.sets_rules(&json!({"sessionLifetime": 172_800, "joinPolicy": "invite"})).await;
        assert_eq!(announced(&app, &bob).await, before, "a longer life, and a rule for others");

        ada.enrols(&app).await;
        let before = announced(&app, &ada).await;
        ada.sets_rules(&json!({"requireMfa": true})).await;
        assert_eq!(announced(&app, &ada).await, before, "she has a second factor");
        assert!(pv(&bob) < announced(&app, &bob).await);
        bob.refreshes().await.refused(403, "MFA enrolment required");
        assert_eq!(announced(&app, &eve).await, 0);
    }
}
