//! What people type or paste around an identifier, and how they group a code, is no reason for a refusal.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::slack::RETURN_URL;
use crate::support::{
    Answer, Browser, OTHER_PASSWORD, PASSWORD, SlackApp, TestApp, on_both_databases,
};

const ADA: &str = "ada@acme.example";

/// An address as phones, forms and copied pages send it.
fn typed(email: &str) -> [String; 6] {
    [
        format!("{email} "),
        format!(" {email}"),
        format!("\u{a0}{email}"),
        format!("{email}\r\n"),
        format!("\u{200b}{email}\u{feff}"),
        format!("\t{}", email.to_uppercase()),
    ]
}

on_both_databases! {
    async fn every_sign_in_trims_the_address(app: TestApp) {
        app.registers("Acme", ADA).await;
        for email in typed(ADA) {
            app.tries_to_log_in(&email, PASSWORD).await.expect(200);
            let login = json!({"name": email, "password": PASSWORD, "returnToken": true, "tenant": " Acme\u{200b}"});
            let begun = app.post("/api/v1/login").json(&login).await.expect(200);
            assert_eq!(begun["tenant"], "acme");
            let browser = Browser::new(&app);
            let answer = browser.signs_in(&email, PASSWORD).await.expect(200);
            assert!(!answer["url"].as_str().unwrap().contains("error"), "{answer}");
            let form = [("email", email.as_str()), ("password", PASSWORD)];
            let answer = browser.post_form("/api/auth/signin/credentials", &form).await;
            assert!(!answer.header("location").unwrap().contains("error"), "{email:?}");
        }
        let wrong = app.tries_to_log_in("ada@acme.exam ple", PASSWORD).await;
        wrong.refused_fields(&["email"]);
    }

    async fn registering_and_mailed_links_trim_addresses_ids_and_tokens(app: TestApp) {
        let email = format!("\u{a0}{ADA} ");
        let body = json!({
            "organizationName": "Acme", "firstName": "Ada", "lastName": "Byron", "email": email, "password": PASSWORD,
        });
        let founded = app.post("/api/auth/register").json(&body).await.expect(201);
        assert_eq!(founded["user"]["email"], ADA);
        app.post("/api/auth/register").json(&body).await.refused(409, "Email already registered");
        let organization = format!(" {}\n", founded["organization"]["id"].as_str().unwrap());
        let bob = app.joins(&organization, " bob@acme.example\u{200b}").await;
        assert_eq!(bob.user["email"], "bob@acme.example");

        // The newest e-mail has the token that is valid.
        app.advance(TimeDelta::seconds(1));
        app.resends_verification(&format!("{ADA}\n")).await.expect(200);
        let token = app.mailed_token(ADA, "verify_email").await;
        app.verifies(&format!(" {token}\u{200b}\n")).await.expect(200);
        app.forgets_password(&format!("{ADA}\u{3000}")).await.expect(200);
        let token = app.mailed_token(ADA, "reset_password").await;
        app.resets_password(&format!("{token} "), OTHER_PASSWORD).await.expect(200);
        let ada = app.logs_in(ADA, OTHER_PASSWORD).await;
        ada.invites(" Eve@acme.example\u{200b}", "employee").await.expect(201);
        let invitation = app.mailed_token("eve@acme.example", "invitation").await;
        app.registers_invited("\u{feff}eve@acme.example", &format!("{invitation} ")).await.expect(201);
        ada.changes_email(" countess@acme.example ", OTHER_PASSWORD).await.expect(200);
        let token = app.mailed_token("countess@acme.example", "confirm_new_email").await;
        app.verifies(&token).await.expect(200);
        ada.changes_email("countess@acme.example ", OTHER_PASSWORD).await.refused_fields(&["email"]);
        let page = Browser::new(&app).post_form("/reset-password", &[("email", " countess@acme.example\u{a0}")]).await;
        assert_eq!(page.status, 200, "{}", page.text());
        app.mailed_token("countess@acme.example", "reset_password").await;
        ada.sets_rules(&json!({"joinPolicy": "domain", "allowedDomains": [" Acme.example\u{200b}"]})).await;
        let rules = ada.get(&ada.organization_path("")).await.expect(200);
        assert_eq!(rules["allowedDomains"], json!(["acme.example"]));
    }

    async fn codes_may_be_grouped_as_they_are_shown(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let authenticator = ada.enrols(&app).await;
        let code = authenticator.code(&app);
        let (half, rest) = code.split_at(3);
        let token = app.takes_first_step(ADA).await;
        app.shows_code(&format!(" {token}\n"), &format!("{half}\u{a0}{rest}\u{200b} ")).await.expect(200);
        let ways: [fn(&str) -> String; 4] = [
            |code| code.replace('-', "\u{2013}"),
            |code| code.replace('-', " ").to_uppercase(),
            |code| format!("\u{feff}{}\n", code.replace('-', " \u{2014} ")),
            |code| code.replace('-', "\u{2011}"),
        ];
        for (way, code) in ways.iter().zip(&authenticator.recovery_codes) {
            let token = app.takes_first_step(ADA).await;
            app.shows_code(&token, &way(code)).await.expect(200);
        }
    }

    async fn a_workspace_id_is_trimmed(app: SlackApp) {
        let url = |team: &str| Vec::from([("team".to_owned(), team.to_owned())]);
        let asks = async |pairs: Vec<(String, String)>| -> Answer {
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            app.asks_for_url(RETURN_URL, &pairs).await
        };
        let answer: Value = asks(url(" T0123ABCD\u{200b}")).await.expect(200);
        assert!(answer["url"].as_str().unwrap().contains("team=T0123ABCD"), "{answer}");
        asks(url("T0123 ABCD")).await.refused_fields(&["team"]);
    }
}
