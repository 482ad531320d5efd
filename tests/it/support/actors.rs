//! People who use the product.

use hallpass::service::operations::operator::{self, Disabled};
use serde_json::{Value, json};

use super::client::{Answer, Call, Client};
use super::test_app::{TestApp, found, operator_context};

/// A password that meets every rule.
pub const PASSWORD: &str = "Correct-Horse-7-Battery";
/// Another one.
pub const OTHER_PASSWORD: &str = "Staple-Orange-9-Umbrella";

/// A person who is signed in.
#[derive(Clone)]
pub struct Actor {
    pub client: Client,
    pub email: String,
    pub password: String,
    pub token: String,
    /// The `user` of the API.
    pub user: Value,
}

/// An organization as answered by its registration.
pub struct Organization {
    pub id: String,
    pub slug: String,
}

impl TestApp {
    /// Registers an organization and signs its admin in.
    pub async fn signs_up(&self, organization: &str, email: &str) -> Actor {
        self.registers(organization, email).await;
        self.logs_in(email, PASSWORD).await
    }

    /// As [`signs_up`](Self::signs_up), with a verified address, which inviting requires.
    pub async fn signs_up_verified(&self, organization: &str, email: &str) -> Actor {
        let actor = self.signs_up(organization, email).await;
        self.verifies_address(email).await;
        actor
    }

    /// Opens the newest verification e-mail, unless the address is verified already.
    pub async fn verifies_address(&self, email: &str) {
        if !self.is_verified(email).await {
            let token = self.mailed_token(email, "verify_email").await;
            self.verifies(&token).await.expect(200);
        }
    }

    /// Registers an organization without signing in.
    pub async fn registers(&self, organization: &str, email: &str) -> Organization {
        let founded = self
            .post("/api/auth/register")
            .json(&organization_body(organization, email))
            .await
            .expect(201);
        let text = |field: &str| founded["organization"][field].as_str().unwrap().to_owned();
        Organization {
            id: text("id"),
            slug: text("slug"),
        }
    }

    /// Registers in an organization, which signs in.
    pub async fn joins(&self, organization_id: &str, email: &str) -> Actor {
        let answer = self
            .post("/api/auth/register")
            .json(&member_body(organization_id, email))
            .await;
        Actor::signed_in(&self.client, email, PASSWORD, &answer.expect(201))
    }

    /// Registers with an invitation from one of the members, which signs in. The inviter's address is verified before,
    /// as inviting requires.
    pub async fn joins_invited(&self, inviter: &Actor, email: &str, role: &str) -> Actor {
        self.verifies_address(&inviter.email).await;
        inviter.invites(email, role).await.expect(201);
        let token = self.mailed_token(email, "invitation").await;
        let answer = self.registers_invited(email, &token).await;
        Actor::signed_in(&self.client, email, PASSWORD, &answer.expect(201))
    }

    /// Registers with the token of an invitation.
    pub async fn registers_invited(&self, email: &str, token: &str) -> Answer {
        self.post("/api/auth/register")
            .json(&json!({
                "email": email,
                "password": PASSWORD,
                "name": "Grace Hopper",
                "invitationToken": token,
            }))
            .await
    }

    pub async fn logs_in(&self, email: &str, password: &str) -> Actor {
        let answer = self.tries_to_log_in(email, password).await;
        Actor::signed_in(&self.client, email, password, &answer.expect(200))
    }

    /// Requests a password reset e-mail.
    pub async fn forgets_password(&self, email: &str) -> Answer {
        self.post("/api/auth/forgot-password")
            .json(&json!({"email": email}))
            .await
    }

    pub async fn resets_password(&self, token: &str, password: &str) -> Answer {
        self.post("/api/auth/reset-password")
            .json(&json!({"token": token, "password": password}))
            .await
    }

    /// Requests another verification e-mail.
    pub async fn resends_verification(&self, email: &str) -> Answer {
        self.post("/api/auth/resend-verification")
            .json(&json!({"email": email}))
            .await
    }

    /// Sends a token from an e-mail to `verify-email`.
    pub async fn verifies(&self, token: &str) -> Answer {
        self.post("/api/auth/verify-email")
            .json(&json!({"token": token}))
            .await
    }

    pub async fn is_verified(&self, email: &str) -> bool {
        let select = format!(
            "select count(*) from users where email = '{email}' and email_verified_at is not null"
        );
        self.db.count(&select).await == 1
    }

    /// As an operator would with `--even-the-last-admin`.
    pub async fn disables(&self, email: &str) {
        let operator_app = self.operator_app().await;
        let id = found(&operator_app, email).await.unwrap().id;
        let disabled =
            operator::disable_user(operator_app.services(), &operator_context(), id, true).await;
        assert!(matches!(disabled, Ok(Disabled::Done(user)) if user.disabled_at.is_some()));
    }

    pub async fn tries_to_log_in(&self, email: &str, password: &str) -> Answer {
        self.post("/api/auth/login")
            .json(&json!({"email": email, "password": password}))
            .await
    }
}

impl Actor {
    fn signed_in(client: &Client, email: &str, password: &str, answer: &Value) -> Self {
        let mut actor = Self {
            client: client.clone(),
            email: email.to_owned(),
            password: password.to_owned(),
            token: String::new(),
            user: Value::Null,
        };
        actor.takes_token(answer);
        actor
    }

