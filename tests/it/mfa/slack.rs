//! Slack sign-in is one factor, so a second one is still required.

use hallpass::domain::TokenDelivery;
use serde_json::{Value, json};
use url::Url;

use crate::support::mfa::Authenticator;
use crate::support::slack::{CHALLENGE, RETURN_URL, Returned, VERIFIER};
use crate::support::{Answer, SlackApp, on_both_databases};

on_both_databases! {
    async fn a_slack_sign_in_also_requires_the_second_factor(app: SlackApp) {
        let authenticator = enrols(&app, "owner").await;
        let before = app.db.count("select count(*) from sessions").await;
        let returned = app.arrives("owner").await;
        assert_eq!(returned.url, RETURN_URL);
        let token = asked_in(&returned.fragment, &["expiresIn", "mfaToken", "state"]);
        assert_eq!(returned.fragment["expiresIn"], "300");
        assert!(returned.query.is_empty(), "{:?}", returned.query);
        assert_eq!(app.db.count("select count(*) from sessions").await, before);
        app.shows_code(token, &authenticator.wrong_code(&app)).await.refused(401, "Invalid code");
        let answer = app.shows_code(token, &authenticator.code(&app)).await.expect(200);
        let me = app.me(answer["accessToken"].as_str().unwrap()).await;
        assert_eq!(me["email"], "katherine@example.com");
    }

    async fn a_code_from_the_slack_sign_in_leads_to_the_second_step(app: SlackApp) {
        let authenticator = enrols(&app, "owner").await;
        let code = code(&app, "owner").await;
        let asked = redeem(&app, &code).await.expect(200);
        let token = asked["mfaToken"].as_str().unwrap();
        assert_eq!(asked, json!({"mfaRequired": true, "mfaToken": token, "expiresIn": 300}));
        app.shows_code(token, &authenticator.code(&app)).await.expect(200);
    }

    async fn a_person_who_enrolled_after_the_code_was_issued_needs_the_factor(app: SlackApp) {
        let token = app.arrives("owner").await.token().to_owned();
        let begun = app.post("/api/auth/mfa/totp").bearer(&token).await.expect(200);
        let early = code(&app, "owner").await;
        confirm(&app, &token, &Authenticator::from_enrolment(&begun).code(&app)).await.expect(200);
        // A credential changed, so pending sign-ins have ended.
        redeem(&app, &early).await.refused(400, "Sign-in expired");
        assert_eq!(redeem(&app, &code(&app, "owner").await).await.expect(200)["mfaRequired"], true);
    }
}

#[actix_web::test]
async fn in_query_mode_the_challenge_token_is_in_the_query() {
    let app = delivering(TokenDelivery::Query).await;
    let token = app.arrives("owner").await.query["token"].clone();
    let authenticator = enrols_with(&app, &token).await;
    let returned = app.arrives("owner").await;
    let token = asked_in(&returned.query, &["expiresIn", "mfaToken", "state"]);
    assert!(returned.fragment.is_empty(), "{:?}", returned.fragment);
    app.shows_code(token, &authenticator.code(&app))
        .await
        .expect(200);
}

#[actix_web::test]
async fn in_cookie_mode_the_token_comes_after_the_second_step_only() {
    let app = delivering(TokenDelivery::Cookie).await;
    let returned = arrives_by_button(&app, "owner").await;
    let cookie = returned.answer.cookie().to_owned();
    let token = cookie.split_once('=').unwrap().1;
    let authenticator = enrols_with(&app, token).await;
    let returned = arrives_by_button(&app, "owner").await;
    assert!(returned.answer.header("set-cookie").is_none());
    let token = asked_in(&returned.fragment, &["expiresIn", "mfaToken", "state"]);
    assert!(returned.query.is_empty(), "{:?}", returned.query);
    app.shows_code(token, &authenticator.code(&app))
        .await
        .expect(200);
}

async fn delivering(token_delivery: TokenDelivery) -> SlackApp {
    let db = crate::support::Db::sqlite();
    SlackApp::configured(db, |slack| slack.token_delivery = token_delivery).await
}

async fn arrives_by_button(app: &SlackApp, persona: &str) -> Returned {
    let start = app.starts(RETURN_URL, &[]).await;
    let authorization = start.header("location").unwrap().parse().unwrap();
    let callback = app.consents(&authorization, persona).await;
    Returned::of(app.get(&callback).header("cookie", start.cookie()).await)
}

async fn enrols(app: &SlackApp, persona: &str) -> Authenticator {
    let token = app.arrives(persona).await.token().to_owned();
    enrols_with(app, &token).await
}

async fn enrols_with(app: &SlackApp, token: &str) -> Authenticator {
    let begun = app
        .post("/api/auth/mfa/totp")
        .bearer(token)
        .await
        .expect(200);
    let authenticator = Authenticator::from_enrolment(&begun);
    confirm(app, token, &authenticator.code(app))
        .await
        .expect(200);
    app.advance(chrono::TimeDelta::seconds(30));
    authenticator
}

async fn confirm(app: &SlackApp, token: &str, code: &str) -> Answer {
    app.post("/api/auth/mfa/totp/confirm")
        .bearer(token)
        .json(&json!({"code": code}))
        .await
}

async fn code(app: &SlackApp, persona: &str) -> String {
    let authorization: Value = app
        .asks_for_url(RETURN_URL, &[("codeChallenge", CHALLENGE)])
        .await
        .expect(200);
    let url: Url = authorization["url"].as_str().unwrap().parse().unwrap();
    let callback = app.consents(&url, persona).await;
    app.follows(&callback).await.query["code"].clone()
}

async fn redeem(app: &SlackApp, code: &str) -> Answer {
    app.post("/api/auth/slack/token")
        .json(&json!({"code": code, "codeVerifier": VERIFIER}))
        .await
}

/// The `mfaToken` among exactly these parameters.
#[track_caller]
fn asked_in<'a>(
    parameters: &'a std::collections::HashMap<String, String>,
    names: &[&str],
) -> &'a str {
    let mut found: Vec<&str> = parameters.keys().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, names);
    &parameters["mfaToken"]
}
