//! Rate limits, and how often a password may be wrong.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use hallpass::config::Config;
use hallpass::service::operations::operator;
use hallpass::service::operations::purge::purge;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::Call;
use crate::support::test_app::{found, operator_context};
use crate::support::{
    Answer, Browser, Db, OTHER_PASSWORD, PASSWORD, TestApp, member_body, on_both_databases,
};

/// The cookie of a browser's users under http.
const DEVICE: &str = "hallpass-device";

const WRONG: &str = "Not-The-Password-1";

/// Limits as in production, behind a proxy whose part the tests play.
pub fn limited(config: &mut Config) {
    config.server.rate_limits = true;
    config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
}

impl TestApp {
    pub async fn limited(db: Db) -> Self {
        Self::configured(db, limited).await
    }

    fn login_from(&self, address: &str, email: &str, password: &str) -> Call {
        self.post("/api/auth/login")
            .header("x-forwarded-for", address)
            .json(&json!({"email": email, "password": password}))
    }

    /// This many wrong passwords, one after the other.
    async fn fails(&self, times: usize, address: &str, email: &str) {
        for _ in 0..times {
            let answer = self.login_from(address, email, WRONG).await;
            answer.refused(401, "Invalid credentials");
        }
    }

    /// A hundred wrong passwords, from ten addresses.
    async fn is_locked_out(&self, email: &str) {
        for n in 0..10 {
            self.fails(10, &format!("233.252.0.{n}"), email).await;
        }
    }

    async fn rows(&self, action: &str) -> i64 {
        self.db
            .count(&format!(
                "select count(*) from audit where action = '{action}'"
            ))
            .await
    }
}

impl Answer {
    /// Refused for this many seconds.
    #[track_caller]
    fn locked_for(&self, seconds: u32) {
        self.refused(429, "Too many attempts");
        assert_eq!(self.header("x-error-code"), Some("too_many_attempts"));
        assert_eq!(self.header("retry-after"), Some(&*seconds.to_string()));
        let left = format!("\"attempts\";r=0;t={seconds}");
        assert_eq!(self.header("ratelimit"), Some(&*left));
    }
}

impl Answer {
    /// Refused by a bucket.
    #[track_caller]
    pub fn limited_by(&self, policy: &str, seconds: u32) {
        assert_eq!(self.status, 429, "{}", self.text());
        assert_eq!(self.header("x-error-code"), Some("too_many_requests"));
        assert_eq!(self.header("retry-after"), Some(&*seconds.to_string()));
        assert_eq!(self.header("ratelimit-policy"), Some(policy));
        let name = policy.split(';').next().unwrap();
        assert_eq!(
            self.header("ratelimit"),
            Some(&*format!("{name};r=0;t={seconds}"))
        );
    }
}

