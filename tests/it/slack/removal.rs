//! Who was removed from the organization of a workspace does not come back from there.

use serde_json::{Value, json};

use crate::support::{Actor, OTHER_PASSWORD, SlackApp, on_both_databases};

on_both_databases! {
    async fn a_removed_person_stays_out_after_a_reset(app: SlackApp) {
        let (admin, member) = people(&app).await;
        admin.delete(&membership(&admin, &member)).await.expect(200);
        // Slack is the only way into the account.
        assert_eq!(app.signs_in("member").await["organizationId"], json!(null));
        resets(&app, &member).await;
        stays_out(&app).await;
    }

    async fn a_person_removed_after_a_reset_stays_out(app: SlackApp) {
        let (admin, member) = people(&app).await;
        resets(&app, &member).await;
        app.arrives("member").await.failed_with("account_exists");
        admin.delete(&path(&member)).await.expect(200);
        stays_out(&app).await;
        // Nothing is left by which the admin could reach the account.
        admin.get(&path(&member)).await.refused(404, "User not found");
        app.logs_in(member["email"].as_str().unwrap(), OTHER_PASSWORD).await;
    }

    async fn a_person_who_joined_again_and_was_removed_stays_out(app: SlackApp) {
        let (admin, member) = people(&app).await;
        resets(&app, &member).await;
        let again = app.logs_in(member["email"].as_str().unwrap(), OTHER_PASSWORD).await;
        again.post(&admin.organization_path("/join")).await.expect(200);
        admin.delete(&admin.organization_path(&format!("/members/{}", again.id()))).await.expect(200);
        stays_out(&app).await;
        let again = app.logs_in(member["email"].as_str().unwrap(), OTHER_PASSWORD).await;
        app.links(&again.token, "member").await.failed_with("not_allowed");
    }

    async fn a_removed_person_stays_out_when_the_account_is_gone(app: SlackApp) {
        let (admin, member) = people(&app).await;
        admin.delete(&path(&member)).await.expect(200);
        app.arrives("member").await.failed_with("not_allowed");
        stays_out(&app).await;
        let other = app.signs_up("Other", "other@example.com").await;
        app.links(&other.token, "member").await.failed_with("not_allowed");
        assert_eq!(app.signs_in("no-email").await["organizationId"], admin.organization_id());
    }

    async fn a_disabled_person_gets_no_second_account(app: SlackApp) {
        let (admin, member) = people(&app).await;
        resets(&app, &member).await;
        let again = app.logs_in(member["email"].as_str().unwrap(), OTHER_PASSWORD).await;
        app.links(&again.token, "member").await.token();
        admin.changes(&again, json!({"disabled": true})).await.expect(200);
        app.db.execute("delete from identities where external_id = 'U0EDSGER'").await;
        stays_out(&app).await;
        admin.changes(&again, json!({"disabled": false})).await.expect(200);
        app.arrives("member").await.failed_with("account_exists");
    }

    async fn an_accepted_invitation_lets_a_removed_person_in_again(app: SlackApp) {
        let (admin, member) = people(&app).await;
        let email = member["email"].as_str().unwrap();
        admin.delete(&membership(&admin, &member)).await.expect(200);
        resets(&app, &member).await;
        let owner = app.logs_in(email, OTHER_PASSWORD).await;
        admin.invites(email, "employee").await.expect(201);
        app.arrives("member").await.failed_with("not_allowed");
        owner.accepts(&app.mailed_token(email, "invitation").await).await.expect(200);
        app.arrives("member").await.failed_with("account_exists");
        app.links(&owner.token, "member").await.token();
        let again = app.signs_in("member").await;
        assert_eq!(again["id"], member["id"]);
        assert_eq!(app.db.count("select count(*) from removed_identities").await, 0);
    }

    async fn a_removed_person_stays_out_when_the_organization_is_gone(app: SlackApp) {
        let (admin, member) = people(&app).await;
        admin.delete(&path(&member)).await.expect(200);
        let name = admin.get(&admin.organization_path("")).await.expect(200)["name"].clone();
        admin.delete(&admin.organization_path("")).json(&json!({"name": name})).await.expect(200);
        app.arrives("member").await.failed_with("not_allowed");
        // The workspace gets another organization from somebody who links it, or is new.
        let returned = app.arrives("owner").await;
        let owner = Actor { token: returned.token().to_owned(), ..admin };
        assert_eq!(owner.me().await.expect(200)["organizationId"], json!(null));
        let linked = app.links(&owner.token, "owner").await;
        assert_eq!(app.me(linked.token()).await["role"], "admin");
        app.arrives("member").await.failed_with("not_allowed");
    }

    async fn a_password_without_an_address_is_no_other_way_in(app: SlackApp) {
        let (admin, _) = people(&app).await;
        let token = app.arrives("no-email").await.token().to_owned();
        let person = app.me(&token).await;
        let password = json!({"newPassword": OTHER_PASSWORD});
        app.client.post("/api/auth/set-password").bearer(&token).json(&password).await.expect(200);
        admin.delete(&membership(&admin, &person)).await.expect(200);
        assert_eq!(app.signs_in("no-email").await["organizationId"], json!(null));
    }

    async fn who_leaves_by_themselves_is_not_remembered_as_removed(app: SlackApp) {
        let (admin, member) = people(&app).await;
        let token = app.arrives("member").await.token().to_owned();
        app.client.delete(&membership(&admin, &member)).bearer(&token).await.expect(200);
        assert_eq!(app.db.count("select count(*) from removed_identities").await, 0);
    }
}

fn membership(admin: &Actor, member: &Value) -> String {
    admin.organization_path(&format!("/members/{}", member["id"].as_str().unwrap()))
}

/// The admin of a workspace's organization, and a member, both from Slack.
async fn people(app: &SlackApp) -> (Actor, Value) {
    let admin = app.person("owner").await;
    (admin, app.signs_in("member").await)
}

fn path(member: &Value) -> String {
    format!("/api/users/{}", member["id"].as_str().unwrap())
}

async fn resets(app: &SlackApp, member: &Value) {
    let email = member["email"].as_str().unwrap();
    app.forgets_password(email).await.expect(200);
    let token = app.mailed_token(email, "reset_password").await;
    app.resets_password(&token, OTHER_PASSWORD)
        .await
        .expect(200);
}

/// With the address, without it, with another one.
async fn stays_out(app: &SlackApp) {
    let members = "select count(*) from memberships";
    let before = app.db.count(members).await;
    for email in [Some("edsger@example.com"), None, Some("new@example.com")] {
        app.slack()
            .change_persona("member", |persona| persona.email = email);
        app.arrives("member").await.failed_with("not_allowed");
    }
    assert_eq!(app.db.count(members).await, before);
    app.slack().change_persona("member", |persona| {
        persona.email = Some("edsger@example.com");
    });
}