    /// Uses the token of a login answer from now on.
    pub fn takes_token(&mut self, login_answer: &Value) {
        self.token = login_answer["accessToken"].as_str().unwrap().to_owned();
        self.user = login_answer["user"].clone();
    }

    /// The same person with another session.
    pub async fn signs_in_again(&self) -> Self {
        let answer = self
            .client
            .post("/api/auth/login")
            .json(&json!({"email": self.email, "password": self.password}))
            .await;
        Self::signed_in(
            &self.client,
            &self.email,
            &self.password,
            &answer.expect(200),
        )
    }

    /// The same session, used at another instance.
    pub fn at(&self, instance: &TestApp) -> Self {
        Self {
            client: instance.client.clone(),
            ..self.clone()
        }
    }

    pub fn id(&self) -> &str {
        self.user["id"].as_str().unwrap()
    }

    pub fn organization_id(&self) -> &str {
        self.user["organizationId"].as_str().unwrap()
    }

    pub fn get(&self, path: &str) -> Call {
        self.client.get(path).bearer(&self.token)
    }

    pub fn post(&self, path: &str) -> Call {
        self.client.post(path).bearer(&self.token)
    }

    pub fn patch(&self, path: &str) -> Call {
        self.client.patch(path).bearer(&self.token)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.client.delete(path).bearer(&self.token)
    }

    /// A path below the organization the actor acts for.
    pub fn organization_path(&self, rest: &str) -> String {
        format!("/api/organizations/{}{rest}", self.organization_id())
    }

    pub async fn invites(&self, email: &str, role: &str) -> Answer {
        self.post(&self.organization_path("/invitations"))
            .json(&json!({"email": email, "role": role}))
            .await
    }

    pub async fn accepts(&self, token: &str) -> Answer {
        self.post("/api/invitations/accept")
            .json(&json!({"token": token}))
            .await
    }

    /// Leaves the organization, which ends the session.
    pub async fn leaves(&self) {
        let membership = self.organization_path(&format!("/members/{}", self.id()));
        self.delete(&membership).await.expect(200);
    }

    /// Changes the organization's rules, as an admin may.
    pub async fn sets_rules(&self, rules: &Value) {
        let path = self.organization_path("");
        self.patch(&path).json(rules).await.expect(200);
    }

    pub async fn me(&self) -> Answer {
        self.get("/api/auth/me").await
    }

    /// With the password or a code.
    pub async fn reauthenticates(&self, proof: &Value) -> Answer {
        self.post("/api/auth/reauthenticate").json(proof).await
    }

    pub async fn refreshes(&self) -> Answer {
        self.post("/api/auth/refresh").await
    }

    pub async fn logs_out(&self) -> Answer {
        self.post("/api/auth/logout").await
    }

    /// Makes the actor a member of another organization, as of its creation. Writes SQL, because no
    /// endpoint does this; the server's cached state of the actor does not change.
    pub async fn also_belongs_to(&self, app: &TestApp, organization_id: &str, role: &str) {
        let (user, organization) = (app.db.id(self.id()), app.db.id(organization_id));
        app.db
            .execute(&format!(
                "create temporary table copy as select * from memberships where user_id = {user};
                 update copy set organization_id = {organization}, role = '{role}',
                     created_at = (select created_at from organizations where id = {organization});
                 insert into memberships select * from copy;
                 drop table copy;"
            ))
            .await;
    }

    /// Changes a person of the organization, e.g. `{"role": "manager"}`.
    pub async fn changes(&self, whom: &Self, how: Value) -> Answer {
        let path = format!("/api/users/{}", whom.id());
        self.patch(&path).json(&how).await
    }

    /// The addresses of all the people the caller may see.
    pub async fn sees(&self) -> Vec<String> {
        let list = self.get("/api/users?limit=100").await.expect(200);
        assert_eq!(list["nextCursor"], Value::Null);
        let users = list["users"].as_array().unwrap();
        users
            .iter()
            .map(|user| user["email"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Creates an API token and uses it from now on.
    pub async fn as_a_service(&self, role: &str) -> Self {
        let created = self
            .post("/api/tokens")
            .json(&json!({"name": "a service", "role": role}))
            .await
            .expect(201);
        Self {
            token: created["token"].as_str().unwrap().to_owned(),
            ..self.clone()
        }
    }

    /// The entries of the caller's session list.
    pub async fn sessions(&self) -> Vec<Value> {
        let list = self.get("/api/auth/sessions").await.expect(200);
        list["sessions"].as_array().unwrap().clone()
    }

    /// Requests a change of address.
    pub async fn changes_email(&self, email: &str, password: &str) -> Answer {
        self.post("/api/auth/change-email")
            .json(&json!({"email": email, "password": password}))
            .await
    }

    pub async fn changes_password(&self, current: &str, new: &str) -> Answer {
        self.post("/api/auth/change-password")
            .json(&json!({"currentPassword": current, "newPassword": new}))
            .await
    }
}

/// The body that registers an organization.
pub fn organization_body(organization: &str, email: &str) -> Value {
    json!({
        "organizationName": organization,
        "firstName": "Ada",
        "lastName": "Byron",
        "email": email,
        "password": PASSWORD,
    })
}

/// The body that registers a person in an organization.
pub fn member_body(organization_id: &str, email: &str) -> Value {
    json!({
        "email": email,
        "password": PASSWORD,
        "name": "Bob Byte",
        "organizationId": organization_id,
    })
}
