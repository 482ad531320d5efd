//! The second step of a sign-in.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::mfa::Authenticator;
use crate::support::{
    Actor, Answer, OTHER_PASSWORD, OTHER_SECRET, PASSWORD, SECRET, TestApp, eventually,
    on_both_databases,
};

on_both_databases! {
    async fn signing_in_with_a_second_factor_takes_two_steps(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        let asked = app.tries_to_log_in(&ada.email, PASSWORD).await.expect(200);
        let token = asked["mfaToken"].as_str().unwrap();
        assert_eq!(asked, json!({"mfaRequired": true, "mfaToken": token, "expiresIn": 300}));
        let answer = app.shows_code(token, &authenticator.code(&app)).await.expect(200);
        assert_eq!(answer["expiresIn"], 604_800);
        assert_eq!(answer["user"], ada.user);
        assert_eq!(answer.as_object().unwrap().len(), 3, "{answer}");
        app.get("/api/auth/me").bearer(answer["accessToken"].as_str().unwrap()).await.expect(200);
    }

    async fn a_code_is_valid_one_step_early_and_late_and_no_further(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        app.advance(TimeDelta::seconds(60));
        let token = app.takes_first_step(&ada.email).await;
        for steps in [-2, 2] {
            let code = authenticator.code_in(&app, steps);
            app.shows_code(&token, &code).await.refused(401, "Invalid code");
        }
        app.shows_code(&token, &authenticator.code_in(&app, -1)).await.expect(200);
        let token = app.takes_first_step(&ada.email).await;
        app.shows_code(&token, &authenticator.code_in(&app, 1)).await.expect(200);
    }

    async fn a_used_code_voids_itself_and_all_earlier_ones(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        let (now, next) = (authenticator.code(&app), authenticator.code_in(&app, 1));
        let token = app.takes_first_step(&ada.email).await;
        app.shows_code(&token, &next).await.expect(200);
        let token = app.takes_first_step(&ada.email).await;
        for used in [&next, &now] {
            // These are not guesses, so they are not counted.
            for _ in 0..6 {
                app.shows_code(&token, used).await.refused(401, "Invalid code");
            }
        }
        app.advance(TimeDelta::seconds(60));
        app.shows_code(&token, &authenticator.code(&app)).await.expect(200);
    }

    async fn the_code_that_confirmed_enrolment_cannot_sign_in(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let authenticator = Authenticator::from_enrolment(&ada.begins_enrolment().await.expect(200));
        let code = authenticator.code(&app);
        ada.confirms(&code).await.expect(200);
        let token = app.takes_first_step(&ada.email).await;
        app.shows_code(&token, &code).await.refused(401, "Invalid code");
    }

    async fn one_code_counts_once_under_twenty_parallel_attempts(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        let tokens = join_all((0..20).map(|_| app.takes_first_step(&ada.email))).await;
        let code = authenticator.code(&app);
        let tries = join_all(tokens.iter().map(|token| app.shows_code(token, &code))).await;
        one_got_in(&tries, 401, "Invalid code");
        // A request that came too late was not a guess.
        app.advance(TimeDelta::seconds(30));
        let token = app.takes_first_step(&ada.email).await;
        app.shows_code(&token, &authenticator.code(&app)).await.expect(200);
    }

    async fn one_challenge_begins_one_session_under_twenty_parallel_attempts(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        let token = app.takes_first_step(&ada.email).await;
        let code = authenticator.code(&app);
        let tries = join_all((0..20).map(|_| app.shows_code(&token, &code))).await;
        one_got_in(&tries, 400, "Invalid or expired token");
        assert_eq!(ada.sessions().await.len(), 2);
    }

    async fn five_wrong_codes_lock_and_ten_end_the_sign_in(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        let token = app.takes_first_step(&ada.email).await;
        for _ in 0..5 {
            app.shows_code(&token, &authenticator.wrong_code(&app)).await.refused(401, "Invalid code");
        }
        let locked = app.shows_code(&token, &authenticator.code(&app)).await;
        locked.refused(429, "Too many attempts");
        let wait: i64 = locked.header("retry-after").unwrap().parse().unwrap();
        assert!((840..=901).contains(&wait), "{wait}");
        // Recovery codes are locked as well.
        app.shows_code(&token, &authenticator.recovery_codes[0]).await.refused(429, "Too many attempts");
        for _ in 0..3 {
            app.shows_code(&token, "000000").await.refused(429, "Too many attempts");
        }
        app.shows_code(&token, &authenticator.code(&app)).await.refused(400, "Invalid or expired token");

        app.advance(TimeDelta::minutes(15));
        app.advance(TimeDelta::seconds(1));
        let token = app.takes_first_step(&ada.email).await;
        app.shows_code(&token, &authenticator.code(&app)).await.expect(200);
    }

    async fn the_counter_is_per_person_across_sign_ins_and_instances(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        let other = app.second_instance().await;
        for instance in [&app, &other, &app, &other] {
            let token = instance.takes_first_step(&ada.email).await;
            instance.shows_code(&token, &authenticator.wrong_code(&app)).await.refused(401, "Invalid code");
        }
        let wrong = json!({"password": PASSWORD, "code": authenticator.wrong_code(&app)});
        ada.delete("/api/auth/mfa/totp").json(&wrong).await.refused(401, "Invalid code");
        let token = other.takes_first_step(&ada.email).await;
        other.shows_code(&token, &authenticator.code(&app)).await.refused(429, "Too many attempts");
        // Other people are not locked out.
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        let his = bob.enrols(&app).await;
        let token = app.takes_first_step(&bob.email).await;
        app.shows_code(&token, &his.code(&app)).await.expect(200);
    }

    async fn wrong_codes_are_counted_exactly_under_parallel_attempts(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        let tokens = join_all((0..9).map(|_| app.takes_first_step(&ada.email))).await;
        let wrong = authenticator.wrong_code(&app);
        let tries = join_all(tokens.iter().map(|token| app.shows_code(token, &wrong))).await;
        let with = |status| tries.iter().filter(|answer| answer.status == status).count();
        assert_eq!((with(401), with(429)), (5, 4));
        assert_eq!(app.db.count("select failures from totp").await, 9);
        let locks = "select count(*) from audit where action = 'mfa.locked'";
        assert_eq!(app.db.count(locks).await, 1);
    }

    async fn a_correct_code_resets_the_counter(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        for _ in 0..2 {
            let token = app.takes_first_step(&ada.email).await;
            for _ in 0..4 {
                app.shows_code(&token, &authenticator.wrong_code(&app)).await.refused(401, "Invalid code");
            }
            app.shows_code(&token, &authenticator.code(&app)).await.expect(200);
            app.advance(TimeDelta::seconds(30));
        }
    }

    async fn a_challenge_token_lasts_three_hundred_seconds(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        let (in_time, late) = (app.takes_first_step(&ada.email).await, app.takes_first_step(&ada.email).await);
        app.advance(TimeDelta::seconds(299));
        app.shows_code(&in_time, &authenticator.code(&app)).await.expect(200);
        app.advance(TimeDelta::seconds(1));
        app.shows_code(&late, &authenticator.code(&app)).await.refused(400, "Invalid or expired token");
    }

    async fn a_challenge_token_is_valid_for_the_second_step_only(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        let token = app.takes_first_step(&ada.email).await;
        app.get("/api/auth/me").bearer(&token).await.refused(401, "Invalid token");
        app.post("/api/auth/refresh").bearer(&token).await.refused(401, "Invalid token");
        let body = json!({"mfaToken": token});
        app.post("/api/auth/mfa/totp").json(&body).await.refused(400, "Invalid or expired token");
        let body = json!({"mfaToken": token, "code": authenticator.code(&app)});
        app.post("/api/auth/mfa/totp/confirm").json(&body).await.refused(400, "Invalid or expired token");
        for other in ["x", &"A".repeat(43), &ada.token] {
            app.shows_code(other, &authenticator.code(&app)).await.refused(400, "Invalid or expired token");
        }
        app.shows_code(&token, &authenticator.code(&app)).await.expect(200);
    }

    async fn a_new_password_ends_pending_sign_ins(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        let token = app.takes_first_step(&ada.email).await;
        ada.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        app.shows_code(&token, &authenticator.code(&app)).await.refused(400, "Invalid or expired token");
    }

    async fn a_person_disabled_or_removed_after_the_first_step_is_refused(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        let token = app.takes_first_step(&ada.email).await;
        let code = authenticator.code(&app);
        app.db.execute("update users set disabled_at = created_at").await;
        app.shows_code(&token, &code).await.refused(400, "Invalid or expired token");
        app.db.execute("update users set disabled_at = null").await;
        app.db.execute("create table kept as select * from memberships; delete from memberships").await;
        app.shows_code(&token, &code).await.refused(400, "Invalid or expired token");
        app.db.execute("insert into memberships select * from kept; drop table kept").await;
        app.shows_code(&token, &code).await.expect(200);
    }

    async fn each_attempt_leaves_one_row_and_a_lock_leaves_one(app: TestApp) {
        let (ada, authenticator) = enrolled(&app).await;
        let token = app.takes_first_step(&ada.email).await;
        let tries = |code: String| {
            app.post("/api/auth/mfa/verify")
                .header("x-request-id", "tries")
                .json(&json!({"mfaToken": token, "code": code}))
        };
        for _ in 0..4 {
            tries(authenticator.wrong_code(&app)).await.refused(401, "Invalid code");
        }
        let rows = |action: &str| format!(
            "select count(*) from audit where request_id = 'tries' and action = '{action}'
             and outcome = 'refused' and subject_id = {}", app.db.id(ada.id())
        );
        let (failed, locked) = (rows("session.login"), rows("mfa.locked"));
        assert_eq!((app.db.count(&failed).await, app.db.count(&locked).await), (4, 0));
        tries(authenticator.wrong_code(&app)).await.refused(401, "Invalid code");
        tries(authenticator.wrong_code(&app)).await.refused(429, "Too many attempts");
        assert_eq!((app.db.count(&failed).await, app.db.count(&locked).await), (4, 1));
        assert_eq!(app.db.count("select count(*) from audit where request_id = 'tries'").await, 5);
    }

    async fn an_authenticator_keeps_working_after_secret_rotation(app: TestApp) {
        let mut app = app;
        let (ada, authenticator) = enrolled(&app).await;
        let kid = "select kid as v from totp";
        let old = app.db.values(kid).await;
        app.restart_configured(|config| config.tokens.secrets = vec![OTHER_SECRET.into(), SECRET.into()]).await;
        // A worker re-encrypts it under the new secret, so that the old one can be removed.
        eventually("the row is encrypted under the new secret", async || app.db.values(kid).await != old).await;
        app.restart_configured(|config| config.tokens.secrets = vec![OTHER_SECRET.into()]).await;
        let token = app.takes_first_step(&ada.email).await;
        app.shows_code(&token, &authenticator.code(&app)).await.expect(200);
    }

    async fn the_second_step_names_its_invalid_fields(app: TestApp) {
        app.post("/api/auth/mfa/verify").json(&json!({})).await.refused_fields(&["mfaToken", "code"]);
        app.post("/api/auth/mfa/verify")
            .json(&json!({"mfaToken": "x", "code": 123_456, "role": "admin"}))
            .await
            .refused_fields(&["code", "role"]);
    }
}

async fn enrolled(app: &TestApp) -> (Actor, Authenticator) {
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let authenticator = ada.enrols(app).await;
    (ada, authenticator)
}

#[track_caller]
fn one_got_in(tries: &[Answer], status: u16, message: &str) {
    assert_eq!(
        tries.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    for refused in tries.iter().filter(|answer| answer.status != 200) {
        refused.refused(status, message);
    }
}
