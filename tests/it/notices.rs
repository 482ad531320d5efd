//! E-mails that tell an account's owner of a sign-in from a new device.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use hallpass::domain::EmailMessage;
use hallpass::service::operations::purge::purge;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::Call;
use crate::support::{Actor, Browser, Db, OTHER_PASSWORD, PASSWORD, TestApp, on_both_databases};

const ADA: &str = "ada@acme.example";

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

on_both_databases! {
    async fn a_sign_in_from_a_new_device_is_notified_once(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        assert_eq!(notices(&app).await.len(), 0, "the first sign-in ever");
        from(&app, "Firefox").await;
        assert_eq!(notices(&app).await.len(), 0, "the same device");
        from(&app, "Phone").await;
        let told = notices(&app).await;
        let [EmailMessage::NewSignIn { name, device, address, at, .. }] = told.as_slice() else {
            panic!("{told:?}")
        };
        assert_eq!((name.as_str(), device.as_deref()), ("Ada Byron", Some("Phone")));
        assert_eq!(address.map(|address| address.to_string()).as_deref(), Some("127.0.0.1"));
        assert_eq!(at.timestamp(), app.clock.timestamp());
        from(&app, "Phone").await;
        from(&app, "Firefox").await;
        assert_eq!(notices(&app).await.len(), 1);
    }

    async fn a_device_is_named_as_people_call_it(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        let ada = from(&app, CHROME).await;
        let evil = "https://evil.example/x <b>me@evil.example</b>";
        from(&app, evil).await;
        let told: BTreeSet<_> = notices(&app).await.iter().map(device).collect();
        assert_eq!(told, BTreeSet::from(["Chrome on Windows".to_owned(), "https".to_owned()]));
        assert_eq!(listed(&ada).await, BTreeSet::from(["Chrome on Windows", "Firefox", "https"].map(String::from)));
        assert_eq!(app.db.count("select count(*) from sessions where device like '%/%'").await, 0);
        assert_eq!(app.db.count("select count(*) from audit where device like '%/%'").await, 0);
    }

    async fn a_device_that_moves_within_its_networks_is_not_new(db: Db) {
        let app = TestApp::configured(db, crate::limits::limited).await;
        app.registers("Acme", ADA).await;
        for (address, told) in [
            ("192.0.2.1", 0),
            ("192.0.2.2", 0),
            ("192.0.77.1", 0),
            ("198.51.100.7", 1),
            ("198.51.7.7", 1),
            ("192.0.2.3", 1),
            ("2001:db8:1:2::1", 2),
            ("2001:db8:1:ffff::1", 2),
            ("2001:db8:2::1", 3),
        ] {
            signs_in(&app, "Firefox").header("x-forwarded-for", address).await.expect(200);
            assert_eq!(notices(&app).await.len(), told, "{address}");
        }
    }

    async fn a_known_device_in_a_network_of_another_is_not_new(db: Db) {
        let app = TestApp::configured(db, crate::limits::limited).await;
        app.registers("Acme", ADA).await;
        for (name, address, told) in [
            ("Firefox", "192.0.2.1", 0),
            ("Phone", "198.51.100.7", 1),
            ("Phone", "192.0.2.1", 1),
            ("Tablet", "192.0.2.1", 2),
        ] {
            signs_in(&app, name).header("x-forwarded-for", address).await.expect(200);
            assert_eq!(notices(&app).await.len(), told, "{name} {address}");
        }
    }

    async fn an_update_makes_no_new_device(app: TestApp) {
        app.registers("Acme", ADA).await;
        for user_agent in ["Acme/2.1 (iPhone; iOS 18.6)", "Acme/2.2 (iPhone; iOS 26.0)"] {
            from(&app, user_agent).await;
        }
        from(&app, CHROME).await;
        from(&app, &CHROME.replace("142", "143")).await;
        let told: Vec<_> = notices(&app).await.iter().map(device).collect();
        assert_eq!(told, ["Chrome on Windows"]);
    }

    async fn a_browser_is_known_by_its_cookie_whatever_its_name(app: TestApp) {
        app.registers("Acme", ADA).await;
        let (own, other) = (Browser::new(&app), Browser::new(&app));
        let log_in = async |browser: &Browser, user_agent: &str| {
            let call = browser.call(Method::POST, "/api/auth/login").header("user-agent", user_agent);
            browser.kept(call.json(&json!({"email": ADA, "password": PASSWORD})).await).expect(200);
        };
        log_in(&own, "Firefox").await;
        log_in(&own, CHROME).await;
        assert_eq!(notices(&app).await.len(), 0);
        log_in(&other, "Phone").await;
        assert_eq!(notices(&app).await.len(), 1);
    }

    async fn a_device_is_known_for_a_year_without_its_sessions(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        from(&app, "Phone").await;
        app.advance(TimeDelta::days(364));
        app.db.execute("delete from sessions").await;
        purges(&app).await;
        from(&app, "Firefox").await;
        // The e-mail about the phone is deleted by now, and there is none about the other.
        assert_eq!(notices(&app).await.len(), 0);
        app.advance(TimeDelta::days(1));
        purges(&app).await;
        assert_eq!(app.db.count("select count(*) from known_devices").await, 1);
        from(&app, "Phone").await;
        assert_eq!(notices(&app).await.len(), 1);
    }

    async fn a_sign_in_after_more_than_a_year_is_notified(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        app.advance(TimeDelta::days(366));
        app.db.execute("delete from sessions").await;
        purges(&app).await;
        from(&app, "Firefox").await;
        assert_eq!(notices(&app).await.len(), 1);
    }

    async fn a_reset_forgets_the_devices_of_an_account(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        app.forgets_password(ADA).await.expect(200);
        let token = app.mailed_token(ADA, "reset_password").await;
        app.resets_password(&token, PASSWORD).await.expect(200);
        from(&app, "Firefox").await;
        assert_eq!(notices(&app).await.len(), 1);
    }

    async fn a_device_that_its_owner_reports_is_new_again(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        from(&app, "Phone").await;
        ends(&app, &app.mailed_token(ADA, "new_sign_in").await).await.expect(200);
        from(&app, "Firefox").await;
        assert_eq!(notices(&app).await.len(), 1);
        from(&app, "Phone").await;
        assert_eq!(notices(&app).await.len(), 2);
    }

    async fn devices_of_sessions_before_the_upgrade_are_known(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        from(&app, "Phone").await;
        app.db.execute("delete from known_devices").await;
        app.db.execute("update sessions set device = 'curl/7.88.1' where device = 'Phone'").await;
        let ada = from(&app, "curl/8.1.0").await;
        from(&app, "Firefox").await;
        assert_eq!(notices(&app).await.len(), 1);
        assert!(listed(&ada).await.contains("curl 7.88"));
    }

    async fn the_fifty_latest_devices_of_a_user_are_kept(app: TestApp) {
        app.registers("Acme", ADA).await;
        for n in 0..52 {
            from(&app, &format!("Device-{n}")).await;
            app.advance(TimeDelta::seconds(1));
        }
        let count = "select count(*) from known_devices";
        assert_eq!(app.db.count(count).await, 50);
        let oldest = format!("{count} where device in ('Device-1', 'Device-2')");
        assert_eq!(app.db.count(&oldest).await, 1);
    }

    async fn a_session_that_has_ended_is_remembered(app: TestApp) {
        app.registers("Acme", ADA).await;
        let firefox = from(&app, "Firefox").await;
        firefox.logs_out().await.expect(200);
        from(&app, "Firefox").await;
        assert_eq!(notices(&app).await.len(), 0);
    }

    async fn a_failed_sign_in_is_not_notified(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        app.post("/api/auth/login").header("user-agent", "Phone")
            .json(&json!({"email": ADA, "password": "Not-The-Password-1"}))
            .await
            .refused(401, "Invalid credentials");
        assert_eq!(notices(&app).await.len(), 0);
    }

    async fn the_link_in_the_notice_ends_that_session_only_and_works_once(app: TestApp) {
        app.registers("Acme", ADA).await;
        let firefox = from(&app, "Firefox").await;
        let phone = from(&app, "Phone").await;
        let other = from(&app, "Phone").await;
        let second = app.second_instance().await;
        phone.at(&second).me().await.expect(200);
        let token = app.mailed_token(ADA, "new_sign_in").await;
        let answer = ends(&app, &token).await;
        assert_eq!(answer.expect(200), json!({"success": true}));
        phone.me().await.refused(401, "Token revoked");
        crate::support::eventually("the other instance refuses the token", async || {
            phone.at(&second).me().await.status == 401
        }).await;
        firefox.me().await.expect(200);
        other.me().await.expect(200);
        ends(&app, &token).await.refused(400, "Invalid or expired token");
        let rows = format!(
            "select count(*) from audit where action = 'session.ended' and outcome = 'ok' and subject_id = {}",
            app.db.id(firefox.id())
        );
        assert_eq!(app.db.count(&rows).await, 1);
    }

    async fn ending_an_already_ended_session_succeeds(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        let phone = from(&app, "Phone").await;
        phone.logs_out().await.expect(200);
        ends(&app, &app.mailed_token(ADA, "new_sign_in").await).await.expect(200);
        assert_eq!(app.db.count("select count(*) from audit where action = 'session.ended'").await, 0);
    }

    async fn the_link_is_valid_for_a_week(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        let phone = from(&app, "Phone").await;
        let token = app.mailed_token(ADA, "new_sign_in").await;
        app.advance(TimeDelta::days(7));
        ends(&app, &token).await.refused(400, "Invalid or expired token");
        app.advance(TimeDelta::days(-1));
        phone.me().await.expect(200);
        ends(&app, &token).await.expect(200);
        phone.me().await.refused(401, "Token revoked");
    }

    async fn the_link_in_the_password_notice_ends_the_session_that_changed_it(app: TestApp) {
        app.registers("Acme", ADA).await;
        let thief = from(&app, "Phone").await;
        thief.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        thief.me().await.expect(200);
        let later = app.logs_in(ADA, OTHER_PASSWORD).await;
        let token = app.mailed_token(ADA, "password_changed").await;
        ends(&app, &token).await.expect(200);
        thief.me().await.refused(401, "Token revoked");
        later.me().await.expect(200);
        ends(&app, &token).await.refused(400, "Invalid or expired token");
    }

    async fn no_other_token_ends_a_session(app: TestApp) {
        app.registers("Acme", ADA).await;
        let firefox = from(&app, "Firefox").await;
        let phone = from(&app, "Phone").await;
        let verify = app.mailed_token(ADA, "verify_email").await;
        let end = app.mailed_token(ADA, "new_sign_in").await;
        for foreign in [verify.as_str(), &firefox.token, "x"] {
            ends(&app, foreign).await.refused(400, "Invalid or expired token");
        }
        app.verifies(&end).await.refused(400, "Invalid or expired token");
        app.resets_password(&end, OTHER_PASSWORD).await.refused(400, "Invalid or expired token");
        phone.me().await.expect(200);
    }

    async fn notices_are_limited_for_unverified_addresses_only(app: TestApp) {
        app.registers("Acme", ADA).await;
        for n in 0..6 {
            from(&app, &format!("Device-{n}")).await;
        }
        assert_eq!(notices(&app).await.len(), 3);
        app.verifies(&app.mailed_token(ADA, "verify_email").await).await.expect(200);
        for n in 6..12 {
            from(&app, &format!("Device-{n}")).await;
        }
        assert_eq!(notices(&app).await.len(), 9);
    }

    async fn switching_mfa_on_and_off_is_no_mail_bomb(db: Db) {
        let app = TestApp::limited(db).await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        let squatter = app.joins(eve.organization_id(), ADA).await;
        for _ in 0..8 {
            let authenticator = squatter.enrols(&app).await;
            let proof = json!({"password": PASSWORD, "code": authenticator.recovery_codes[0]});
            squatter.delete("/api/auth/mfa/totp").json(&proof).await.expect(200);
        }
        let mut kinds: Vec<_> = app.emails_to(ADA).await.iter().map(EmailMessage::kind).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["mfa_changed", "mfa_changed", "mfa_changed", "verify_email"]);
        from(&app, "Firefox").await;
        from(&app, "Phone").await;
        assert_eq!(app.emails_to(ADA).await.len(), 4, "all notices together");
    }

    async fn a_verified_address_gets_twenty_notices_of_a_kind_in_an_hour(app: TestApp) {
        let mut ada = app.signs_up_verified("Acme", ADA).await;
        for n in 0..23 {
            from(&app, &format!("Device-{n}")).await;
        }
        assert_eq!(notices(&app).await.len(), 20);
        ada.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        app.mailed_token(ADA, "password_changed").await;
        app.advance(TimeDelta::hours(1));
        ada.password = OTHER_PASSWORD.to_owned();
        ada.changes_password(OTHER_PASSWORD, PASSWORD).await.expect(200);
        from(&app, "Another").await;
        assert_eq!(notices(&app).await.len(), 21);
    }

    async fn notices_do_not_use_up_the_limit_for_requested_emails(app: TestApp) {
        app.registers("Acme", ADA).await;
        for n in 0..6 {
            from(&app, &format!("Device-{n}")).await;
        }
        app.forgets_password(ADA).await.expect(200);
        app.mailed_token(ADA, "reset_password").await;
    }
}

