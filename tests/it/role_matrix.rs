//! Every route, requested by every kind of caller: who is admitted, and that a refusal changes nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Actor, OTHER_PASSWORD, PASSWORD, TestApp, on_both_databases};

/// The columns of the table below.
const CALLERS: [Kind; 6] = [
    Kind::Anonymous,
    Kind::Employee,
    Kind::Manager,
    Kind::Admin,
    Kind::ForeignAdmin,
    Kind::EmployeesService,
];

/// What each route answers to each of [`CALLERS`]. At `/api/v1` people send the token of a session of their own, and a
/// service its API token, in `?token=`. A person in a path is an employee who reports to the manager; an API token is
/// that person's; a session is the caller's own. A body is the route's example, unless [`body`] says otherwise.
#[rustfmt::skip]
const EXPECTED: &[(&str, &str, [u16; 6])] = &[
    ("post",   "/api/auth/login",              [401, 401, 401, 401, 401, 401]),
    ("post",   "/api/auth/register",           [404, 404, 404, 404, 404, 404]),
    ("get",    "/api/auth/options",            [200, 200, 200, 200, 200, 200]),
    ("post",   "/api/auth/refresh",            [401, 200, 200, 200, 200, 403]),
    ("get",    "/api/auth/me",                 [401, 200, 200, 200, 200, 200]),
    ("patch",  "/api/auth/me",                 [401, 200, 200, 200, 200, 403]),
    ("post",   "/api/auth/change-password",    [401, 200, 200, 200, 200, 403]),
    ("post",   "/api/auth/reauthenticate",     [401, 200, 200, 200, 200, 403]),
    ("get",    "/api/auth/sessions",           [401, 200, 200, 200, 200, 403]),
    ("delete", "/api/auth/sessions/{id}",      [401, 200, 200, 200, 200, 403]),
    ("post",   "/api/auth/logout",             [401, 200, 200, 200, 200, 403]),
    ("post",   "/api/auth/logout-all",         [401, 200, 200, 200, 200, 403]),
    ("get",    "/api/auth/slack/url",          [400, 400, 400, 400, 400, 400]),
    ("get",    "/api/auth/slack/start",        [400, 400, 400, 400, 400, 400]),
    ("get",    "/api/auth/slack/callback",     [501, 501, 501, 501, 501, 501]),
    ("post",   "/api/auth/slack/token",        [501, 501, 501, 501, 501, 501]),
    ("post",   "/api/auth/slack/link",         [401, 501, 501, 501, 501, 403]),
    ("post",   "/api/auth/slack/reauthenticate", [401, 501, 501, 501, 501, 403]),
    ("post",   "/api/auth/verify-email",       [400, 400, 400, 400, 400, 400]),
    ("post",   "/api/auth/resend-verification", [200, 200, 200, 200, 200, 200]),
    ("post",   "/api/auth/forgot-password",    [200, 200, 200, 200, 200, 200]),
    ("post",   "/api/auth/reset-password",     [400, 400, 400, 400, 400, 400]),
    ("post",   "/api/auth/change-email",       [401, 200, 200, 200, 200, 403]),
    ("delete", "/api/auth/account",            [401, 200, 200, 200, 200, 403]),
    ("get",    "/api/auth/account",            [401, 200, 200, 200, 200, 403]),
    ("post",   "/api/auth/set-password",       [401, 409, 409, 409, 409, 403]),
    ("delete", "/api/auth/identities/{id}",    [401, 404, 404, 404, 404, 403]),
    ("get",    "/api/auth/account/export",     [401, 200, 200, 200, 200, 403]),
    ("post",   "/api/auth/end-session",        [400, 400, 400, 400, 400, 400]),
    ("post",   "/api/auth/undo",               [400, 400, 400, 400, 400, 400]),
    ("post",   "/api/auth/introspect",         [401, 401, 401, 401, 401, 401]),
    ("post",   "/api/auth/session/exchange",   [401, 401, 401, 401, 401, 401]),
    ("get",    "/api/auth/verify",             [401, 200, 200, 200, 200, 200]),
    ("get",    "/api/auth/verify-or-sign-in",  [401, 200, 200, 200, 200, 200]),
    ("get",    "/verify-email",                [200, 200, 200, 200, 200, 200]),
    ("post",   "/verify-email",                [400, 400, 400, 400, 400, 400]),
    ("get",    "/change-email",                [400, 400, 400, 400, 400, 400]),
    ("post",   "/change-email",                [400, 400, 400, 400, 400, 400]),
    ("get",    "/reset-password",              [200, 200, 200, 200, 200, 200]),
    ("post",   "/reset-password",              [400, 400, 400, 400, 400, 400]),
    ("get",    "/end-session",                 [400, 400, 400, 400, 400, 400]),
    ("post",   "/end-session",                 [400, 400, 400, 400, 400, 400]),
    ("get",    "/undo",                        [400, 400, 400, 400, 400, 400]),
    ("post",   "/undo",                        [400, 400, 400, 400, 400, 400]),
    ("get",    "/accept-invitation",           [400, 400, 400, 400, 400, 400]),
    ("post",   "/accept-invitation",           [400, 400, 400, 400, 400, 400]),
    ("get",    "/.well-known/change-password", [302, 302, 302, 302, 302, 302]),
    ("get",    "/.well-known/security.txt", [404, 404, 404, 404, 404, 404]),
    ("get",    "/.well-known/jwks.json",    [404, 404, 404, 404, 404, 404]),
    ("get",    "/.well-known/oauth-authorization-server", [404, 404, 404, 404, 404, 404]),
    ("get",    "/api/auth/mfa",                [401, 200, 200, 200, 200, 403]),
    ("post",   "/api/auth/mfa/totp",           [401, 200, 200, 200, 200, 403]),
    ("delete", "/api/auth/mfa/totp",           [401, 409, 409, 409, 409, 403]),
    ("post",   "/api/auth/mfa/totp/confirm",   [401, 409, 409, 409, 409, 403]),
    ("post",   "/api/auth/mfa/recovery-codes", [401, 409, 409, 409, 409, 403]),
    ("post",   "/api/auth/mfa/verify",         [400, 400, 400, 400, 400, 400]),
    ("get",    "/api/organizations",           [401, 200, 200, 200, 200, 403]),
    ("post",   "/api/organizations",           [401, 201, 201, 201, 201, 403]),
    ("get",    "/api/organizations/{id}",      [401, 200, 200, 200, 404, 200]),
    ("patch",  "/api/organizations/{id}",      [401, 403, 403, 200, 404, 403]),
    ("delete", "/api/organizations/{id}",      [401, 403, 403, 400, 404, 403]),
    ("post",   "/api/organizations/{id}/join", [401, 409, 409, 409, 200, 403]),
    ("get",    "/api/organizations/{id}/members",                    [401, 403, 200, 200, 404, 403]),
    ("delete", "/api/organizations/{id}/members/{userId}",           [401, 403, 403, 200, 404, 403]),
    ("get",    "/api/organizations/{id}/invitations",                [401, 403, 200, 200, 404, 403]),
    ("post",   "/api/organizations/{id}/invitations",                [401, 403, 201, 201, 404, 403]),
    ("delete", "/api/organizations/{id}/invitations/{invitationId}", [401, 403, 200, 200, 404, 403]),
    ("post",   "/api/organizations/join",      [401, 409, 409, 409, 200, 403]),
    ("get",    "/api/organizations/{id}/join-links",                 [401, 403, 403, 200, 404, 403]),
    ("post",   "/api/organizations/{id}/join-links",                 [401, 403, 403, 201, 404, 403]),
    ("delete", "/api/organizations/{id}/join-links/{linkId}",        [401, 403, 403, 200, 404, 403]),
    ("post",   "/api/organizations/{id}/join-links/{linkId}/take-over", [401, 403, 403, 200, 404, 403]),
    ("get",    "/join",                        [400, 400, 400, 400, 400, 400]),
    ("post",   "/join",                        [400, 400, 400, 400, 400, 400]),
    ("get",    "/api/invitations",             [401, 200, 200, 200, 200, 403]),
    ("post",   "/api/invitations/{id}/accept", [401, 404, 404, 404, 404, 403]),
    ("post",   "/api/invitations/{id}/decline", [401, 404, 404, 404, 404, 403]),
    ("post",   "/api/invitations/accept",      [401, 400, 400, 400, 400, 403]),
    ("get",    "/api/auth/csrf",               [200, 200, 200, 200, 200, 200]),
    ("get",    "/api/auth/providers",          [200, 200, 200, 200, 200, 200]),
    ("get",    "/api/auth/session",            [200, 200, 200, 200, 200, 200]),
    ("post",   "/api/auth/session",            [200, 200, 200, 200, 200, 200]),
    ("get",    "/api/auth/signin",             [200, 200, 200, 200, 200, 200]),
    ("post",   "/api/auth/callback/credentials", [401, 401, 401, 401, 401, 401]),
    ("post",   "/api/auth/signin/credentials", [401, 401, 401, 401, 401, 401]),
    ("post",   "/api/auth/signin/slack",       [404, 404, 404, 404, 404, 404]),
    ("get",    "/api/auth/signout",            [200, 200, 200, 200, 200, 200]),
    ("post",   "/api/auth/signout",            [302, 302, 302, 302, 302, 302]),
    ("get",    "/api/auth/error",              [302, 302, 302, 302, 302, 302]),
    ("post",   "/api/auth/_log",               [200, 200, 200, 200, 200, 200]),
    ("post",   "/api/v1/login",                [401, 401, 401, 401, 401, 401]),
    ("post",   "/api/v1/unlock",               [401, 200, 200, 200, 200, 401]),
    ("get",    "/api/v1/logout",               [200, 200, 200, 200, 200, 401]),
    ("post",   "/api/v1/logout",               [200, 200, 200, 200, 200, 401]),
    ("post",   "/api/v1/search",               [401, 200, 200, 200, 200, 401]),
    ("get",    "/api/users",                   [401, 200, 200, 200, 200, 200]),
    ("get",    "/api/users/{id}",              [401, 403, 200, 200, 404, 403]),
    ("patch",  "/api/users/{id}",              [401, 403, 403, 200, 404, 403]),
    ("delete", "/api/users/{id}",              [401, 403, 403, 200, 404, 403]),
    ("post",   "/api/users/{id}/unlock",       [401, 403, 403, 200, 404, 403]),
    ("get",    "/api/audit",                   [401, 403, 403, 200, 200, 403]),
    ("get",    "/api/revocations",             [401, 401, 401, 401, 401, 401]),
    ("get",    "/api/tokens",                  [401, 200, 200, 200, 200, 403]),
    ("post",   "/api/tokens",                  [401, 403, 201, 201, 201, 403]),
    ("delete", "/api/tokens/{id}",             [401, 404, 404, 200, 404, 403]),
    ("get",    "/api/webhooks",                [401, 403, 403, 200, 200, 403]),
    ("post",   "/api/webhooks",                [401, 403, 403, 201, 201, 403]),
    ("get",    "/api/webhooks/{id}",           [401, 403, 403, 200, 404, 403]),
    ("patch",  "/api/webhooks/{id}",           [401, 403, 403, 200, 404, 403]),
    ("delete", "/api/webhooks/{id}",           [401, 403, 403, 200, 404, 403]),
    ("get",    "/api/webhooks/{id}/deliveries", [401, 403, 403, 200, 404, 403]),
    ("post",   "/api/webhooks/{id}/rotate-secret", [401, 403, 403, 200, 404, 403]),
    ("post",   "/api/webhooks/{id}/take-over", [401, 403, 403, 200, 404, 403]),
    ("post",   "/api/webhooks/{id}/test",      [401, 403, 403, 202, 404, 403]),
    ("get",    "/livez",                       [200, 200, 200, 200, 200, 200]),
    ("get",    "/readyz",                      [200, 200, 200, 200, 200, 200]),
    ("get",    "/openapi.json",                [200, 200, 200, 200, 200, 200]),
    ("get",    "/docs",                        [200, 200, 200, 200, 200, 200]),
    ("get",    "/",                            [302, 302, 302, 302, 302, 302]),
];