on_both_databases! {
    async fn one_person_invites_at_most_a_hundred_strangers_an_hour(db: Db) {
        let app = TestApp::limited(db).await;
        let eve = app.signs_up_verified("Evil", "eve@evil.example").await;
        let colleague = app.joins_invited(&eve, "emmy@evil.example", "admin").await;
        let invites = async |n: usize| eve.invites(&format!("stranger{n}@other.example"), "employee").await;
        for n in 1..100 {
            invites(n).await.expect(201);
        }
        for n in 100..400 {
            invites(n).await.limited_by("\"invitations\";q=100;w=3600", 36);
        }
        let sent = "select count(*) from outbox where kind = 'invitation'";
        assert_eq!(app.db.count(sent).await, 100);
        assert_eq!(app.db.count("select count(*) from invitations").await, 100);
        assert_eq!(app.rows("address.limited").await, 1);
        // Others of the organization are not limited by that, and nothing is lost.
        colleague.invites("bob@other.example", "employee").await.expect(201);
        app.advance(TimeDelta::seconds(36));
        let eve = eve.signs_in_again().await;
        eve.invites("stranger100@other.example", "employee").await.expect(201);
    }

    async fn a_join_policy_writes_to_at_most_a_hundred_strangers_an_hour(db: Db) {
        let app = TestApp::limited(db).await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        eve.sets_rules(&json!({"joinPolicy": "domain", "allowedDomains": ["mail.example"]})).await;
        let asks = |n: usize| {
            let body = member_body(eve.organization_id(), &format!("stranger{n}@mail.example"));
            app.post("/api/auth/register").header("x-forwarded-for", &format!("192.0.2.{}", n % 4)).json(&body)
        };
        for n in 0..100 {
            asks(n).await.refused(403, "Invitation required");
        }
        let refused = asks(100).await;
        refused.refused(429, "Too many requests");
        assert_eq!(refused.header("ratelimit-policy"), Some("\"mail\";q=100;w=3600"));
        assert_eq!(app.rows("invitation.sent").await, 100);
    }

    async fn those_who_may_not_invite_use_up_no_invitations(db: Db) {
        let app = TestApp::limited(db).await;
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        for n in 0..6 {
            let employee = app.joins(ada.organization_id(), &format!("person{n}@acme.example")).await;
            for _ in 0..100 {
                employee.invites("bob@other.example", "employee").await.refused(403, "Forbidden");
            }
        }
        ada.invites("bob@other.example", "employee").await.expect(201);
    }

    async fn one_account_asks_for_twenty_changes_of_address_an_hour(db: Db) {
        let app = TestApp::limited(db).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        for n in 0..20 {
            bob.changes_email(&format!("stranger{n}@other.example"), PASSWORD).await.expect(200);
        }
        let refused = bob.changes_email("stranger20@other.example", PASSWORD).await;
        refused.limited_by("\"address_changes\";q=20;w=3600", 180);
        ada.changes_email("king@acme.example", PASSWORD).await.expect(200);
        let sent = "select count(*) from outbox where kind = 'confirm_new_email'";
        assert_eq!(app.db.count(sent).await, 21);
    }

    async fn one_account_exports_five_files_an_hour(db: Db) {
        let app = TestApp::limited(db).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let path = "/api/auth/account/export";
        app.advance(TimeDelta::minutes(15));
        for _ in 0..6 {
            // Nothing is used up by who must reauthenticate first.
            bob.get(path).await.refused_with(403, "reauthentication_required");
        }
        bob.reauthenticates(&json!({"password": PASSWORD})).await.expect(200);
        for _ in 0..5 {
            bob.get(path).await.expect(200);
        }
        bob.get(path).await.limited_by("\"exports\";q=5;w=3600", 720);
        ada.reauthenticates(&json!({"password": PASSWORD})).await.expect(200);
        ada.get(path).await.expect(200);
    }

    async fn ten_wrong_passwords_from_an_address_block_it_for_fifteen_minutes(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        app.fails(10, "192.0.2.1", "ada@acme.example").await;
        app.login_from("192.0.2.1", "ada@acme.example", WRONG).await.locked_for(900);
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.locked_for(900);
        // In upper case, and by any spelling of the path.
        app.login_from("192.0.2.1", "ADA@acme.example", PASSWORD).await.locked_for(900);
        app.post("/api/auth/%6Cogin")
            .header("x-forwarded-for", "192.0.2.1")
            .json(&json!({"email": "ada@acme.example", "password": PASSWORD}))
            .await
            .locked_for(900);

        app.advance(TimeDelta::seconds(899));
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.locked_for(1);
        app.advance(TimeDelta::seconds(1));
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.expect(200);
    }

    async fn a_blocked_address_does_not_block_the_owner_elsewhere(db: Db) {
        let app = TestApp::limited(db).await;
        let acme = app.registers("Acme", "ada@acme.example").await;
        app.joins(&acme.id, "bob@acme.example").await;
        app.fails(10, "192.0.2.1", "ada@acme.example").await;
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.locked_for(900);
        app.login_from("192.0.2.2", "ada@acme.example", PASSWORD).await.expect(200);
        app.login_from("192.0.2.1", "bob@acme.example", PASSWORD).await.expect(200);
        // The owner's success does not give a blocked address new attempts.
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.locked_for(900);
    }

    async fn each_wrong_password_counts_for_fifteen_minutes(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        for _ in 0..12 {
            app.fails(1, "192.0.2.1", "ada@acme.example").await;
            app.advance(TimeDelta::seconds(100));
        }
        // In the last fifteen minutes there are eight, then ten.
        app.fails(2, "192.0.2.1", "ada@acme.example").await;
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.locked_for(100);
        app.advance(TimeDelta::seconds(100));
        app.fails(1, "192.0.2.1", "ada@acme.example").await;
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.locked_for(100);
    }

    async fn a_correct_password_resets_the_count(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        for _ in 0..3 {
            app.fails(9, "192.0.2.1", "ada@acme.example").await;
            app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.expect(200);
        }
        assert_eq!(app.rows("account.locked_for_address").await, 0);
    }

    async fn a_hundred_consecutive_failures_lock_the_account_for_a_day(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        let fail_a_hundred_times = async || {
            for n in 0..10 {
                app.fails(10, &format!("192.0.2.{n}"), "ada@acme.example").await;
            }
        };
        fail_a_hundred_times().await;
        let day = 86_400;
        app.login_from("198.51.100.7", "ada@acme.example", PASSWORD).await.locked_for(day);
        app.login_from("198.51.100.7", "ada@acme.example", WRONG).await.locked_for(day);
        assert_eq!(app.rows("account.locked").await, 1);
        app.advance(TimeDelta::hours(23));
        app.login_from("198.51.100.7", "ada@acme.example", PASSWORD).await.locked_for(3_600);
        app.advance(TimeDelta::hours(1));
        app.login_from("198.51.100.7", "ada@acme.example", PASSWORD).await.expect(200);

        fail_a_hundred_times().await;
        app.login_from("198.51.100.8", "ada@acme.example", PASSWORD).await.locked_for(day);
        let operator_app = app.operator_app().await;
        let id = found(&operator_app, "ada@acme.example").await.unwrap().id;
        operator::unlock_user(operator_app.services(), &operator_context(), id).await.unwrap();
        app.login_from("198.51.100.8", "ada@acme.example", PASSWORD).await.expect(200);
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.expect(200);
        assert_eq!(app.rows("account.unlocked").await, 1);
    }

    async fn a_correct_password_resets_ninety_nine_failures(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        for n in 0..11 {
            app.fails(9, &format!("192.0.2.{n}"), "ada@acme.example").await;
        }
        app.login_from("198.51.100.7", "ada@acme.example", PASSWORD).await.expect(200);
        app.fails(1, "198.51.100.7", "ada@acme.example").await;
        app.login_from("198.51.100.7", "ada@acme.example", PASSWORD).await.expect(200);
        assert_eq!(app.rows("account.locked").await, 0);
    }

    async fn existing_and_unknown_accounts_are_locked_with_identical_answers(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        app.registers("Beta", "bob@beta.example").await;
        app.disables("bob@beta.example").await;
        let tried = [("ada@acme.example", 1), ("unknown@acme.example", 2), ("bob@beta.example", 3)];
        let same = async |network: &str, last: usize| {
            let mut answers = Vec::new();
            for (email, place) in tried {
                let address = format!("{network}:{place}::{last}");
                answers.push(app.login_from(&address, email, WRONG).await.as_bytes());
            }
            assert_eq!(answers[0], answers[1]);
            assert_eq!(answers[0], answers[2]);
            answers[0].0
        };
        let mut statuses = Vec::new();
        // Each from its own address, then the twelve that make a hundred and more.
        for round in 0..12 {
            for _ in 0..12 {
                statuses.push(same(&format!("2001:db8:{round}"), 1).await);
            }
        }
        assert_eq!(statuses[..11], [[401; 10].as_slice(), &[429]].concat());
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 100);
        app.advance(TimeDelta::minutes(16));
        assert_eq!(same("2001:db8:ffff", 1).await, 429);
        app.advance(TimeDelta::hours(24));
        assert_eq!(same("2001:db8:ffff", 1).await, 401);
    }

    async fn a_lock_spares_the_addresses_from_which_its_owner_has_signed_in(db: Db) {
        let app = TestApp::limited(db).await;
        let acme = app.registers("Acme", "ada@acme.example").await;
        app.joins(&acme.id, "bob@acme.example").await;
        app.login_from("2001:db8:5:6::1", "ada@acme.example", PASSWORD).await.expect(200);
        app.is_locked_out("ada@acme.example").await;
        app.is_locked_out("bob@acme.example").await;

        let wrong_at_home = app.login_from("2001:db8:5:6::2", "ada@acme.example", WRONG).await;
        let wrong_elsewhere = app.login_from("198.51.100.8", "ada@acme.example", WRONG).await;
        assert_eq!(wrong_at_home.as_bytes(), wrong_elsewhere.as_bytes());
        wrong_at_home.locked_for(86_400);
        app.login_from("2001:db8:5:6::3", "ada@acme.example", PASSWORD).await.expect(200);
        // It is known to its owner only, and does not lift the lock.
        app.login_from("2001:db8:5:6::3", "bob@acme.example", PASSWORD).await.locked_for(86_400);
        app.login_from("198.51.100.8", "ada@acme.example", PASSWORD).await.locked_for(86_400);
        app.login_from("2001:db8:5:7::1", "ada@acme.example", PASSWORD).await.locked_for(86_400);
    }

    async fn ten_wrong_passwords_at_its_owners_own_address_are_spared(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.expect(200);
        app.fails(10, "192.0.2.1", "ada@acme.example").await;
        app.login_from("192.0.2.1", "ada@acme.example", WRONG).await.locked_for(900);
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.expect(200);
    }

    async fn a_spared_address_has_ten_more_passwords_in_fifteen_minutes(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        app.login_from("203.0.113.5", "ada@acme.example", PASSWORD).await.expect(200);
        app.is_locked_out("ada@acme.example").await;
        for _ in 0..10 {
            app.login_from("203.0.113.5", "ada@acme.example", WRONG).await.locked_for(86_400);
        }
        app.login_from("203.0.113.5", "ada@acme.example", PASSWORD).await.locked_for(86_400);
        app.advance(TimeDelta::minutes(15));
        app.login_from("203.0.113.5", "ada@acme.example", PASSWORD).await.expect(200);
        // Refusals do not prolong the lock, and it is recorded once.
        app.login_from("198.51.100.8", "ada@acme.example", PASSWORD).await.locked_for(85_500);
        assert_eq!(app.rows("account.locked").await, 1);
    }

    async fn of_fifty_concurrent_wrong_passwords_under_a_lock_ten_are_counted(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        app.login_from("203.0.113.5", "ada@acme.example", PASSWORD).await.expect(200);
        app.is_locked_out("ada@acme.example").await;
        let tries = (0..50).map(|_| app.login_from("203.0.113.5", "ada@acme.example", WRONG).into_future());
        assert_eq!(statuses(&join_all(tries).await), [429; 50]);
        let counted = "select count(*) from failed_attempts where address = 'locked 203.0.113.5'";
        assert_eq!(app.db.count(counted).await, 10);
        app.login_from("203.0.113.5", "ada@acme.example", PASSWORD).await.locked_for(86_400);
    }

    async fn locked_accounts_that_do_not_exist_are_treated_as_those_that_do(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        app.login_from("203.0.113.5", "ada@acme.example", PASSWORD).await.expect(200);
        let mut answers = Vec::new();
        for email in ["ada@acme.example", "unknown@acme.example"] {
            app.is_locked_out(email).await;
            for address in ["203.0.113.5", "198.51.100.8"] {
                for _ in 0..12 {
                    answers.push((email, app.login_from(address, email, WRONG).await.as_bytes()));
                }
            }
        }
        assert!(answers.iter().all(|(_, answer)| *answer == answers[0].1));
        // As many were hashed.
        let hashed = "select cast(count(*) as text) as v from failed_attempts where address like 'locked %'
            group by account";
        assert_eq!(app.db.values(hashed).await, [Some("20".to_owned()), Some("20".to_owned())]);
    }

    async fn a_lock_spares_browsers_with_which_its_owner_has_signed_in(db: Db) {
        let app = TestApp::limited(db).await;
        let acme = app.registers("Acme", "ada@acme.example").await;
        app.joins(&acme.id, "bob@acme.example").await;
        let browser = Browser::new(&app);
        let log_in = async |address: &str, email: &str, password: &str| {
            let call = browser.call(Method::POST, "/api/auth/login").header("x-forwarded-for", address);
            browser.kept(call.json(&json!({"email": email, "password": password})).await)
        };
        log_in("203.0.113.5", "ada@acme.example", PASSWORD).await.expect(200);
        let device = browser.cookie(DEVICE).unwrap();
        app.is_locked_out("ada@acme.example").await;
        app.is_locked_out("bob@acme.example").await;

        // Others use up what a locked account has at this address, but not what the browser has.
        for _ in 0..10 {
            app.login_from("198.51.100.8", "ada@acme.example", WRONG).await.locked_for(86_400);
        }
        log_in("198.51.100.8", "ada@acme.example", WRONG).await.locked_for(86_400);
        log_in("198.51.100.8", "ada@acme.example", PASSWORD).await.expect(200);
        // It is its owner's alone, proves nothing and opens nothing.
        log_in("198.51.100.9", "bob@acme.example", PASSWORD).await.locked_for(86_400);
        app.get("/api/auth/me").header("cookie", &format!("{DEVICE}={device}")).await.expect(401);
        let forged = format!("{}{}", &device[..63], if device.ends_with('A') { "B" } else { "A" });
        browser.set_cookie(DEVICE, &forged);
        log_in("198.51.100.10", "ada@acme.example", PASSWORD).await.locked_for(86_400);

        // It has its own limit, from whatever address.
        browser.set_cookie(DEVICE, &device);
        for n in 0..9 {
            log_in(&format!("198.51.100.{n}"), "ada@acme.example", WRONG).await.locked_for(86_400);
        }
        log_in("198.51.100.20", "ada@acme.example", PASSWORD).await.locked_for(86_400);
    }

    async fn a_reset_forgets_the_places_of_an_account(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        let log_in = async |password: &str| {
            let body = json!({"email": "ada@acme.example", "password": password});
            let call = browser.call(Method::POST, "/api/auth/login").header("x-forwarded-for", "203.0.113.5");
            browser.kept(call.json(&body).await)
        };
        log_in(PASSWORD).await.expect(200);
        app.forgets_password("ada@acme.example").await;
        let token = app.mailed_token("ada@acme.example", "reset_password").await;
        app.resets_password(&token, OTHER_PASSWORD).await.expect(200);
        app.is_locked_out("ada@acme.example").await;
        log_in(OTHER_PASSWORD).await.locked_for(86_400);
    }

    async fn only_browsers_get_a_cookie_of_their_users(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        let program = app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await;
        program.expect(200);
        assert_eq!(program.header("set-cookie"), None);
        let call = || app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).header("origin", "http://localhost");
        let cookie = call().await.header("set-cookie").unwrap().to_owned();
        assert!(cookie.starts_with("hallpass-device="), "{cookie}");
        assert!(cookie.ends_with("; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"), "{cookie}");
        let refused = app.login_from("192.0.2.1", "ada@acme.example", WRONG).header("origin", "http://localhost").await;
        assert_eq!(refused.header("set-cookie"), None);
    }

    async fn the_twenty_latest_addresses_of_a_user_are_kept_for_a_year(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        for n in 0..25 {
            app.login_from(&format!("192.0.2.{n}"), "ada@acme.example", PASSWORD).await.expect(200);
            app.advance(TimeDelta::seconds(1));
        }
        let count = "select count(*) from known_addresses";
        assert_eq!(app.db.count(count).await, 20);
        assert_eq!(app.db.count(&format!("{count} where block in ('192.0.2.4', '192.0.2.5')")).await, 1);
        let operator_app = app.operator_app().await;
        app.advance(TimeDelta::days(365) - TimeDelta::seconds(2));
        purge(operator_app.services()).await;
        assert_eq!(app.db.count(count).await, 1);
    }

    async fn admins_see_a_lock_and_lift_it(db: Db) {
        let app = TestApp::limited(db).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let stranger = app.signs_up("Beta", "eve@beta.example").await;
        let path = format!("/api/users/{}", bob.id());
        assert_eq!(ada.get(&path).await.expect(200)["lockedUntil"], Value::Null);
        app.is_locked_out("bob@acme.example").await;

        let seen = ada.get(&path).await.expect(200);
        let until = seen["lockedUntil"].as_str().unwrap();
        let until: DateTime<Utc> = until.parse().unwrap();
        assert_eq!(until.timestamp(), app.clock.timestamp() + 86_400);
        let listed = ada.get("/api/users").await.expect(200);
        for user in listed["users"].as_array().unwrap() {
            let is_bob = user["id"] == bob.id();
            assert_eq!(user["lockedUntil"], if is_bob { seen["lockedUntil"].clone() } else { Value::Null });
        }
        let own = bob.get(&path).await.expect(200);
        assert!(own.get("lockedUntil").is_none(), "{own}");

        let unlock = format!("{path}/unlock");
        bob.post(&unlock).await.refused(403, "Forbidden");
        stranger.post(&unlock).await.refused(404, "User not found");
        ada.post(&format!("/api/users/{}/unlock", ada.id())).await.refused(403, "Forbidden");
        app.login_from("198.51.100.8", "bob@acme.example", PASSWORD).await.locked_for(86_400);
        assert_eq!(ada.post(&unlock).await.expect(200), json!({"success": true}));
        app.login_from("198.51.100.8", "bob@acme.example", PASSWORD).await.expect(200);
        assert_eq!(ada.get(&path).await.expect(200)["lockedUntil"], Value::Null);
        let row = format!(
            "select count(*) from audit where action = 'account.unlocked' and actor_id = {} and subject_id = {}",
            app.db.id(ada.id()),
            app.db.id(bob.id()),
        );
        assert_eq!(app.db.count(&row).await, 1);
        // There is nothing to lift any more.
        ada.post(&unlock).await.expect(200);
        assert_eq!(app.rows("account.unlocked").await, 1);
    }

    async fn other_and_restarted_instances_know_of_the_failures(db: Db) {
        let mut app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        let second = app.second_instance().await;
        app.fails(5, "192.0.2.1", "ada@acme.example").await;
        second.fails(5, "192.0.2.1", "ada@acme.example").await;
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.locked_for(900);
        second.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.locked_for(900);
        app.restart().await;
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.locked_for(900);
    }

    async fn of_fifty_concurrent_wrong_passwords_ten_are_verified(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        let second = app.second_instance().await;
        let tries = (0..50).map(|n| {
            let instance = if n % 2 == 0 { &app } else { &second };
            instance.login_from("192.0.2.1", "ada@acme.example", WRONG).into_future()
        });
        assert_eq!(statuses(&join_all(tries).await), [[401; 10].as_slice(), &[429; 40]].concat());
        app.login_from("192.0.2.1", "ada@acme.example", PASSWORD).await.locked_for(900);
        assert_eq!(app.rows("account.locked_for_address").await, 1);
        assert_eq!(app.db.count("select count(*) from audit where outcome = 'refused'").await, 10);
        assert_eq!(app.db.count("select failures from failures_in_a_row").await, 10);
    }

    async fn concurrent_failures_from_many_addresses_stop_at_the_account_limit(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        for n in 0..19 {
            app.fails(5, &format!("192.0.2.{n}"), "ada@acme.example").await;
        }
        let addresses: Vec<String> = (0..20).map(|n| format!("198.51.100.{n}")).collect();
        let tries = addresses
            .iter()
            .map(|address| app.login_from(address, "ada@acme.example", WRONG).into_future());
        assert_eq!(statuses(&join_all(tries).await), [[401; 5].as_slice(), &[429; 15]].concat());
        assert_eq!(app.db.count("select failures from failures_in_a_row").await, 100);
        assert_eq!(app.rows("account.locked").await, 1);
    }

    async fn failing_at_thirty_accounts_blocks_the_address_for_all_accounts(db: Db) {
        let app = TestApp::limited(db).await;
        app.registers("Acme", "ada@acme.example").await;
        app.registers("Beta", "bob@acme.example").await;
        for n in 0..29 {
            // Wherever in the /64 of one subscriber.
            app.fails(2, &format!("2001:db8:1:2::{n:x}"), &format!("user{n}@acme.example")).await;
        }
        app.login_from("2001:db8:1:2::7", "ada@acme.example", PASSWORD).await.expect(200);
        app.fails(1, "2001:db8:1:2:ffff::1", "user30@acme.example").await;
        // Ada has signed in from here, Bob has not.
        app.login_from("2001:db8:1:2::8", "ada@acme.example", PASSWORD).await.expect(200);
        app.login_from("2001:db8:1:2::8", "ada@acme.example", WRONG).await.locked_for(900);
        app.login_from("2001:db8:1:2::8", "bob@acme.example", PASSWORD).await.locked_for(900);
        app.login_from("2001:db8:1:2::8", "user31@acme.example", WRONG).await.locked_for(900);
        assert_eq!(app.rows("address.locked").await, 1);
        app.login_from("2001:db8:1:3::8", "ada@acme.example", PASSWORD).await.expect(200);
        app.advance(TimeDelta::minutes(15));
        app.login_from("2001:db8:1:2::8", "bob@acme.example", PASSWORD).await.expect(200);
    }

    async fn a_forwarded_address_counts_from_trusted_proxies_only(db: Db) {
        let app = TestApp::configured(db, |config| config.server.rate_limits = true).await;
        app.registers("Acme", "ada@acme.example").await;
        for n in 0..10 {
            app.fails(1, &format!("192.0.2.{n}"), "ada@acme.example").await;
        }
        app.login_from("198.51.100.7", "ada@acme.example", PASSWORD).await.locked_for(900);
    }

    async fn a_wrong_current_password_counts_as_well(db: Db) {
        let app = TestApp::limited(db).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for _ in 0..10 {
            ada.changes_password(WRONG, "Another-Fine-Password-3").await.refused(401, "Invalid credentials");
        }
        ada.changes_password(PASSWORD, "Another-Fine-Password-3").await.locked_for(900);
        app.tries_to_log_in("ada@acme.example", WRONG).await.locked_for(900);
        // Existing sessions stay valid.
        ada.me().await.expect(200);
        app.advance(TimeDelta::minutes(15));
        ada.changes_password(PASSWORD, "Another-Fine-Password-3").await.expect(200);
    }

    async fn failures_and_locks_leave_one_audit_row_and_blocked_attempts_none(db: Db) {
        let app = TestApp::limited(db).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.fails(10, "192.0.2.1", "ada@acme.example").await;
        for _ in 0..10 {
            app.login_from("192.0.2.1", "ada@acme.example", WRONG).await.locked_for(900);
        }
        assert_eq!(app.db.count("select count(*) from audit where outcome = 'refused'").await, 10);
        let lock = format!(
            "select count(*) from audit where action = 'account.locked_for_address' and outcome = 'ok'
             and subject_id = {} and address = '192.0.2.1' and actor_id is null",
            app.db.id(ada.id()),
        );
        assert_eq!(app.db.count(&lock).await, 1);
        assert_eq!(app.rows("account.locked_for_address").await, 1);
    }

    async fn the_database_does_not_reveal_which_addresses_were_tried(db: Db) {
        let app = TestApp::limited(db).await;
        app.fails(2, "192.0.2.1", "unknown@acme.example").await;
        let names = "select account as v from failed_attempts union all select account as v from failures_in_a_row";
        let names = app.db.values(names).await;
        assert_eq!(names.len(), 3);
        for name in names.into_iter().flatten() {
            assert!(name.len() == 43 && !name.contains('@'), "{name}");
        }
    }

    async fn expired_failures_are_deleted(db: Db) {
        let app = TestApp::limited(db).await;
        app.fails(3, "192.0.2.1", "unknown@acme.example").await;
        let operator_app = app.operator_app().await;
        let left = async || {
            purge(operator_app.services()).await;
            let attempts = app.db.count("select count(*) from failed_attempts").await;
            (attempts, app.db.count("select count(*) from failures_in_a_row").await)
        };
        assert_eq!(left().await, (3, 1));
        app.advance(TimeDelta::minutes(15));
        assert_eq!(left().await, (0, 1));
        app.advance(TimeDelta::hours(24));
        assert_eq!(left().await, (0, 0));
    }

    async fn without_limits_nothing_is_counted(app: TestApp) {
        app.registers("Acme", "ada@acme.example").await;
        app.fails(12, "192.0.2.1", "ada@acme.example").await;
        let answer = app.tries_to_log_in("ada@acme.example", PASSWORD).await;
        answer.expect(200);
        assert_eq!(answer.header("ratelimit"), None);
        assert_eq!(app.db.count("select count(*) from failed_attempts").await, 0);
    }

    async fn a_flood_of_requests_leaves_one_row(db: Db) {
        let app = TestApp::limited(db).await;
        floods(&app, "/api/auth/register", 310, "192.0.2.1").await;
        assert_eq!(app.rows("address.limited").await, 1);
        let row = "select count(*) from audit where action = 'address.limited' and outcome = 'refused'
            and address = '192.0.2.1' and actor_id is null and subject_id is null";
        assert_eq!(app.db.count(row).await, 1);
        app.advance(TimeDelta::minutes(15));
        floods(&app, "/api/auth/register", 80, "192.0.2.1").await;
        assert_eq!(app.rows("address.limited").await, 2);
    }
}

