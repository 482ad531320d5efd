//! Session tokens, for older server-to-server clients.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::people::Staff;
use crate::support::{
    Actor, Answer, Browser, Db, OTHER_PASSWORD, PASSWORD, TestApp, on_both_databases,
};

const ADA: &str = "ada@acme.example";

/// Signs in and returns the answer, which has the token.
async fn logs_in(app: &TestApp, email: &str) -> Value {
    let body = json!({"name": email, "password": PASSWORD, "returnToken": true});
    app.post("/api/v1/login").json(&body).await.expect(200)
}

async fn token_of(app: &TestApp, email: &str) -> String {
    logs_in(app, email).await["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn searches(app: &TestApp, token: &str) -> Answer {
    app.post(&format!("/api/v1/search?token={token}"))
        .json(&json!({"from": 0, "size": 10}))
        .await
}

async fn unlocks(app: &TestApp, token: &str, code: &str) -> Answer {
    app.post(&format!("/api/v1/unlock?token={token}"))
        .json(&json!({"code": code}))
        .await
}

on_both_databases! {
    async fn a_64_character_token_is_answered_on_request(app: TestApp) {
        let acme = app.registers("Acme", ADA).await;
        let answer = app
            .post("/api/v1/login")
            .json(&json!({"name": ADA, "password": PASSWORD, "returnToken": true}))
            .await;
        assert!(answer.header("set-cookie").is_none());
        let mut session = answer.expect(200);
        let token = session["token"].take();
        let token = token.as_str().unwrap();
        assert_eq!(token.len(), 64);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{token}");
        let ada = app.logs_in(ADA, PASSWORD).await;
        assert_eq!(session, json!({
            "logged": true,
            "isUnlocked": true,
            "token": null,
            "tenant": acme.slug,
            "user": ada.user,
            "settings": {"joinPolicy": "open", "requireMfa": false},
            "rights": ["self", "reports", "organization"],
        }));
        searches(&app, token).await.expect(200);
        // Only a hash is stored.
        let kept = app.db.values("select token_hash as v from sessions where kind = 'token'").await;
        assert_eq!(kept.len(), 1);
        assert_ne!(kept[0].as_deref(), Some(token));
        let rows = "select count(*) from audit where action = 'session.login' and outcome = 'ok'";
        assert_eq!(app.db.count(rows).await, 2);
    }

    async fn by_default_the_token_comes_in_an_http_only_cookie(app: TestApp) {
        app.registers("Acme", ADA).await;
        for body in [
            json!({"name": ADA, "password": PASSWORD}),
            json!({"name": ADA, "password": PASSWORD, "returnToken": false}),
        ] {
            let browser = Browser::new(&app);
            let answer = browser.call(Method::POST, "/api/v1/login").json(&body).await;
            let answer = browser.kept(answer);
            assert!(answer.expect(200).get("token").is_none());
            let cookie = answer.header("set-cookie").unwrap();
            for part in ["hallpass-session=", "; Max-Age=2592000", "; HttpOnly", "; SameSite=Lax"] {
                assert!(cookie.contains(part), "{cookie}");
            }
            let body = json!({"from": 0, "size": 1});
            let search = || browser.call(Method::POST, "/api/v1/search").json(&body);
            assert_eq!(search().await.expect(200)["total"], 1);
            let evil = browser.silent(Method::POST, "/api/v1/search").header("origin", "https://evil.example");
            evil.json(&body).await.refused(403, "Cross-site request refused");
            let silent = browser.silent(Method::POST, "/api/v1/search").json(&body);
            silent.await.refused(403, "Cross-site request refused");
            // A link on a foreign page cannot sign anyone out, and one of ours can.
            let link = || browser.silent(Method::GET, "/api/v1/logout");
            link().header("sec-fetch-site", "cross-site").await.refused(403, "Cross-site request refused");
            link().await.refused(403, "Cross-site request refused");
            search().await.expect(200);
            let answer = browser.kept(link().header("sec-fetch-site", "same-origin").await);
            assert_eq!(answer.expect(200), json!({"success": true}));
            assert_eq!(browser.cookie("hallpass-session"), None);
        }
    }

    async fn a_failed_login_is_always_the_same_401(app: TestApp) {
        app.registers("Acme", ADA).await;
        for (name, password) in [(ADA, "Not-The-Password-1"), ("unknown@acme.example", PASSWORD)] {
            let body = json!({"name": name, "password": password, "returnToken": true, "tenant": "nowhere"});
            let answer = app.post("/api/v1/login").json(&body).await;
            answer.refused(401, "Invalid credentials");
            assert!(!answer.header("www-authenticate").unwrap().contains("invalid_token"));
        }
        let body = json!({"name": "no address", "returnToken": "yes", "role": "admin"});
        let answer = app.post("/api/v1/login").json(&body).await;
        answer.refused_fields(&["name", "password", "returnToken", "role"]);
    }

    async fn a_tenant_is_selected_by_slug_or_host_among_the_persons_own(db: Db) {
        let app = TestApp::configured(db, |config| {
            config.accounts.tenant_domain = Some("example.com".to_owned());
        })
        .await;
        let acme = app.registers("Acme", ADA).await;
        app.advance(TimeDelta::minutes(1));
        let bolt = app.registers("Bolt", "bob@bolt.example").await;
        let ada = app.logs_in(ADA, PASSWORD).await;
        let login = async |tenant: Option<&str>, host: &str| {
            let mut body = json!({"name": ADA, "password": PASSWORD});
            if let Some(tenant) = tenant {
                body["tenant"] = json!(tenant);
            }
            app.post("/api/v1/login").header("host", host).json(&body).await
        };
        assert_eq!(login(None, "localhost").await.expect(200)["tenant"], acme.slug);
        assert_eq!(login(Some("acme"), "localhost").await.expect(200)["tenant"], "acme");
        login(Some("bolt"), "localhost").await.refused(403, "Forbidden");
        login(Some("nowhere"), "localhost").await.refused(404, "Organization not found");
        login(None, "bolt.example.com").await.refused(403, "Forbidden");
        ada.also_belongs_to(&app, &bolt.id, "employee").await;
        let session = login(None, "bolt.example.com:8080").await.expect(200);
        assert_eq!(session["tenant"], "bolt");
        assert_eq!(session["user"]["organizationId"], bolt.id);
        assert_eq!(session["rights"], json!(["self"]));
        // An explicit choice overrides the host.
        assert_eq!(login(Some("acme"), "bolt.example.com").await.expect(200)["tenant"], "acme");
        assert_eq!(login(None, "bolt.example.com.evil.example").await.expect(200)["tenant"], "acme");
    }

    async fn query_or_header_carry_one_token_and_override_the_cookie(app: TestApp) {
        app.registers("Acme", ADA).await;
        let (one, two) = (token_of(&app, ADA).await, token_of(&app, ADA).await);
        let body = json!({"from": 0, "size": 1});
        app.post("/api/v1/search").bearer(&one).json(&body).await.expect(200);
        searches(&app, &one).await.expect(200);
        let both = app.post(&format!("/api/v1/search?token={one}")).bearer(&two);
        both.json(&body).await.refused(401, "Invalid token");
        let twice = app.post(&format!("/api/v1/search?token={one}&token={one}"));
        twice.json(&body).await.refused(401, "Invalid token");
        app.post("/api/v1/search").json(&body).await.refused(401, "Authentication required");
        searches(&app, "").await.refused(401, "Invalid token");
        searches(&app, &one.to_lowercase()).await.refused(401, "Invalid token");
        // The cookie is ignored if another token was sent.
        let cookie = format!("hallpass-session={two}");
        let answer = app.post(&format!("/api/v1/logout?token={one}")).header("cookie", &cookie).await;
        answer.expect(200);
        searches(&app, &one).await.refused(401, "Token revoked");
        searches(&app, &two).await.expect(200);
    }

    async fn logout_ends_only_that_session_and_may_be_repeated(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        for method in [Method::GET, Method::POST] {
            let (ended, other) = (token_of(&app, ADA).await, token_of(&app, ADA).await);
            for _ in 0..2 {
                let answer = app.client.call(method.clone(), &format!("/api/v1/logout?token={ended}")).await;
                assert_eq!(answer.expect(200), json!({"success": true}));
                assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
            }
            searches(&app, &ended).await.refused(401, "Token revoked");
            searches(&app, &other).await.expect(200);
            ada.me().await.expect(200);
            let unknown = "A".repeat(64);
            app.client.call(method.clone(), &format!("/api/v1/logout?token={unknown}")).await.expect(200);
            app.client.call(method.clone(), "/api/v1/logout").await.expect(200);
            let jwt = app.client.call(method, &format!("/api/v1/logout?token={}", ada.token)).await;
            jwt.refused(401, "Invalid token");
        }
        let rows = "select count(*) from audit where action = 'session.logout'";
        assert_eq!(app.db.count(rows).await, 2);
    }

    async fn looking_at_the_logout_link_ends_no_session(app: TestApp) {
        app.registers("Acme", "ada@acme.example").await;
        let token = token_of(&app, "ada@acme.example").await;
        let link = format!("/api/v1/logout?token={token}");
        let head = app.client.call(Method::HEAD, &link).await;
        assert_eq!(head.status, 204);
        assert_eq!(app.get(&link).header("sec-purpose", "prefetch").await.status, 204);
        searches(&app, &token).await.expect(200);
        app.get(&link).await.expect(200);
        searches(&app, &token).await.refused(401, "Token revoked");
    }

    async fn a_token_lives_for_thirty_days_and_records_its_last_use(app: TestApp) {
        app.registers("Acme", ADA).await;
        let token = token_of(&app, ADA).await;
        app.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
        searches(&app, &token).await.expect(200);
        let ada = app.logs_in(ADA, PASSWORD).await;
        let session = &ada.sessions().await[1];
        assert_eq!(session["kind"], "token");
        assert!(session["lastUsedAt"].as_str() > session["createdAt"].as_str());
        app.advance(TimeDelta::seconds(1));
        searches(&app, &token).await.refused(401, "Token expired");
    }

    async fn the_session_list_covers_every_carrier_and_ends_exactly_one(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        app.advance(TimeDelta::minutes(1));
        let browser = Browser::new(&app);
        browser.signs_in(ADA, PASSWORD).await.expect(200);
        app.advance(TimeDelta::minutes(1));
        let token = token_of(&app, ADA).await;
        let sessions = ada.sessions().await;
        let kinds: Vec<&str> = sessions.iter().map(|s| s["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["token", "jwt", "jwt"]);
        let current: Vec<bool> = sessions.iter().map(|s| s["current"].as_bool().unwrap()).collect();
        assert_eq!(current, [false, false, true]);
        let end = |session: &Value| format!("/api/auth/sessions/{}", session["id"].as_str().unwrap());

        ada.delete(&end(&sessions[0])).await.expect(200);
        searches(&app, &token).await.refused(401, "Token revoked");
        assert!(browser.session().await["user"].is_object());
        let token = token_of(&app, ADA).await;
        ada.delete(&end(&sessions[1])).await.expect(200);
        assert_eq!(browser.session().await, json!({}));
        searches(&app, &token).await.expect(200);
        ada.me().await.expect(200);

        // Ending all sessions ends these too.
        let body = json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD});
        ada.post("/api/auth/change-password").json(&body).await.expect(200);
        searches(&app, &token).await.refused(401, "Token revoked");
        ada.me().await.expect(200);
    }

    async fn revoked_disabled_and_removed_people_are_refused_on_every_instance(app: TestApp) {
        let other = app.second_instance().await;
        let acme = app.registers("Acme", ADA).await;
        for (email, how) in [
            ("bob@acme.example", "logout-all"), ("cy@acme.example", "disabled"), ("dee@acme.example", "removed"),
        ] {
            let actor = app.joins(&acme.id, email).await;
            let token = token_of(&app, email).await;
            searches(&other, &token).await.expect(200);
            let id = app.db.id(actor.id());
            match how {
                "logout-all" => drop(actor.post("/api/auth/logout-all").await.expect(200)),
                "disabled" => app.db.execute(&format!("update users set disabled_at = created_at where id = {id}")).await,
                _ => app.db.execute(&format!("delete from memberships where user_id = {id}")).await,
            }
            for instance in [&app, &other] {
                searches(instance, &token).await.refused(401, "Token revoked");
            }
        }
    }

    async fn a_search_shows_only_people_the_caller_may_see(app: TestApp) {
        let acme = app.registers("Acme", ADA).await;
        app.signs_up("Bolt", "eve@bolt.example").await;
        let ada = app.logs_in(ADA, PASSWORD).await;
        let mut people = Vec::new();
        for name in ["manager", "lead", "worker", "other"] {
            people.push(app.joins(&acme.id, &format!("{name}@acme.example")).await);
        }
        let reports_to = async |who: &Actor, to: &Actor| {
            let (who, to) = (app.db.id(who.id()), app.db.id(to.id()));
            app.db.execute(&format!("update memberships set manager_id = {to} where user_id = {who}")).await;
        };
        reports_to(&people[1], &people[0]).await;
        reports_to(&people[2], &people[1]).await;
        for manager in &people[..2] {
            let id = app.db.id(manager.id());
            app.db.execute(&format!("update memberships set role = 'manager' where user_id = {id}")).await;
        }
        reports_to(&people[0], &ada).await;
        let search = async |email: &str, body: Value| {
            let token = token_of(&app, email).await;
            app.post(&format!("/api/v1/search?token={token}")).json(&body).await
        };
        let all = json!({"from": 0, "size": 100});
        for (email, seen) in [
            (ADA, 5),
            ("manager@acme.example", 3),
            ("lead@acme.example", 2),
            ("worker@acme.example", 1),
            ("other@acme.example", 1),
        ] {
            let found = search(email, all.clone()).await.expect(200);
            assert_eq!(found["total"], seen, "{email}");
            let results = found["results"].as_array().unwrap();
            assert_eq!(results.len(), seen);
            assert_eq!(found["users"].as_object().unwrap().len(), seen);
            for id in results {
                let user = &found["users"][id.as_str().unwrap()];
                assert_eq!(user["id"], *id);
                assert!(user["email"].as_str().unwrap().ends_with("@acme.example"), "{user}");
            }
        }
        let found = search(ADA, json!({"from": 0, "size": 10, "query": "WORK"})).await.expect(200);
        assert_eq!(found["total"], 1);
        assert_eq!(found["results"][0], people[2].user["id"]);
        for sign in ["%", "_", "!", "'"] {
            let found = search(ADA, json!({"from": 0, "size": 10, "query": sign})).await.expect(200);
            assert_eq!(found["total"], 0, "{sign}");
        }
        let page = search(ADA, json!({"from": 3, "size": 2})).await.expect(200);
        assert_eq!((page["from"].as_u64(), page["total"].as_u64()), (Some(3), Some(5)));
        assert_eq!(page["results"].as_array().unwrap().len(), 2);
        let beyond = search(ADA, json!({"from": 5, "size": 2})).await.expect(200);
        assert_eq!(beyond["results"], json!([]));
        search(ADA, json!({"size": 0, "query": "x".repeat(101), "sort": "name"}))
            .await
            .refused_fields(&["from", "query", "size", "sort"]);
    }

    async fn both_searches_find_the_same_people_for_each_role(app: TestApp) {
        let Staff { ada, grace, mia, alan, emmy } = &Staff::of(&app).await;
        for (person, name) in [(grace, "50% Grace"), (mia, "Mia_Mia"), (alan, r"Alan\Turing!"), (emmy, "100!% EMMY")] {
            ada.changes(person, json!({"name": name})).await.expect(200);
        }
        let texts = [
            ("", 5), ("%", 2), ("_", 1), ("!", 2), (r"\", 1), ("0% g", 1), ("!%", 1), ("a_m", 1), (r"n\t", 1),
            ("MIA", 1), ("emmy", 1), ("@ACME", 5), ("%25", 0), ("'", 0), ("none", 0),
        ];
        for caller in [ada, grace, mia, alan, emmy] {
            let token = token_of(&app, &caller.email).await;
            for (text, in_organization) in texts {
                let query: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
                let list = caller.get(&format!("/api/users?q={query}")).await.expect(200);
                let users = list["users"].as_array().unwrap();
                let listed: BTreeSet<_> = users.iter().map(|user| user["id"].as_str().unwrap()).collect();

                let body = json!({"from": 0, "size": 100, "query": text});
                let search = app.post(&format!("/api/v1/search?token={token}")).json(&body).await.expect(200);
                let results = search["results"].as_array().unwrap();
                let searched: BTreeSet<_> = results.iter().map(|id| id.as_str().unwrap()).collect();
                assert_eq!(listed, searched, "{} {text}", caller.email);
                assert_eq!(search["total"], listed.len(), "{} {text}", caller.email);
                if caller.email == ada.email {
                    assert_eq!(listed.len(), in_organization, "{text}");
                }
            }
        }
    }

    async fn every_answer_of_this_api_has_referrer_policy_no_referrer(app: TestApp) {
        app.registers("Acme", ADA).await;
        let token = token_of(&app, ADA).await;
        for answer in [
            app.post("/api/v1/login").json(&json!({})).await,
            searches(&app, &token).await,
            searches(&app, "x").await,
            app.get(&format!("/api/v1/search?token={token}")).await,
            app.get(&format!("/api/v1/nowhere?token={token}")).await,
            app.get(&format!("/%61pi/v1/logout?token={token}")).await,
        ] {
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{}", answer.text());
        }
    }

    async fn a_session_is_locked_until_the_second_factor(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let authenticator = ada.enrols(&app).await;
        let session = logs_in(&app, ADA).await;
        assert_eq!(session["isUnlocked"], false);
        let token = session["token"].as_str().unwrap();
        searches(&app, token).await.refused(403, "Session locked");
        let logins = "select count(*) from audit where action = 'session.login' and outcome = 'ok'";
        assert_eq!(app.db.count(logins).await, 1, "the token has not been used to sign in yet");

        unlocks(&app, token, &authenticator.wrong_code(&app)).await.refused(401, "Invalid code");
        searches(&app, token).await.refused(403, "Session locked");
        app.post(&format!("/api/v1/unlock?token={token}")).json(&json!({})).await.refused_fields(&["code"]);
        let code = authenticator.code(&app);
        let unlocked = unlocks(&app, token, &code).await.expect(200);
        assert_eq!(unlocked["isUnlocked"], true);
        for same in ["tenant", "user", "settings", "rights"] {
            assert_eq!(unlocked[same], session[same]);
        }
        assert!(unlocked.get("token").is_none());
        searches(&app, token).await.expect(200);
        assert_eq!(app.db.count(logins).await, 2);
        // An unlocked session stays unlocked, and a code counts once.
        unlocks(&app, token, &code).await.expect(200);
        let second = token_of(&app, ADA).await;
        unlocks(&app, &second, &code).await.refused(401, "Invalid code");
        unlocks(&app, &second, &authenticator.recovery_codes[0]).await.expect(200);
        searches(&app, &second).await.expect(200);
    }

    async fn a_locked_session_can_be_ended_and_then_not_unlocked(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let authenticator = ada.enrols(&app).await;
        let token = token_of(&app, ADA).await;
        app.post(&format!("/api/v1/logout?token={token}")).await.expect(200);
        searches(&app, &token).await.refused(401, "Token revoked");
        unlocks(&app, &token, &authenticator.code(&app)).await.refused(401, "Token revoked");
        let logouts = "select count(*) from audit where action = 'session.logout'";
        assert_eq!(app.db.count(logouts).await, 1);
    }

    async fn five_wrong_codes_lock_and_ten_end_the_attempt(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let authenticator = ada.enrols(&app).await;
        let (first, second) = (token_of(&app, ADA).await, token_of(&app, ADA).await);
        for n in 0..5 {
            let token = if n % 2 == 0 { &first } else { &second };
            unlocks(&app, token, &authenticator.wrong_code(&app)).await.refused(401, "Invalid code");
        }
        let answer = unlocks(&app, &first, &authenticator.code(&app)).await;
        answer.refused(429, "Too many attempts");
        assert!(answer.header("retry-after").is_some());
        for _ in 0..4 {
            unlocks(&app, &first, &authenticator.wrong_code(&app)).await.refused(429, "Too many attempts");
        }
        for token in [&first, &second] {
            unlocks(&app, token, &authenticator.code(&app)).await.refused(401, "Token revoked");
        }
        ada.me().await.expect(200);
    }

    async fn of_twenty_concurrent_unlocks_with_one_code_one_succeeds(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let authenticator = ada.enrols(&app).await;
        let mut tokens = Vec::new();
        for _ in 0..20 {
            tokens.push(token_of(&app, ADA).await);
        }
        let code = authenticator.code(&app);
        let answers = join_all(tokens.iter().map(|token| unlocks(&app, token, &code))).await;
        let unlocked = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(unlocked, 1);
        let open = "select count(*) from sessions where kind = 'token' and not locked";
        assert_eq!(app.db.count(open).await, 1);
    }

    async fn a_person_who_must_enrol_stays_locked_out(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let before = token_of(&app, ADA).await;
        app.requires_mfa(ada.organization_id()).await;
        let session = logs_in(&app, ADA).await;
        assert_eq!(session["isUnlocked"], false);
        assert_eq!(session["settings"]["requireMfa"], true);
        for token in [before.as_str(), session["token"].as_str().unwrap()] {
            searches(&app, token).await.refused(403, "Session locked");
            unlocks(&app, token, "123456").await.refused(409, "MFA not enrolled");
            app.post(&format!("/api/v1/logout?token={token}")).await.expect(200);
            searches(&app, token).await.refused(401, "Token revoked");
        }
    }
}
