//! A database with many people in an organization, for the benchmarks that need one.

use std::net::SocketAddr;

use super::{PASSWORD, Request, Result, once};
use serde_json::{Value, json};

/// A database that a benchmark fills.
pub enum Database {
    /// The path of its file.
    Sqlite(String),
    /// Its URL.
    Postgres(String),
}

impl Database {
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{path}"),
            Self::Postgres(url) => url.clone(),
        }
    }

    pub async fn execute(&self, sql: &str) -> Result<()> {
        super::execute(&self.url(), sql).await
    }

    pub fn id(&self, uuid: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{}'", uuid.replace('-', "")),
            Self::Postgres(_) => format!("'{uuid}'::uuid"),
        }
    }

    /// An SQL expression for the id of the `i`-th row of an organization.
    fn numbered(&self, group: u32) -> String {
        match self {
            Self::Sqlite(_) => format!("unhex(printf('019b{group:08x}700080000000%08x', i))"),
            Self::Postgres(_) => format!(
                "('019b{:04x}-{:04x}-7000-8000-0000' || lpad(to_hex(i), 8, '0'))::uuid",
                group >> 16,
                group & 0xffff
            ),
        }
    }

    fn numbers(&self, count: u32) -> String {
        match self {
            Self::Sqlite(_) => format!(
                "(with recursive n(i) as (select 1 union all select i + 1 from n where i < {count}) select i from n)"
            ),
            Self::Postgres(_) => format!("generate_series(1, {count}) as i"),
        }
    }

    fn now(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "1767225600000000",
            Self::Postgres(_) => "now()",
        }
    }
}

/// Registers an organization with an admin and a future manager; returns the ids.
pub async fn register_organization(
    address: SocketAddr,
    group: u32,
    count: u32,
) -> Result<(String, u32, u32, String)> {
    let found = json!({
        "organizationName": format!("Organization {group}"), "firstName": "Ada", "lastName": "Lovelace",
        "email": format!("admin{group}@example.com"), "password": PASSWORD,
    });
    let (_, body) = once(address, &Request::post_json("/api/auth/register", &found)).await?;
    let founded: Value = serde_json::from_slice(&body)?;
    let organization_id = text(&founded["organization"]["id"])?;
    let join = json!({
        "organizationId": organization_id, "name": "Grace Hopper",
        "email": format!("manager{group}@example.com"), "password": PASSWORD,
    });
    let (_, body) = once(address, &Request::post_json("/api/auth/register", &join)).await?;
    let joined: Value = serde_json::from_slice(&body)?;
    Ok((organization_id, group, count, text(&joined["user"]["id"])?))
}

pub async fn sign_in_as(address: SocketAddr, email: &str) -> Result<String> {
    let body = json!({ "email": email, "password": PASSWORD });
    let (_, body) = once(address, &Request::post_json("/api/auth/login", &body)).await?;
    let answer: Value = serde_json::from_slice(&body)?;
    text(&answer["accessToken"])
}

pub fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().ok_or("no text")?.to_owned())
}

/// Ten people per manager, all below one manager, and as many audit rows.
pub async fn fill(
    database: &Database,
    organization_id: &str,
    group: u32,
    count: u32,
    manager_id: &str,
) -> Result<()> {
    let organization = database.id(organization_id);
    let top = database.id(manager_id);
    let id = database.numbered(group);
    let above = id.replace(", i)", ", i / 10)").replace("(i)", "(i / 10)");
    let numbers = database.numbers(count);
    let now = database.now();
    database
        .execute(&format!(
            "begin;
             update memberships set role = 'manager' where user_id = {top};
             insert into users (id, email, name, ver, created_at, updated_at)
             select {id}, 'person' || i || '@group{group}.example', 'Person ' || i, 0, {now}, {now}
             from {numbers} order by i;
             insert into memberships (user_id, organization_id, role, manager_id, created_at, updated_at)
             select {id}, {organization}, 'employee', case when i < 10 then {top} else {above} end, {now}, {now}
             from {numbers} order by i;
             insert into audit (id, at, action, outcome, actor_id, subject_id, organization_id, address, request_id)
             select {id}, {now}, 'session.login', case when i % 4 = 0 then 'refused' else 'ok' end,
                 {id}, {id}, {organization}, '198.51.100.7', 'request-' || i
             from {numbers} order by i;
             commit;"
        ))
        .await
}