/// Nobody listens there.
const UNREACHABLE: &str = "http://127.0.0.1:9/";

/// A body with which the roles differ more than with the example; `None` for the example.
pub fn body(method: &str, path: &str) -> Option<Value> {
    Some(match (method, path) {
        ("patch", "/api/users/{id}") => json!({"role": "manager"}),
        ("post", "/api/tokens") => json!({"name": "a service", "role": "manager"}),
        ("post", "/api/auth/change-password") => {
            json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD})
        }
        ("post", "/api/auth/change-email") => {
            json!({"email": "new@acme.example", "password": PASSWORD})
        }
        ("post", "/api/auth/reauthenticate") => json!({"password": PASSWORD}),
        ("post", "/api/auth/refresh" | "/api/auth/mfa/totp" | "/api/auth/session/exchange") => {
            json!({})
        }
        ("post", "/api/auth/mfa/totp/confirm" | "/api/auth/mfa/recovery-codes") => {
            json!({"code": "123456"})
        }
        ("delete", "/api/auth/mfa/totp") => json!({"password": PASSWORD, "code": "123456"}),
        ("post", "/api/webhooks") => json!({"url": UNREACHABLE}),
        ("patch", "/api/webhooks/{id}") => json!({"name": "another"}),
        ("patch", "/api/organizations/{id}") => json!({"name": "Acme & Sons"}),
        ("post", "/api/organizations/join") => json!({"slug": "acme"}),
        ("post", "/api/organizations/{id}/invitations") => {
            json!({"email": "invited@acme.example", "role": "employee"})
        }
        _ => return None,
    })
}