#[actix_web::test]
async fn a_correct_password_among_concurrent_wrong_ones_does_not_pass_the_limit() {
    let app = TestApp::limited(Db::sqlite()).await;
    app.registers("Acme", "ada@acme.example").await;
    for n in 0..5 {
        let address = format!("192.0.2.{n}");
        let tries = (0..60).map(|n| {
            let password = if n == 40 { PASSWORD } else { WRONG };
            app.login_from(&address, "ada@acme.example", password)
                .into_future()
        });
        join_all(tries).await;
        // SQLite numbers rows in the order of commits.
        let wrong_before = format!(
            "select count(*) from audit where address = '{address}' and outcome = 'refused' and rowid <
             (select rowid from audit where address = '{address}' and action = 'session.login' and outcome = 'ok')"
        );
        assert!(app.db.count(&wrong_before).await < 10);
    }
}

/// In ascending order.
fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut statuses: Vec<u16> = answers
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    statuses.sort_unstable();
    statuses
}

/// Empty requests, which cost nothing but their place in the bucket; returns how many were refused by
/// the rate limit.
async fn floods(app: &TestApp, path: &str, times: usize, address: &str) -> usize {
    let mut refused = 0;
    for _ in 0..times.div_ceil(50) {
        let calls = (0..50).map(|_| empty(app, path, address).into_future());
        let answers = join_all(calls).await;
        refused += answers.iter().filter(|answer| answer.status == 429).count();
    }
    refused
}

