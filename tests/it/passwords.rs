//! Which passwords are accepted, and which spellings are the same password.

use hallpass::domain::{Email, PersonName, Role};
use hallpass::service::operations::operator::{self, CreateUser};
use serde_json::json;

use crate::support::test_app::operator_context;
use crate::support::{
    Answer, Db, PASSWORD, TestApp, member_body, on_both_databases, organization_body,
};

on_both_databases! {
    async fn composed_and_decomposed_characters_are_the_same_password(app: TestApp) {
        // é as one character and as two, ﬁ as a ligature: NFKC makes them one.
        register(&app, "Caf\u{e9}-\u{fb01}sh-Lagoon-42").await;
        app.tries_to_log_in(EMAIL, "Cafe\u{301}-fish-Lagoon-42").await.expect(200);
        app.tries_to_log_in(EMAIL, "Cafe-fish-Lagoon-42").await.refused(401, "Invalid credentials");
    }

    async fn every_character_counts_beyond_the_72_bytes_of_bcrypt(app: TestApp) {
        for (n, length) in [71, 72, 73, 80, 99].into_iter().enumerate() {
            let email = format!("ada{n}@acme.example");
            let password: String = "Long-Winding-Road-".chars().cycle().take(length).collect();
            let mut body = organization_body("Acme", &email);
            body["password"] = json!(password);
            app.post("/api/auth/register").json(&body).await.expect(201);
            app.tries_to_log_in(&email, &password).await.expect(200);
            for wrong in [
                format!("{}!", &password[..length - 1]),
                password[..length - 1].to_owned(),
                format!("{password}x"),
            ] {
                app.tries_to_log_in(&email, &wrong).await.refused(401, "Invalid credentials");
            }
        }
    }

    async fn a_password_of_many_bytes_and_few_characters_counts_whole(app: TestApp) {
        let password = "Straßenbahn-".to_owned() + &"\u{1f511}".repeat(20) + "-ende";
        register(&app, &password).await;
        app.tries_to_log_in(EMAIL, &password).await.expect(200);
        app.tries_to_log_in(EMAIL, &password.replace("ende", "endf"))
            .await
            .refused(401, "Invalid credentials");
    }

    async fn a_nul_never_makes_two_passwords_equal(app: TestApp) {
        let mut body = organization_body("Acme", EMAIL);
        body["password"] = json!("Correct-Horse\0Battery");
        app.post("/api/auth/register").json(&body).await.refused_fields(&["password"]);
        register(&app, PASSWORD).await;
        let cyclic = format!("{PASSWORD}\0{PASSWORD}");
        let answer = app.tries_to_log_in(EMAIL, &cyclic).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{}", answer.text());
    }

    async fn short_long_common_and_personal_passwords_are_refused(app: TestApp) {
        for weak in [
            "",
            "Seven-7",
            "password",
            "12345678",
            "qwertyuiop",
            "ada@acme.example",
            &"Long-Winding-Road-".repeat(6)[..101],
        ] {
            let mut body = organization_body("Acme", EMAIL);
            body["password"] = json!(weak);
            app.post("/api/auth/register").json(&body).await.refused_fields(&["password"]);
        }
        register(&app, "K7#pq9Lm").await;
    }

    async fn what_is_guessed_within_a_million_tries_is_refused_with_a_reason(app: TestApp) {
        for (weak, why) in [
            ("Password1!", "list of common passwords"),
            ("P@ssw0rd1", "list of common passwords"),
            ("password12345", "list of common passwords"),
            ("letmein123", "list of common passwords"),
            ("Welcome2026!", "list of common passwords"),
            // 10^8 guesses, but leaked again and again.
            ("1q2w3e4r5t6y7u8i9o0p", "list of common passwords"),
            ("hallpass123", "this service"),
            ("Hallpass2026!", "this service"),
            ("Subcommittee7!", "a single word"),
            ("qxzqxzqxzqxz", "Repeats"),
        ] {
            let mut body = organization_body("Acme", EMAIL);
            body["password"] = json!(weak);
            let answer = app.post("/api/auth/register").json(&body).await;
            answer.refused_fields(&["password"]);
            let violation = &answer.json()["details"][0];
            assert_eq!(violation["code"], "too_common", "{weak}");
            let message = violation["message"].as_str().unwrap();
            assert!(message.contains(why) && message.contains("choose another"), "{weak}: {message}");
        }
    }

    async fn the_sample_passwords_of_existing_clients_are_accepted(app: TestApp) {
        let samples = ["secure-password-123", "securepassword123", "newSecurePassword123", "#32Password1!"];
        for (n, sample) in samples.into_iter().enumerate() {
            let email = format!("ada{n}@acme.example");
            let mut body = organization_body("Acme", &email);
            body["password"] = json!(sample);
            app.post("/api/auth/register").json(&body).await.expect(201);
            app.tries_to_log_in(&email, sample).await.expect(200);
        }
    }

    async fn a_setting_raises_the_number_of_guesses(db: Db) {
        let app = TestApp::configured(db, |config| config.passwords.min_guesses = 1_000_000_000).await;
        let mut body = organization_body("Acme", EMAIL);
        body["password"] = json!("securepassword123");
        app.post("/api/auth/register").json(&body).await.refused_fields(&["password"]);
        register(&app, "secure-password-123").await;
    }

    async fn ones_own_words_are_refused_in_every_way_to_set_a_password(app: TestApp) {
        let own_words = ["Vrelthane2026!", "vrelthane-works1", "Quorvik77!", "Nimbular1!", "Osgilade.2026"];
        let email = |name: &str| format!("{name}.quorvik@nimbular.example");
        let refused = |answer: &Answer, field: &str, weak: &str| {
            answer.refused_fields(&[field]);
            let message = answer.json()["details"][0]["message"].to_string();
            assert!(message.contains("your name or address"), "{weak}: {message}");
        };
        let ada = {
            let mut body = organization_body("Vrelthane Works", &email("ada"));
            body["lastName"] = json!("Osgilade");
            for weak in own_words {
                body["password"] = json!(weak);
                refused(&app.post("/api/auth/register").json(&body).await, "password", weak);
            }
            body["password"] = json!(PASSWORD);
            app.post("/api/auth/register").json(&body).await.expect(201);
            app.logs_in(&email("ada"), PASSWORD).await
        };
        for weak in own_words {
            refused(&ada.changes_password(PASSWORD, weak).await, "newPassword", weak);
        }
        app.forgets_password(&email("ada")).await;
        let token = app.mailed_token(&email("ada"), "reset_password").await;
        for weak in own_words {
            refused(&app.resets_password(&token, weak).await, "password", weak);
        }

        let mut body = member_body(ada.organization_id(), &email("bob"));
        body["name"] = json!("Bob Osgilade");
        for weak in own_words {
            body["password"] = json!(weak);
            refused(&app.post("/api/auth/register").json(&body).await, "password", weak);
        }
        app.verifies_address(&email("ada")).await;
        ada.invites(&email("eve"), "employee").await.expect(201);
        let token = app.mailed_token(&email("eve"), "invitation").await;
        for weak in own_words {
            let body = json!({
                "email": email("eve"), "password": weak, "name": "Eve Osgilade", "invitationToken": token,
            });
            refused(&app.post("/api/auth/register").json(&body).await, "password", weak);
            let form = [("token", &*token), ("name", "Eve Osgilade"), ("password", weak)];
            let page = app.post("/accept-invitation").form(&form).await;
            assert!(page.status == 400 && page.text().contains("your name or address"), "{weak}");
        }
        let operator_app = app.operator_app().await;
        for weak in own_words {
            let eve = CreateUser {
                email: Email::parse(&email("eve")).unwrap(),
                password: weak,
                name: PersonName::parse("Eve Osgilade").unwrap(),
                organization_id: ada.organization_id().parse().unwrap(),
                role: Role::Employee,
                manager_id: None,
            };
            let created = operator::create_user(operator_app.services(), &operator_context(), eve).await;
            assert!(created.is_err_and(|error| error.to_string().contains("assword")), "{weak}");
        }
        // To others these words mean nothing.
        let stranger = app.signs_up("Acme", EMAIL).await;
        stranger.changes_password(PASSWORD, "Vrelthane2026!").await.expect(200);
    }

    async fn a_changed_cost_rehashes_at_the_next_login(db: Db) {
        let mut app = TestApp::start(db).await;
        register(&app, PASSWORD).await;
        assert!(stored_hash(&app).await.starts_with("$2b$04$"));
        app.restart_configured(|config| config.passwords.bcrypt_cost = 5).await;
        app.tries_to_log_in(EMAIL, "Not-The-Password-1").await.refused(401, "Invalid credentials");
        assert!(stored_hash(&app).await.starts_with("$2b$04$"));
        let ada = app.logs_in(EMAIL, PASSWORD).await;
        // After the answer, once there is time.
        while !stored_hash(&app).await.starts_with("$2b$05$") {}
        ada.me().await.expect(200);
        app.tries_to_log_in(EMAIL, PASSWORD).await.expect(200);
    }

    async fn the_minimum_length_is_a_setting(db: Db) {
        let app = TestApp::configured(db, |config| config.passwords.min_length = 6).await;
        let mut body = organization_body("Acme", EMAIL);
        body["password"] = json!("K7#p9");
        app.post("/api/auth/register").json(&body).await.refused_fields(&["password"]);
        register(&app, "K7#pq9").await;
    }
}

const EMAIL: &str = "ada@acme.example";

async fn register(app: &TestApp, password: &str) {
    let mut body = organization_body("Acme", EMAIL);
    body["password"] = json!(password);
    app.post("/api/auth/register").json(&body).await.expect(201);
}

async fn stored_hash(app: &TestApp) -> String {
    let hashes = app.db.values("select password_hash as v from users").await;
    hashes[0].clone().unwrap()
}
