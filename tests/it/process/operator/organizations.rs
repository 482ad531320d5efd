//! Invitations and rules of organizations.

use serde_json::{Value, json};

use super::{ADA, BOB, done, refused, rows, shows_page};
use crate::process::{Server, hallpass_on, stderr};
use crate::support::{Db, PASSWORD, eventually, member_body, on_both_databases};

on_both_databases! {
    async fn without_a_mail_server_an_invitation_prints_a_link_that_works(db: Db) {
        let server = Server::with_acme(&db).await;
        done(&db, &["org", "set-policy", "acme", "--join", "invite"]);
        let invite = ["org", "invite", "acme", BOB, "--role", "admin"];
        let path = |invitation: &Value| {
            let link = invitation["link"].as_str().unwrap();
            link.strip_prefix("http://127.0.0.1:8080").unwrap().to_owned()
        };
        let replaced = path(&done(&db, &invite));
        let newest = path(&done(&db, &invite));
        shows_page(server.client.get(&replaced), 400).await;
        shows_page(server.client.get(&newest), 200).await;
        let token = newest.strip_prefix("/accept-invitation?token=").unwrap();
        let form = [("token", token), ("name", "Bob Baker"), ("password", PASSWORD)];
        shows_page(server.client.post("/accept-invitation").form(&form), 200).await;
        let bob = server.logs_in(BOB, PASSWORD).await;
        assert_eq!(server.me(&bob).await.expect(200)["role"], "admin");

        assert_eq!(rows(&db, "invitation.sent").await, 2);
        assert_eq!(db.count("select count(*) from outbox where kind = 'invitation'").await, 0);
        refused(&db, &invite, 65, &["already a member"]);
        done(&db, &["org", "set-policy", "acme", "--join", "closed"]);
        refused(&db, &["org", "invite", "acme", "eve@acme.example"], 65, &["no new members"]);
    }

    async fn with_a_mail_server_an_invitation_is_sent(db: Db) {
        let _server = Server::with_acme(&db).await;
        let invite = |email: &str| {
            let mut command = hallpass_on(&db, &["org", "invite", "acme", email, "--json"]);
            command.env("SMTP_URL", "smtp://localhost:9").env("MAIL_FROM", "id@acme.example");
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", stderr(&output));
            serde_json::from_slice::<Value>(&output.stdout).unwrap()
        };
        assert_eq!(invite(BOB)["link"], json!(null));
        let sent = "select count(*) from outbox where kind = 'invitation'";
        assert_eq!(db.count(sent).await, 1);
    }

    async fn rules_set_by_the_operator_apply_within_a_second(db: Db) {
        let server = Server::with_acme(&db).await;
        let ada = server.logs_in(ADA, PASSWORD).await;
        let organization = server.me(&ada).await.expect(200)["organizationId"].as_str().unwrap().to_owned();
        let set = ["org", "set-policy", "acme", "--join", "domain", "--domains", "acme.example, beta.example"];
        let changed = done(&db, &set);
        assert_eq!(changed["joinPolicy"], "domain");
        assert_eq!(changed["allowedDomains"], json!(["acme.example", "beta.example"]));
        assert_eq!(changed["requireMfa"], json!(false));
        refused(&db, &["org", "set-policy", "acme"], 2, &["--join"]);
        refused(&db, &["org", "set-policy", "acme", "--domains", "com"], 65, &["domains"]);

        done(&db, &["org", "set-policy", "acme", "--join", "invite", "--require-mfa", "on"]);
        let join = server.post("/api/auth/register", &member_body(&organization, BOB)).await;
        assert_eq!(join.status, 403, "{}", join.text());
        eventually("a second factor is required", async || server.me(&ada).await.status == 403).await;
        done(&db, &["org", "set-policy", "acme", "--require-mfa", "off"]);
        server.soon_answers(&ada, 200).await;
        assert_eq!(rows(&db, "organization.updated").await, 3);
    }

    async fn lifetimes_set_by_the_operator_count_for_the_next_refresh(db: Db) {
        let server = Server::with_acme(&db).await;
        let ada = server.logs_in(ADA, PASSWORD).await;
        let set = ["org", "set-policy", "acme", "--token-lifetime", "1h", "--session-idle", "30m"];
        let changed = done(&db, &set);
        assert_eq!(changed["tokenLifetime"], 3600);
        assert_eq!(changed["sessionIdle"], 1800);
        assert_eq!(changed["sessionLifetime"], json!(null));
        eventually("tokens live for half an hour", async || {
            let refresh = server.post("/api/auth/refresh", &json!({})).bearer(&ada).await;
            refresh.expect(200)["expiresIn"].as_i64().unwrap() <= 1800
        })
        .await;
        let removed = done(&db, &["org", "set-policy", "acme", "--session-idle", "none"]);
        assert_eq!(removed["sessionIdle"], json!(null));
        assert_eq!(removed["tokenLifetime"], 3600);
        refused(&db, &["org", "set-policy", "acme", "--token-lifetime", "8d"], 2, &["from 5m to 7d"]);
        refused(&db, &["org", "set-policy", "acme", "--session-lifetime", "91d"], 65, &["sessionLifetime", "90d"]);
    }

    async fn an_organization_is_deleted_by_its_name_as_it_may_be_typed(db: Db) {
        let server = Server::with_acme(&db).await;
        let ada = server.logs_in(ADA, PASSWORD).await;
        let delete = |name: &str| ["org", "delete", "acme", "--name", name].map(str::to_owned);
        let refuses = |name: &str, words: &str| {
            let arguments = delete(name);
            refused(&db, &arguments.each_ref().map(String::as_str), 65, &[words]);
        };
        refuses("Acme Works", "name");
        refuses("", "name");
        let spaced = delete(" Acme\u{a0}\u{200b} ");
        assert_eq!(done(&db, &spaced.each_ref().map(String::as_str))["slug"], "acme");
        assert_eq!(db.count("select count(*) from organizations").await, 0);
        server.soon_answers(&ada, 401).await;
        assert_eq!(server.me(&server.logs_in(ADA, PASSWORD).await).await.expect(200)["organizationId"], json!(null));
    }

    async fn a_former_slug_names_the_organization_to_every_command(db: Db) {
        let server = Server::with_acme(&db).await;
        let ada = server.logs_in(ADA, PASSWORD).await;
        let organization = server.me(&ada).await.expect(200)["organizationId"].as_str().unwrap().to_owned();
        let path = format!("/api/organizations/{organization}");
        let change = server.client.patch(&path).bearer(&ada).json(&json!({"slug": "works"}));
        change.await.expect(200);
        for name in ["acme", "works", organization.as_str()] {
            let changed = done(&db, &["org", "set-policy", name, "--join", "invite"]);
            assert_eq!(changed["slug"], "works");
        }
        refused(&db, &["org", "members", "nowhere"], 65, &["no organization has the slug or id"]);
    }
}