fn empty(app: &TestApp, path: &str, address: &str) -> Call {
    app.post(path).header("x-forwarded-for", address)
}

#[actix_web::test]
async fn each_address_has_one_bucket_per_purpose_for_any_spelling_of_the_path() {
    let app = TestApp::limited(Db::sqlite()).await;
    assert_eq!(floods(&app, "/api/auth/login", 300, "192.0.2.1").await, 0);
    assert_eq!(floods(&app, "/api/auth/%6Cogin", 300, "192.0.2.1").await, 0);
    for path in ["/api/auth/login", "/api/auth/%6Cogin"] {
        let refused = empty(&app, path, "192.0.2.1").await;
        refused.refused(429, "Too many requests");
        assert_eq!(refused.header("x-error-code"), Some("too_many_requests"));
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(refused.header("ratelimit"), Some("\"login\";r=0;t=1"));
        assert_eq!(
            refused.header("ratelimit-policy"),
            Some("\"login\";q=600;w=60")
        );
    }
    // Other addresses and other purposes have their own buckets.
    assert_eq!(
        empty(&app, "/api/auth/login", "192.0.2.2").await.status,
        400
    );
    assert_eq!(
        empty(&app, "/api/auth/register", "192.0.2.1").await.status,
        400
    );
    // Ten are refilled in a second.
    app.advance(TimeDelta::seconds(1));
    assert_eq!(floods(&app, "/api/auth/login", 50, "192.0.2.1").await, 40);
}

