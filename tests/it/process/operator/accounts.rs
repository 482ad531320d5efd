//! Passwords, addresses, sessions and the state of accounts.

use serde_json::{Value, json};

use super::{ADA, BOB, creates, done, done_with, refused, rows, run, shows_page};
use crate::process::{Server, hallpass_on, stderr, stdout};
use crate::support::{Db, OTHER_PASSWORD, PASSWORD, on_both_databases};

on_both_databases! {
    async fn a_password_set_by_the_operator_signs_in_and_ends_sessions(db: Db) {
        let server = Server::with_acme(&db).await;
        let token = server.logs_in(ADA, PASSWORD).await;
        let made = server.makes_api_token(&token).await;
        let places = "select count(*) from known_addresses";
        assert_eq!(db.count(places).await, 1);
        let set = ["user", "set-password", ADA];
        let user = done_with(&db, &set, OTHER_PASSWORD);
        assert_eq!(user["email"], ADA);
        assert!(!user.to_string().contains(OTHER_PASSWORD), "{user}");
        server.soon_answers(&token, 401).await;
        server.soon_answers(&made, 401).await;
        assert_eq!(db.count(places).await, 0);
        server.tries_to_log_in(ADA, PASSWORD).await.refused(401, "Invalid credentials");
        server.logs_in(ADA, OTHER_PASSWORD).await;
        assert_eq!(rows(&db, "user.password_reset").await, 1);
        let verified = "select count(*) from users where email_verified_at is not null";
        assert_eq!(db.count(verified).await, 0);
        let notices = "select count(*) from outbox where kind = 'password_changed'";
        assert_eq!(db.count(notices).await, 1);

        let generated = done(&db, &[&set[..], &["--generate-password"]].concat());
        server.logs_in(ADA, generated["password"].as_str().unwrap()).await;
    }

    async fn unlinked_accounts_at_slack_lead_nowhere(db: Db) {
        let server = Server::with_acme(&db).await;
        let ada = server.logs_in(ADA, PASSWORD).await;
        let made = server.makes_api_token(&ada).await;
        for (team, id) in [("T1", 1), ("T2", 2)] {
            let id = db.id(&uuid::Uuid::from_u128(id).to_string());
            db.execute(&format!(
                "insert into identities (id, user_id, provider, team_id, external_id, created_at)
                 select {id}, id, 'slack', '{team}', 'U1', created_at from users where email = '{ADA}'"
            ))
            .await;
        }
        let unlink = ["user", "unlink", ADA];
        refused(&db, &[&unlink[..], &["--team", "T3"]].concat(), 65, &["workspace T3"]);
        let unlinked = done(&db, &[&unlink[..], &["--team", "T1"]].concat());
        assert_eq!(unlinked["email"], ADA);
        server.soon_answers(&ada, 401).await;
        server.soon_answers(&made, 401).await;
        assert_eq!(db.count("select count(*) from identities").await, 1);
        done(&db, &unlink);
        assert_eq!(db.count("select count(*) from identities").await, 0);
        assert_eq!(db.count("select count(*) from detached_identities").await, 2);
        assert_eq!(rows(&db, "user.identity_unlinked").await, 2);
    }

    async fn the_operator_exports_what_the_user_can(db: Db) {
        let server = Server::with_acme(&db).await;
        let token = server.logs_in(ADA, PASSWORD).await;
        let output = run(hallpass_on(&db, &["user", "export", ADA]), "");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let printed: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let of_their_own = server.client.get("/api/auth/account/export").bearer(&token).await.expect(200);
        for list in ["account", "memberships", "sessions", "emails", "knownAddresses"] {
            assert_eq!(printed[list], of_their_own[list], "{list}");
        }
        let by_others = &of_their_own["actionsByOthers"];
        assert_eq!((&by_others[0]["action"], &by_others[0]["method"]), (&json!("user.exported"), &json!("operator")));
        assert_eq!(rows(&db, "user.exported").await, 1);
        refused(&db, &["user", "export", "unknown@acme.example"], 65, &["unknown@acme.example"]);
    }

    async fn a_weak_password_is_refused_at_the_console_as_well(db: Db) {
        let _server = Server::with_acme(&db).await;
        let weak = run(hallpass_on(&db, &["user", "set-password", ADA]), "password123");
        assert_eq!(weak.status.code(), Some(65));
        assert_eq!(rows(&db, "user.password_reset").await, 0);
        refused(&db, &["user", "set-password", "unknown@acme.example"], 65, &["unknown@acme.example"]);
    }

    async fn a_printed_reset_link_works_once_on_its_page(db: Db) {
        let server = Server::with_acme(&db).await;
        let token = server.logs_in(ADA, PASSWORD).await;
        let replaced = done(&db, &["user", "reset-link", ADA]);
        let output = run(hallpass_on(&db, &["user", "reset-link", ADA]), "");
        let link = stdout(&output);
        let path = |link: &str| link.trim().strip_prefix("http://127.0.0.1:8080").unwrap().to_owned();
        shows_page(server.client.get(&path(replaced["link"].as_str().unwrap())), 400).await;
        let path = path(&link);
        shows_page(server.client.get(&path), 200).await;
        let secret = path.strip_prefix("/reset-password?token=").unwrap();
        let form = [("token", secret), ("password", OTHER_PASSWORD)];
        shows_page(server.client.post("/reset-password").form(&form), 200).await;
        server.soon_answers(&token, 401).await;
        server.logs_in(ADA, OTHER_PASSWORD).await;
        shows_page(server.client.post("/reset-password").form(&form), 400).await;
        assert_eq!(rows(&db, "user.password_reset_requested").await, 2);
    }

    async fn an_address_verified_by_the_operator_can_sign_in(db: Db) {
        let mut command = hallpass_on(&db, &["serve"]);
        command.env("REQUIRE_VERIFIED_EMAIL", "on");
        let server = Server::run(command).await;
        let body = crate::support::organization_body("Acme", ADA);
        server.post("/api/auth/register", &body).await.expect(201);
        server.tries_to_log_in(ADA, PASSWORD).await.refused(403, "Email not verified");
        for _ in 0..2 {
            assert_eq!(done(&db, &["user", "verify", ADA])["email"], ADA);
        }
        server.logs_in(ADA, PASSWORD).await;
        assert_eq!(rows(&db, "user.email_verified").await, 1);
    }

    async fn a_new_address_signs_in_and_the_old_one_is_told(db: Db) {
        let server = Server::with_acme(&db).await;
        creates(&db, BOB, "employee");
        refused(&db, &["user", "set-email", ADA, BOB], 65, &["already has an account"]);
        refused(&db, &["user", "set-email", ADA, ADA], 65, &["this address already"]);
        let link = done(&db, &["user", "reset-link", ADA]);
        assert_eq!(done(&db, &["user", "set-email", ADA, "ada@new.example"])["email"], "ada@new.example");
        server.tries_to_log_in(ADA, PASSWORD).await.refused(401, "Invalid credentials");
        server.logs_in("ada@new.example", PASSWORD).await;
        // A link to the old mailbox no longer works.
        let path = link["link"].as_str().unwrap().strip_prefix("http://127.0.0.1:8080").unwrap();
        shows_page(server.client.get(path), 400).await;
        let mailed = async |kind: &str, to: &str| {
            let rows = "select count(*) from outbox where kind";
            db.count(&format!("{rows} = '{kind}' and recipient = '{to}'")).await
        };
        assert_eq!(mailed("verify_email", "ada@new.example").await, 1);
        assert_eq!(mailed("email_changed", ADA).await, 1);
        done(&db, &["user", "set-email", "ada@new.example", "ada@third.example", "--verified"]);
        assert_eq!(mailed("verify_email", "ada@third.example").await, 0);
        let verified = "select count(*) from users where email = 'ada@third.example' and email_verified_at is not null";
        assert_eq!(db.count(verified).await, 1);
        assert_eq!(rows(&db, "user.email_changed").await, 2);
    }

    async fn an_enabled_account_signs_in_again(db: Db) {
        let server = Server::with_acme(&db).await;
        let token = server.logs_in(ADA, PASSWORD).await;
        done(&db, &["user", "disable", ADA, "--even-the-last-admin"]);
        server.soon_answers(&token, 401).await;
        refused(&db, &["user", "reset-link", ADA], 65, &["disabled"]);
        for _ in 0..2 {
            assert_eq!(done(&db, &["user", "enable", ADA])["disabledAt"], json!(null));
        }
        server.logs_in(ADA, PASSWORD).await;
        server.me(&token).await.refused(401, "Token revoked");
        assert_eq!(rows(&db, "user.enabled").await, 1);
    }

    async fn the_operator_lists_and_ends_sessions(db: Db) {
        let server = Server::with_acme(&db).await;
        let (first, second) = (server.logs_in(ADA, PASSWORD).await, server.logs_in(ADA, PASSWORD).await);
        let sessions = done(&db, &["user", "sessions", "list", ADA]);
        assert_eq!(sessions.as_array().unwrap().len(), 2, "{sessions}");
        assert_eq!(sessions[0]["kind"], "jwt");
        let newest = sessions[0]["id"].as_str().unwrap();
        let ended = done(&db, &["user", "sessions", "end", ADA, newest]);
        assert_eq!(ended, json!({"ended": [newest]}));
        server.soon_answers(&second, 401).await;
        server.me(&first).await.expect(200);
        refused(&db, &["user", "sessions", "end", ADA, newest], 65, &["no such session"]);
        refused(&db, &["user", "sessions", "end", ADA], 2, &["--all"]);

        let made = server.makes_api_token(&first).await;
        let ended = done(&db, &["user", "sessions", "end", ADA, "--all"]);
        assert_eq!(ended["ended"].as_array().unwrap().len(), 1);
        server.soon_answers(&first, 401).await;
        server.soon_answers(&made, 401).await;
        assert_eq!(rows(&db, "session.ended").await, 1);
        assert_eq!(rows(&db, "session.logout_all").await, 1);
    }

    async fn an_account_without_an_address_is_named_by_its_id(db: Db) {
        let server = Server::with_acme(&db).await;
        let id = creates(&db, BOB, "employee")["id"].as_str().unwrap().to_owned();
        db.execute(&format!(
            "update users set email = null, email_verified_at = null where email = '{BOB}'"
        ))
        .await;
        for command in [
            &["unlock", &id][..],
            &["disable", &id],
            &["enable", &id],
            &["sessions", "list", &id],
            &["set-role", &id, "manager", "--organization", "acme"],
        ] {
            done(&db, &[&["user"], command].concat());
        }
        done_with(&db, &["user", "set-password", &id], OTHER_PASSWORD);
        refused(&db, &["user", "reset-link", &id], 65, &["no e-mail address"]);
        refused(&db, &["user", "verify", &id], 65, &["no e-mail address"]);
        done(&db, &["user", "set-email", &id, BOB, "--verified"]);
        server.logs_in(BOB, OTHER_PASSWORD).await;
        let nil = "00000000-0000-0000-0000-000000000000";
        refused(&db, &["user", "enable", nil], 65, &[nil]);
    }
}
