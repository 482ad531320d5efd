//! Which passwords are accepted, and which spellings are the same password.

use serde_json::json;

use crate::support::{Db, PASSWORD, TestApp, on_both_databases, organization_body};

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
        register(&app, "Lagoon-8").await;
    }

    async fn a_changed_cost_rehashes_at_the_next_login(db: Db) {
        let mut app = TestApp::start(db).await;
        register(&app, PASSWORD).await;
        assert!(stored_hash(&app).await.starts_with("$2b$04$"));
        app.restart_configured(|config| config.passwords.bcrypt_cost = 5).await;
        app.tries_to_log_in(EMAIL, "Not-The-Password-1").await.refused(401, "Invalid credentials");
        assert!(stored_hash(&app).await.starts_with("$2b$04$"));
        let ada = app.logs_in(EMAIL, PASSWORD).await;
        assert!(stored_hash(&app).await.starts_with("$2b$05$"));
        ada.me().await.expect(200);
        app.tries_to_log_in(EMAIL, PASSWORD).await.expect(200);
    }

    async fn the_minimum_length_is_a_setting(db: Db) {
        let app = TestApp::configured(db, |config| config.passwords.min_length = 6).await;
        let mut body = organization_body("Acme", EMAIL);
        body["password"] = json!("Lag-8");
        app.post("/api/auth/register").json(&body).await.refused_fields(&["password"]);
        register(&app, "Lago-8").await;
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