fn signs_in(app: &TestApp, user_agent: &str) -> Call {
    app.post("/api/auth/login")
        .header("user-agent", user_agent)
        .json(&json!({"email": ADA, "password": PASSWORD}))
}

/// Signs Ada in from a device.
async fn from(app: &TestApp, user_agent: &str) -> Actor {
    let answer = signs_in(app, user_agent).await;
    let mut actor = Actor {
        client: app.client.clone(),
        email: ADA.to_owned(),
        password: PASSWORD.to_owned(),
        token: String::new(),
        user: Value::Null,
    };
    actor.takes_token(&answer.expect(200));
    actor
}

/// The devices of the sessions.
async fn listed(actor: &Actor) -> BTreeSet<String> {
    let sessions = actor.sessions().await;
    let devices = sessions.iter().filter_map(|it| it["device"].as_str());
    devices.map(str::to_owned).collect()
}

fn device(notice: &EmailMessage) -> String {
    let EmailMessage::NewSignIn { device, .. } = notice else {
        panic!("{notice:?}")
    };
    device.clone().unwrap_or_default()
}

async fn purges(app: &TestApp) {
    let operator_app = app.operator_app().await;
    purge(operator_app.services()).await;
}

async fn ends(app: &TestApp, token: &str) -> crate::support::Answer {
    app.post("/api/auth/end-session")
        .json(&json!({"token": token}))
        .await
}

async fn notices(app: &TestApp) -> Vec<EmailMessage> {
    let mut emails = app.emails_to(ADA).await;
    emails.retain(|message| message.kind() == "new_sign_in");
    emails
}