on_both_databases! {
    async fn every_route_admits_whom_it_should_and_refusals_change_nothing(app: TestApp) {
        let document: Value = serde_json::from_str(&hallpass::http::openapi_json()).unwrap();
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let mut faults = Vec::new();
        for (method, path, example) in routes(&document) {
            let Some((_, _, expected)) = EXPECTED.iter().find(|row| (row.0, row.1) == (method, path)) else {
                faults.push(format!("{method} {path} is not in the table"));
                continue;
            };
            for (kind, expected) in CALLERS.into_iter().zip(expected) {
                let cell = Cell::of(&app, &ada, kind).await;
                if let Some(caller) = &cell.caller {
                    // Inviting requires it.
                    app.verifies_address(&caller.email).await;
                }
                let body = body(method, path).or_else(|| example.clone());
                let before = everything(&app).await;
                let status = cell.asks(&app, method, path, body.as_ref()).await;
                if status != *expected {
                    faults.push(format!("{method} {path} by {kind:?}: {status}, not {expected}"));
                }
                if status >= 400 && everything(&app).await != before {
                    faults.push(format!("{method} {path} by {kind:?}: {status}, and something changed"));
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    async fn a_head_request_changes_nothing_at_any_route(app: TestApp) {
        let document: Value = serde_json::from_str(&hallpass::http::openapi_json()).unwrap();
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let cell = Cell::of(&app, &ada, Kind::Admin).await;
        let admin = cell.caller.as_ref().unwrap();
        app.forgets_password(&admin.email).await.expect(200);
        let kinds = ["verify_email", "reset_password"];
        let mut queries = vec![format!("token={}", cell.session_token.as_ref().unwrap())];
        for kind in kinds {
            queries.push(format!("token={}", app.mailed_token(&admin.email, kind).await));
        }
        let rows = async || {
            let mut rows = everything(&app).await;
            for table in ["audit", "one_time_tokens", "outbox", "slack_states"] {
                rows.push(Some(app.db.count(&format!("select count(*) from {table}")).await.to_string()));
            }
            rows
        };
        let before = rows().await;
        for (method, path, _) in routes(&document) {
            for query in queries.iter().filter(|_| method == "get") {
                let path = format!("{}?{query}", cell.path(path));
                app.client.call(Method::HEAD, &path).await;
                app.client.call(Method::HEAD, &path).bearer(&admin.token).await;
                assert_eq!(rows().await, before, "{path}");
            }
        }
    }
}

#[test]
fn the_table_lists_no_removed_route() {
    let document: Value = serde_json::from_str(&hallpass::http::openapi_json()).unwrap();
    let there: Vec<_> = routes(&document)
        .iter()
        .map(|(method, path, _)| (*method, *path))
        .collect();
    for (method, path, _) in EXPECTED {
        assert!(there.contains(&(method, path)), "{method} {path}");
    }
}

/// Method, path and example body of every documented route.
pub fn routes(document: &Value) -> Vec<(&str, &str, Option<Value>)> {
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let example = operation
                .pointer("/requestBody/content/application~1json/example")
                .cloned();
            routes.push((method.as_str(), path.as_str(), example));
        }
    }
    assert!(routes.len() > 20, "the document has too few routes");
    routes
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Anonymous,
    Employee,
    Manager,
    Admin,
    ForeignAdmin,
    EmployeesService,
    /// Not in the table: their answers are in `without_organization`.
    WithoutOrganization,
}

/// A new caller, and the people and things that paths refer to.
pub struct Cell {
    pub caller: Option<Actor>,
    /// For `/api/v1`.
    pub session_token: Option<String>,
    person: String,
    organization: String,
    invitation: String,
    join_link: String,
    webhook: String,
    api_token: String,
    session: String,
}

impl Cell {
    pub async fn of(app: &TestApp, ada: &Actor, kind: Kind) -> Self {
        let joins = async || {
            let email = format!("{}@acme.example", uuid::Uuid::now_v7());
            app.joins(ada.organization_id(), &email).await
        };
        let colleague = async |role: &str| {
            let actor = joins().await;
            ada.changes(&actor, json!({"role": role})).await.expect(200);
            actor
        };
        let caller = match kind {
            Kind::Anonymous => None,
            Kind::Employee => Some(joins().await),
            Kind::Manager => Some(colleague("manager").await),
            Kind::Admin => Some(colleague("admin").await),
            Kind::ForeignAdmin => {
                let email = format!("{}@beta.example", uuid::Uuid::now_v7());
                Some(app.signs_up("Beta", &email).await)
            }
            Kind::WithoutOrganization => {
                let person = joins().await;
                person.leaves().await;
                Some(person.signs_in_again().await)
            }
            Kind::EmployeesService => Some(joins().await.as_a_service("employee").await),
        };
        let person = joins().await;
        if let (Kind::Manager, Some(manager)) = (kind, &caller) {
            let place = json!({"managerId": manager.id()});
            ada.changes(&person, place).await.expect(200);
        }
        app.verifies_address(&ada.email).await;
        let token = person.post("/api/tokens").json(&json!({"name": "x"})).await;
        let email = format!("{}@acme.example", uuid::Uuid::now_v7());
        let invitations = format!("/api/organizations/{}/invitations", ada.organization_id());
        let invitation = ada.post(&invitations).json(&json!({"email": email})).await;
        let join_link = join_link(ada).await;
        let webhook = webhook(ada).await;
        let sessions = match (kind, &caller) {
            (Kind::EmployeesService | Kind::Anonymous, _) | (_, None) => person.sessions().await,
            (_, Some(caller)) => caller.sessions().await,
        };
        let session_token = match (kind, &caller) {
            (_, None) => None,
            (Kind::EmployeesService, Some(service)) => Some(service.token.clone()),
            (_, Some(person)) => Some(session_token(app, person).await),
        };
        Self {
            caller,
            session_token,
            organization: ada.organization_id().to_owned(),
            invitation: invitation.expect(201)["id"].as_str().unwrap().to_owned(),
            join_link,
            webhook,
            api_token: token.expect(201)["id"].as_str().unwrap().to_owned(),
            session: sessions[0]["id"].as_str().unwrap().to_owned(),
            person: person.id().to_owned(),
        }
    }

    /// The path of a route, with this cell's people and things in it.
    pub fn path(&self, route: &str) -> String {
        let path = route;
        let id = if path.starts_with("/api/auth/sessions/") {
            &self.session
        } else if path.starts_with("/api/tokens/") {
            &self.api_token
        } else if path.starts_with("/api/webhooks/") {
            &self.webhook
        } else if path.starts_with("/api/invitations/") {
            &self.invitation
        } else if path.starts_with("/api/organizations/") {
            &self.organization
        } else {
            &self.person
        };
        path.replace("{id}", id)
            .replace("{userId}", &self.person)
            .replace("{invitationId}", &self.invitation)
            .replace("{linkId}", &self.join_link)
    }

    async fn asks(&self, app: &TestApp, method: &str, path: &str, body: Option<&Value>) -> u16 {
        let method: Method = method.to_uppercase().parse().unwrap();
        let path = self.path(path);
        let mut call = match (&self.session_token, &self.caller) {
            (Some(token), _) if path.starts_with("/api/v1/") => {
                app.client.call(method, &format!("{path}?token={token}"))
            }
            (_, Some(caller)) => app.client.call(method, &path).bearer(&caller.token),
            _ => app.client.call(method, &path),
        };
        if let Some(body) = body {
            call = call.json(body);
        }
        call.await.status.as_u16()
    }
}

/// A join link of the admin's organization; there are only so many.
async fn join_link(admin: &Actor) -> String {
    let path = admin.organization_path("/join-links");
    let links = admin.get(&path).await.expect(200);
    let link = match links["joinLinks"].get(0) {
        Some(link) => link.clone(),
        None => admin
            .post(&path)
            .json(&json!({"role": "employee"}))
            .await
            .expect(201),
    };
    link["id"].as_str().unwrap().to_owned()
}

/// A webhook of the admin's organization; there are only so many.
async fn webhook(admin: &Actor) -> String {
    let list = admin.get("/api/webhooks").await.expect(200);
    let webhook = match list["webhooks"].get(0) {
        Some(webhook) => webhook.clone(),
        None => {
            let body = json!({"url": UNREACHABLE, "events": ["user.deleted"]});
            admin.post("/api/webhooks").json(&body).await.expect(201)
        }
    };
    webhook["id"].as_str().unwrap().to_owned()
}

pub async fn session_token(app: &TestApp, person: &Actor) -> String {
    let login = json!({"name": person.email, "password": PASSWORD, "returnToken": true});
    let session = app.post("/api/v1/login").json(&login).await.expect(200);
    session["token"].as_str().unwrap().to_owned()
}

/// The content of the database that no refusal may change.
pub async fn everything(app: &TestApp) -> Vec<Option<String>> {
    let mut rows = Vec::new();
    for select in [
        "select name || coalesce(email, '-') || coalesce(password_hash, '-') || ver ||
             coalesce(cast(disabled_at as text), '-') || cast(updated_at as text) as v from users order by id",
        "select m.role || coalesce((select email from users where id = m.manager_id), '-') ||
             cast(m.updated_at as text) as v from memberships m order by m.user_id, m.organization_id",
        "select name || slug || join_policy || cast(updated_at as text) as v from organizations order by id",
        "select name || role || coalesce(cast(revoked_at as text), '-') as v from api_tokens order by id",
        "select email || role || coalesce(cast(revoked_at as text), '-') ||
             coalesce(cast(accepted_at as text), '-') as v from invitations order by id",
        "select coalesce(cast(revoked_at as text), '-') as v from sessions order by id",
        "select role || cast(used as text) as v from join_links order by id",
        "select url || secret || coalesce(name, '-') || coalesce(cast(disabled_at as text), '-') as v
             from webhooks order by id",
        "select slug as v from slug_aliases order by slug",
    ] {
        rows.extend(app.db.values(select).await);
    }
    rows
}
