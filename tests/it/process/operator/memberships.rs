//! Roles, and moving between organizations.

use serde_json::json;

use super::{ADA, BOB, creates, done, refused, rows};
use crate::process::Server;
use crate::support::{Db, PASSWORD, eventually, on_both_databases};

on_both_databases! {
    async fn a_role_set_by_the_operator_counts_within_a_second(db: Db) {
        let server = Server::with_acme(&db).await;
        creates(&db, BOB, "employee");
        let bob = server.logs_in(BOB, PASSWORD).await;
        let demote = ["user", "set-role", ADA, "employee", "--organization", "acme"];
        refused(&db, &demote, 65, &["without an admin"]);
        let promoted = done(&db, &["user", "set-role", BOB, "admin", "--organization", "acme"]);
        assert_eq!((&promoted["email"], &promoted["role"]), (&json!(BOB), &json!("admin")));
        eventually("the server knows the role", async || {
            server.me(&bob).await.expect(200)["role"] == "admin"
        })
        .await;
        done(&db, &demote);
        assert_eq!(rows(&db, "user.role_changed").await, 2);
        let within = "select count(*) from audit where action = 'user.role_changed' and organization_id is null";
        assert_eq!(db.count(within).await, 0);
        done(&db, &["org", "create", "Beta"]);
        refused(&db, &["user", "set-role", BOB, "admin", "--organization", "beta"], 65, &["not a member"]);
        refused(&db, &["user", "set-role", BOB, "admin", "--organization", "none"], 65, &["none"]);
    }

    async fn a_person_who_left_their_last_organization_is_taken_back(db: Db) {
        let server = Server::with_acme(&db).await;
        creates(&db, BOB, "employee");
        let bob = server.logs_in(BOB, PASSWORD).await;
        let organization = server.me(&bob).await.expect(200)["organizationId"].as_str().unwrap().to_owned();
        let path = format!("/api/organizations/{organization}/members/me");
        server.client.delete(&path).bearer(&bob).await.expect(200);
        let bob = server.logs_in(BOB, PASSWORD).await;
        assert_eq!(server.me(&bob).await.expect(200)["organizationId"], json!(null));

        let create = ["user", "create", BOB, "--name", "Bob", "--organization", "acme"];
        refused(&db, &create, 65, &["account already", "hallpass user join"]);
        let joined = done(&db, &["user", "join", BOB, "--organization", "acme", "--role", "manager"]);
        assert_eq!(joined["role"], "manager");
        let bob = server.logs_in(BOB, PASSWORD).await;
        assert_eq!(server.me(&bob).await.expect(200)["role"], "manager");
        refused(&db, &["user", "join", BOB, "--organization", "acme"], 65, &["already a member"]);
        assert_eq!(rows(&db, "membership.joined").await, 1);
    }

    async fn a_moved_member_leaves_the_first_organization(db: Db) {
        let server = Server::with_acme(&db).await;
        creates(&db, BOB, "manager");
        let beta = done(&db, &["org", "create", "Beta"]);
        let bob = server.logs_in(BOB, PASSWORD).await;
        for insert in [
            "workspaces (organization_id, provider, team_id, created_at)
             select id, 'slack', 'T1', created_at from organizations where slug = 'acme'",
            "identities (user_id, provider, team_id, external_id, created_at)
             select id, 'slack', 'T1', 'U1', created_at from users where email = 'bob@acme.example'",
        ] {
            db.execute(&format!("insert into {insert}")).await;
        }
        refused(&db, &["user", "move", ADA, "--from", "acme", "--to", "beta"], 65, &["without an admin"]);
        refused(&db, &["user", "move", BOB, "--from", "beta", "--to", "acme"], 65, &["not a member"]);
        refused(&db, &["user", "move", BOB, "--from", "acme", "--to", "acme"], 65, &["already a member"]);
        let moved = done(&db, &["user", "move", BOB, "--from", "acme", "--to", "beta"]);
        assert_eq!((&moved["organizationId"], &moved["role"]), (&beta["id"], &json!("manager")));
        server.soon_answers(&bob, 401).await;
        let bob = server.logs_in(BOB, PASSWORD).await;
        assert_eq!(server.me(&bob).await.expect(200)["organizationId"], beta["id"]);
        let members = done(&db, &["org", "members", "acme"]);
        assert_eq!(members.as_array().unwrap().len(), 1);
        assert_eq!((&members[0]["email"], &members[0]["role"]), (&json!(ADA), &json!("admin")));
        assert_eq!(rows(&db, "membership.removed").await, 1);
        assert_eq!(rows(&db, "membership.joined").await, 1);
        let kept_out = "select count(*) from removed_identities where external_id = 'U1'";
        assert_eq!(db.count(kept_out).await, 1);
        done(&db, &["user", "join", BOB, "--organization", "acme"]);
        assert_eq!(db.count(kept_out).await, 0);
    }
}
