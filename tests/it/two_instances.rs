//! Two instances with one database, used at once.

use chrono::TimeDelta;
use futures_util::future::join_all;

use crate::support::{TestApp, member_body, on_both_databases};

on_both_databases! {
    async fn an_address_registered_at_two_instances_at_once_is_one_account(app: TestApp) {
        let there = app.second_instance().await;
        let acme = app.registers("Acme", "ada@acme.example").await;
        let body = member_body(&acme.id, "bob@acme.example");
        let answers = join_all((0..20).map(|n| {
            let instance = if n % 2 == 0 { &app } else { &there };
            instance.post("/api/auth/register").json(&body).into_future()
        }))
        .await;
        let (created, refused): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status == 201);
        assert_eq!(created.len(), 1);
        for answer in refused {
            answer.refused(409, "Email already registered");
        }
        assert_eq!(app.db.count("select count(*) from users").await, 2);
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
    }

    async fn a_token_refreshed_at_two_instances_at_once_is_one_session(app: TestApp) {
        let there = app.second_instance().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        // So that both record the use.
        app.advance(TimeDelta::minutes(6));
        let elsewhere = ada.at(&there);
        let answers = join_all((0..20).map(|n| {
            let actor = if n % 2 == 0 { &ada } else { &elsewhere };
            actor.refreshes()
        }))
        .await;
        for answer in answers {
            let mut refreshed = ada.clone();
            refreshed.takes_token(&answer.expect(200));
            refreshed.at(&there).me().await.expect(200);
        }
        assert_eq!(app.db.count("select count(*) from sessions").await, 1);
        assert_eq!(ada.sessions().await.len(), 1);
    }

    /// Ended at one and refreshed at the other: the second one loses, and the session stays ended.
    async fn a_session_ended_at_one_instance_cannot_be_refreshed_at_another(app: TestApp) {
        let there = app.second_instance().await;
        for n in 0..5 {
            let ada = app.signs_up("Acme", &format!("ada{n}@acme.example")).await;
            app.advance(TimeDelta::minutes(6));
            let elsewhere = ada.at(&there);
            let (ended, refreshed) = tokio::join!(ada.logs_out(), elsewhere.refreshes());
            ended.expect(200);
            assert!(matches!(refreshed.status.as_u16(), 200 | 401), "{}", refreshed.text());
            if refreshed.status == 200 {
                let mut late = ada.clone();
                late.takes_token(&refreshed.json());
                late.me().await.refused(401, "Token revoked");
            }
            assert_eq!(app.db.count("select count(*) from sessions where revoked_at is null").await, 0);
        }
    }
}