#[actix_web::test]
async fn many_accounts_of_one_address_change_to_a_hundred_addresses() {
    let app = TestApp::limited(Db::sqlite()).await;
    let acme = app.registers("Acme", "ada@acme.example").await;
    let mut refused = 0;
    for person in 0..6 {
        let email = format!("person{person}@acme.example");
        let person = app.joins(&acme.id, &email).await;
        for n in 0..20 {
            let new = format!("{n}{email}");
            let answer = person.changes_email(&new, PASSWORD).await;
            if answer.status != 200 {
                answer.limited_by("\"mail\";q=100;w=3600", 36);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 20);
}

#[actix_web::test]
async fn the_people_of_an_organization_invite_500_strangers_an_hour() {
    let app = TestApp::limited(Db::sqlite()).await;
    let eve = app.signs_up_verified("Evil", "eve@evil.example").await;
    let path = eve.organization_path("/invitations");
    for n in 0..5 {
        let email = format!("admin{n}@evil.example");
        let admin = app.joins(eve.organization_id(), &email).await;
        eve.changes(&admin, json!({"role": "admin"}))
            .await
            .expect(200);
        app.verifies_address(&email).await;
        for stranger in 0..100 {
            let address = format!("192.0.2.{n}");
            let body = json!({"email": format!("{stranger}-{n}@other.example")});
            let invites = admin.post(&path).header("x-forwarded-for", &address);
            invites.json(&body).await.expect(201);
        }
    }
    let refused = eve.invites("last@other.example", "employee").await;
    refused.limited_by("\"invitations_together\";q=500;w=3600", 8);
}

#[actix_web::test]
async fn all_addresses_of_a_64_share_one_bucket() {
    let app = TestApp::limited(Db::sqlite()).await;
    for n in 0..6 {
        let address = format!("2001:db8:1:2:{n}::1");
        assert_eq!(floods(&app, "/api/auth/register", 50, &address).await, 0);
    }
    let refused = empty(&app, "/api/auth/register", "2001:db8:1:2::7").await;
    refused.refused(429, "Too many requests");
    assert_eq!(refused.header("retry-after"), Some("12"));
    let other = empty(&app, "/api/auth/register", "2001:db8:1:3::7").await;
    assert_eq!(other.status, 400);
}

#[actix_web::test]
async fn an_address_forwarded_by_an_untrusted_proxy_is_ignored() {
    let app = TestApp::configured(Db::sqlite(), |config| config.server.rate_limits = true).await;
    for n in 0..6 {
        let address = format!("192.0.2.{n}");
        assert_eq!(floods(&app, "/api/auth/register", 50, &address).await, 0);
    }
    let refused = empty(&app, "/api/auth/register", "198.51.100.7").await;
    refused.refused(429, "Too many requests");
}

#[actix_web::test]
async fn answers_show_what_is_left_of_small_limits() {
    let app = TestApp::limited(Db::sqlite()).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let login = app.tries_to_log_in("ada@acme.example", PASSWORD).await;
    login.expect(200);
    assert_eq!(login.header("ratelimit"), Some("\"login\";r=598;t=1"));
    assert_eq!(
        login.header("ratelimit-policy"),
        Some("\"login\";q=600;w=60")
    );
    let refreshed = ada.refreshes().await;
    assert_eq!(
        refreshed.header("ratelimit"),
        Some("\"refresh\";r=1199;t=1")
    );
    for unlimited in [ada.me().await, app.get("/livez").await] {
        unlimited.expect(200);
        assert_eq!(unlimited.header("ratelimit"), None);
    }
}

#[actix_web::test]
async fn metrics_count_refusals_and_locks() {
    let address = ([127, 0, 0, 1], crate::support::cluster::free_port()).into();
    let app = TestApp::configured(Db::sqlite(), |config| {
        limited(config);
        config.server.metrics_addr = Some(address);
    })
    .await;
    app.fails(10, "192.0.2.1", "unknown@acme.example").await;
    assert_eq!(
        floods(&app, "/api/auth/register", 350, "192.0.2.1").await,
        50
    );
    let http = crate::support::client::builder().build().unwrap();
    let answer = http.get(format!("http://{address}/metrics")).send().await;
    let text = answer.unwrap().text().await.unwrap();
    for figure in [
        "hallpass_requests_limited_total{group=\"register\"} 50\n",
        "hallpass_requests_limited_total{group=\"login\"} 0\n",
        "hallpass_attempt_locks_total 1\n",
    ] {
        assert!(text.contains(figure), "{figure:?} is not in\n{text}");
    }
}
