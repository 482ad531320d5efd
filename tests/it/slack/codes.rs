//! One-time codes: valid once, for sixty seconds, and with the matching verifier.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;
use url::Url;

use crate::support::slack::{CHALLENGE, RETURN_URL, VERIFIER};
use crate::support::{Answer, SlackApp, on_both_databases};

const OTHER_VERIFIER: &str = "another-verifier-of-43-characters-or-more-00";

on_both_databases! {
    async fn a_code_and_its_verifier_give_a_login_answer(app: SlackApp) {
        let code = code(&app, RETURN_URL, "owner").await;
        let answer = redeem(&app, &code, VERIFIER).await.expect(200);
        assert_eq!(answer["expiresIn"], 604_800);
        assert_eq!(answer["user"]["email"], "katherine@example.com");
        let me = app.me(answer["accessToken"].as_str().unwrap()).await;
        assert_eq!(me, answer["user"]);
    }

    async fn a_mobile_app_gets_a_code_too(app: SlackApp) {
        let code = code(&app, "com.example.app://signed-in", "owner").await;
        redeem(&app, &code, VERIFIER).await.expect(200);
    }

    async fn a_code_works_once(app: SlackApp) {
        let code = code(&app, RETURN_URL, "owner").await;
        let tries = join_all((0..20).map(|_| redeem(&app, &code, VERIFIER))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        for refused in tries.iter().filter(|answer| answer.status != 200) {
            refused.refused(400, "Sign-in expired");
        }
        assert_eq!(app.db.count("select count(*) from sessions").await, 1);
    }

    async fn a_code_works_once_across_instances(app: SlackApp) {
        let there = SlackApp(app.second_instance().await);
        let code = code(&app, RETURN_URL, "owner").await;
        let tries = join_all((0..20).map(|n| {
            redeem(if n % 2 == 0 { &app } else { &there }, &code, VERIFIER)
        }))
        .await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        for refused in tries.iter().filter(|answer| answer.status != 200) {
            refused.refused(400, "Sign-in expired");
        }
        assert_eq!(app.db.count("select count(*) from sessions").await, 1);
    }

    async fn a_wrong_verifier_uses_up_the_code(app: SlackApp) {
        let code = code(&app, RETURN_URL, "owner").await;
        redeem(&app, &code, OTHER_VERIFIER).await.refused(400, "Sign-in expired");
        redeem(&app, &code, VERIFIER).await.refused(400, "Sign-in expired");
        assert_eq!(app.db.count("select count(*) from sessions").await, 0);
    }

    async fn a_code_lasts_sixty_seconds(app: SlackApp) {
        let (in_time, late) = (code(&app, RETURN_URL, "owner").await, code(&app, RETURN_URL, "owner").await);
        app.advance(TimeDelta::seconds(59));
        redeem(&app, &in_time, VERIFIER).await.expect(200);
        app.advance(TimeDelta::seconds(1));
        redeem(&app, &late, VERIFIER).await.refused(400, "Sign-in expired");
    }

    async fn only_the_hash_of_a_code_is_stored(app: SlackApp) {
        let code = code(&app, RETURN_URL, "owner").await;
        let kept = app.db.values("select hash || payload as v from one_time_tokens").await;
        assert_eq!(kept.len(), 1);
        assert!(!kept[0].as_ref().unwrap().contains(&code));
        redeem(&app, &code, VERIFIER).await.expect(200);
        assert_eq!(app.db.count("select count(*) from one_time_tokens").await, 0);
    }

    async fn nothing_else_is_accepted_as_a_code(app: SlackApp) {
        let state = app.asks_for_url(RETURN_URL, &[]).await.expect(200)["state"].as_str().unwrap().to_owned();
        let token = app.arrives("owner").await.token().to_owned();
        for other in ["x", &"A".repeat(43), &state, &token] {
            redeem(&app, other, VERIFIER).await.refused(400, "Sign-in expired");
        }
        let code = code(&app, RETURN_URL, "owner").await;
        app.get("/api/auth/me").bearer(&code).await.refused(401, "Invalid token");
    }

    async fn a_request_names_its_invalid_fields(app: SlackApp) {
        app.post("/api/auth/slack/token").json(&json!({})).await.refused_fields(&["code", "codeVerifier"]);
        app.post("/api/auth/slack/token")
            .json(&json!({"code": "a", "codeVerifier": "short", "role": "admin"}))
            .await
            .refused_fields(&["codeVerifier", "role"]);
    }

    async fn a_person_disabled_meanwhile_gets_nothing(app: SlackApp) {
        let code = code(&app, RETURN_URL, "owner").await;
        app.db.execute("update users set disabled_at = created_at").await;
        redeem(&app, &code, VERIFIER).await.refused(403, "Sign-in not allowed");
    }
}

async fn code(app: &SlackApp, return_url: &str, persona: &str) -> String {
    let authorization = app
        .asks_for_url(return_url, &[("codeChallenge", CHALLENGE)])
        .await
        .expect(200);
    let url: Url = authorization["url"].as_str().unwrap().parse().unwrap();
    let callback = app.consents(&url, persona).await;
    let returned = app.follows(&callback).await;
    assert_eq!(returned.url, return_url);
    assert_eq!(
        returned.query["state"],
        authorization["state"].as_str().unwrap()
    );
    assert_eq!(returned.query.len(), 2, "{:?}", returned.query);
    assert!(returned.fragment.is_empty());
    returned.query["code"].clone()
}

async fn redeem(app: &SlackApp, code: &str, verifier: &str) -> Answer {
    app.post("/api/auth/slack/token")
        .json(&json!({"code": code, "codeVerifier": verifier}))
        .await
}
