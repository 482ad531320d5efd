//! Introspection: what another service learns about a token that it was shown, and from whom it is asked.

use chrono::TimeDelta;
use data_encoding::BASE64;
use hallpass::ports::Clock as _;
use hallpass::service::operations::operator::list_services;
use serde_json::{Value, json};

use crate::role_matrix::session_token;
use crate::support::client::Call;
use crate::support::cluster::Cluster;
use crate::support::jwt::claims;
use crate::support::{Answer, Db, TestApp, on_both_databases};

const PATH: &str = "/api/auth/introspect";

fn asks(app: &TestApp, key: &str, token: &str) -> Call {
    app.post(PATH).bearer(key).form(&[("token", token)])
}

fn by_basic(app: &TestApp, user: &str, password: &str, token: &str) -> Call {
    let pair = BASE64.encode(format!("{user}:{password}").as_bytes());
    let call = app
        .post(PATH)
        .header("authorization", &format!("Basic {pair}"));
    call.form(&[("token", token)])
}

/// Nothing but that it is not good.
#[track_caller]
fn is_inactive(answer: &Answer) {
    assert_eq!(answer.text(), r#"{"active":false}"#);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

async fn is_active(app: &TestApp, key: &str, token: &str) -> Value {
    let active = asks(app, key, token).await.expect(200);
    assert_eq!(active["active"], true, "{active}");
    active
}

on_both_databases! {
    async fn a_good_token_of_each_kind_is_described(db: Db) {
        let app = TestApp::configured(db, |config| {
            config.tokens.issuer = Some("https://id.example".to_owned());
            config.tokens.audience = Some("https://api.example".to_owned());
        })
        .await;
        let key = app.service_key("billing").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let now = app.clock.now().timestamp();
        let claims = claims(&ada.token);
        assert_eq!(is_active(&app, &key, &ada.token).await, json!({
            "active": true,
            "kind": "access",
            "token_type": "Bearer",
            "sub": ada.id(),
            "sid": claims["sid"],
            "org_id": ada.organization_id(),
            "role": "admin",
            "username": "ada@acme.example",
            "iat": claims["iat"],
            "exp": claims["exp"],
            "iss": "https://id.example",
            "aud": "https://api.example",
        }));

        let service = ada.as_a_service("employee").await;
        let listed = ada.get("/api/tokens").await.expect(200);
        let id = &listed["tokens"][0]["id"];
        assert_eq!(is_active(&app, &key, &service.token).await, json!({
            "active": true,
            "kind": "api",
            "token_type": "Bearer",
            "sub": ada.id(),
            "sid": id,
            "client_id": id,
            "org_id": ada.organization_id(),
            "role": "employee",
            "username": "ada@acme.example",
            "iat": now,
            "iss": "https://id.example",
            "aud": "https://api.example",
        }));

        let session = session_token(&app, &ada).await;
        let described = is_active(&app, &key, &session).await;
        assert_eq!([&described["kind"], &described["sub"]], [&json!("session"), &json!(ada.id())]);
        assert_eq!([&described["iat"], &described["exp"]], [&json!(now), &json!(now + 30 * 24 * 3600)]);
        let sessions = ada.sessions().await;
        let known = sessions.iter().find(|session| session["kind"] == "token").unwrap();
        assert_eq!(described["sid"], known["id"]);
    }

    async fn roles_and_names_are_those_of_now(app: TestApp) {
        let key = app.service_key("billing").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let session = session_token(&app, &bob).await;
        ada.changes(&bob, json!({"role": "manager"})).await.expect(200);
        for token in [&bob.token, &session] {
            assert_eq!(is_active(&app, &key, token).await["role"], "manager");
        }
        assert_eq!(claims(&bob.token)["role"], "employee");
        bob.leaves().await;
        let alone = bob.signs_in_again().await;
        let described = is_active(&app, &key, &alone.token).await;
        assert!(described.get("org_id").is_none() && described.get("role").is_none(), "{described}");
        assert!(described.get("iss").is_none() && described.get("aud").is_none(), "{described}");
        app.db.execute("update users set email = null").await;
        let mut app = app;
        app.restart().await;
        assert_eq!(is_active(&app, &key, &alone.token).await["username"], bob.user["name"]);
    }

    async fn whatever_is_not_good_is_inactive_and_nothing_else(app: TestApp) {
        let key = app.service_key("billing").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let of_bob = [
            bob.token.clone(),
            bob.as_a_service("employee").await.token,
            session_token(&app, &bob).await,
        ];
        for token in &of_bob {
            is_active(&app, &key, token).await;
        }
        for token in [
            "", " ", "x", "hp_", "hps_", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", &"x".repeat(64), &"x".repeat(10_000), &key,
            &format!("{} ", ada.token), &ada.token[..ada.token.len() - 1], "%00", "\u{1f980}",
        ] {
            is_inactive(&asks(&app, &key, token).await);
        }
        ada.changes(&bob, json!({"disabled": true})).await.expect(200);
        for token in &of_bob {
            is_inactive(&asks(&app, &key, token).await);
        }
        let session = session_token(&app, &ada).await;
        app.post(&format!("/api/v1/logout?token={session}")).await.expect(200);
        is_inactive(&asks(&app, &key, &session).await);
        let gone = ada.signs_in_again().await;
        gone.logs_out().await.expect(200);
        is_inactive(&asks(&app, &key, &gone.token).await);
        app.advance(TimeDelta::days(8));
        is_inactive(&asks(&app, &key, &ada.token).await);
    }

    async fn a_token_that_lacks_the_second_factor_is_inactive(app: TestApp) {
        let key = app.service_key("billing").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let session = session_token(&app, &bob).await;
        let service = bob.as_a_service("employee").await;
        ada.enrols(&app).await;
        ada.sets_rules(&json!({"requireMfa": true})).await;
        for token in [&bob.token, &session, &service.token] {
            is_inactive(&asks(&app, &key, token).await);
        }
        // Locked until its code.
        let locked = session_token(&app, &ada).await;
        is_inactive(&asks(&app, &key, &locked).await);
        is_active(&app, &key, &ada.token).await;
        bob.enrols(&app).await;
        is_active(&app, &key, &bob.token).await;
    }

    async fn only_a_service_with_its_own_name_may_ask(app: TestApp) {
        let key = app.service_key("billing").await;
        let other = app.service_key("search").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let operator_app = app.operator_app().await;
        let listed = list_services(operator_app.services()).await.unwrap();
        let id = listed.iter().find(|it| it.name.as_str() == "billing").unwrap().id.to_string();
        for call in [
            asks(&app, &key, &ada.token),
            by_basic(&app, "billing", &key, &ada.token),
            by_basic(&app, "billing", &key.replace('_', "%5F").replace('-', "%2D"), &ada.token),
            by_basic(&app, &id, &key, &ada.token),
            by_basic(&app, "search", &other, &ada.token),
        ] {
            assert_eq!(call.await.expect(200)["sub"], ada.id());
        }
        let service = ada.as_a_service("admin").await;
        let form = || app.post(PATH).form(&[("token", &ada.token)]);
        for call in [
            form(),
            form().bearer(&ada.token),
            form().bearer(&service.token),
            form().bearer("hps_"),
            form().header("cookie", &format!("next-auth.session-token={}", ada.token)),
            by_basic(&app, "search", &key, &ada.token),
            by_basic(&app, "", &key, &ada.token),
            by_basic(&app, "Billing", &key, &ada.token),
            by_basic(&app, "billing", "", &ada.token),
            by_basic(&app, &key, "", &ada.token),
            by_basic(&app, "billing", &ada.token, &ada.token),
            form().header("authorization", "Basic !"),
            asks(&app, &key, &ada.token).bearer(&key),
        ] {
            let answer = call.await;
            assert_eq!(answer.status, 401, "{}", answer.text());
            let offered: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
            assert!(offered[0].to_str().unwrap().starts_with("Bearer"));
            assert_eq!(offered[1], "Basic realm=\"Hallpass\", charset=\"UTF-8\"");
        }
        app.removes_service("billing").await;
        asks(&app, &key, &ada.token).await.refused_with(401, "invalid_token");
        asks(&app, &other, &ada.token).await.expect(200);
    }

    async fn a_question_is_one_form_with_one_token(app: TestApp) {
        let key = app.service_key("billing").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let token = ada.token.as_str();
        let form = |fields: &[(&str, &str)]| app.post(PATH).bearer(&key).form(fields);
        for hint in ["access_token", "refresh_token", "nonsense"] {
            let hinted = form(&[("token_type_hint", hint), ("token", token), ("more", "x")]).await;
            assert_eq!(hinted.expect(200)["active"], true);
        }
        form(&[]).await.refused_fields(&["token"]);
        form(&[("tokens", token)]).await.refused_fields(&["token"]);
        app.post(&format!("{PATH}?token={token}")).bearer(&key).await.refused_fields(&["token"]);
        form(&[("token", token), ("token", token)]).await.refused_with(400, "malformed_request");
        let json = app.post(PATH).bearer(&key).json(&json!({"token": token})).await;
        json.refused_with(415, "unsupported_media_type");
        form(&[("token", &"x".repeat(20_000))]).await.refused_with(413, "body_too_large");
        app.get(PATH).bearer(&key).await.refused_with(405, "method_not_allowed");
    }
}

/// A service must not take an outage for the end of a session.
#[actix_web::test]
async fn without_a_database_the_answer_is_503() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let db = Db::create_on(&cluster, "").await.unwrap();
    let app = TestApp::start(db).await;
    let key = app.service_key("billing").await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let session = session_token(&app, &ada).await;
    is_active(&app, &key, &session).await;
    cluster.crash();
    for token in [&ada.token, &session] {
        let answer = asks(&app, &key, token).await;
        answer.refused_with(503, "unavailable");
    }
}
