//! Tables of a PostgreSQL database. Without its server they are skipped with a message; with `CI=true` they fail.
#![allow(
    unreachable_pub,
    dead_code,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and the support of other tests can do more"
)]

#[path = "../../../tests/it/support/cluster.rs"]
mod cluster;

use cluster::Cluster;
use people_files::{Candidate, Input, Line, Mapping, Options, Role, open, presets};
use tokio_postgres::NoTls;

fn run(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
    });
}

/// An empty database.
fn database(name: &str) -> Option<String> {
    let cluster = Cluster::shared()?;
    run(&cluster.url("postgres"), &format!("create database {name}"));
    Some(cluster.url(name))
}

fn options() -> Options {
    Options::at("2026-11-30T12:00:00Z".parse().unwrap())
}

fn people(url: &str, mapping: &Mapping) -> Vec<Candidate> {
    let input = Input::postgres(url, NoTls).unwrap();
    let lines =
        open(&input, mapping, &options(), &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    let people = lines.filter_map(|line| match line.unwrap() {
        Line::Person(person) => Some(*person),
        Line::Refused(_) | Line::Skipped(_) => None,
    });
    people.collect()
}

#[test]
fn tables_in_a_schema_are_joined_and_nothing_is_written() {
    let Some(url) = database("supabase") else {
        return;
    };
    run(
        &url,
        "create schema auth;
         create table auth.users (id uuid primary key, email text, encrypted_password text, email_confirmed_at timestamptz,
             created_at timestamptz, banned_until timestamptz, deleted_at timestamptz, is_anonymous boolean,
             raw_user_meta_data jsonb);
         create table auth.identities (user_id uuid, provider text, provider_id text, identity_data jsonb);
         create table auth.mfa_factors (user_id uuid, factor_type text, status text, secret text);
         insert into auth.users values
             ('00000000-0000-4000-8000-000000000001', 'ada@example.com', '', '2024-01-02 03:04:05.678+00', now(), null, null,
              false, '{\"full_name\":\"Ada Lovelace\",\"role\":\"admin\"}'),
             ('00000000-0000-4000-8000-000000000002', 'gone@example.com', '', null, now(), null, now(), false, null);
         insert into auth.identities values ('00000000-0000-4000-8000-000000000001', 'slack_oidc', 'U1',
             '{\"custom_claims\":{\"https://slack.com/team_id\":\"T1\"}}');",
    );
    let people = people(&url, &presets::find("supabase").unwrap().mapping().unwrap());
    assert_eq!(people.len(), 1);
    assert_eq!(people[0].name.as_deref(), Some("Ada Lovelace"));
    assert!(people[0].verified && people[0].memberships.is_empty());
    assert_eq!(
        (&*people[0].slack[0].team, &*people[0].slack[0].user),
        ("T1", "U1")
    );
}

#[test]
fn names_with_capitals_and_quotes_are_names_of_tables() {
    let Some(url) = database("prisma") else {
        return;
    };
    run(
        &url,
        "create table \"User\" (id serial primary key, email text, \"createdAt\" timestamp, role text, \"o'\"\"x\" text);
         insert into \"User\" (email, \"createdAt\", role)
             select 'p' || n || '@example.com', timestamp '2024-01-01' + n * interval '1 minute', 'boss'
             from generate_series(1, 1700) n;",
    );
    let mapping = "source = \"acme\"\ntable = \"User\"\n[person]\nexternal_id = \"id\"\nemail = \"email\"\ncreated = \"createdAt\"\n\
                   [membership]\norganization = { value = \"acme\" }\nrole = { from = \"role\", map = { boss = \"admin\" } }\n";
    let read = people(&url, &Mapping::parse(mapping).unwrap());
    assert_eq!(read.len(), 1700);
    assert_eq!(read[1699].email.as_deref(), Some("p1700@example.com"));
    assert_eq!(
        read[0].created.unwrap().to_rfc3339(),
        "2024-01-01T00:01:00+00:00"
    );
    assert_eq!(read[0].memberships[0].role, Role::Admin);
    let open_with = |mapping: &str| {
        let input = Input::postgres(&url, NoTls).unwrap();
        let mapping = Mapping::parse(mapping).unwrap();
        open(&input, &mapping, &options(), &mut |_| {})
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    let missing = open_with(&mapping.replace("\"User\"", "[\"users\", \"o'x\"]"));
    assert!(
        missing.contains("there is no table users or o'x. There are: User."),
        "{missing}"
    );
    let column = open_with(&mapping.replace("\"createdAt\"", "\"created_at\""));
    assert!(
        column.contains("has no column \"created_at\"")
            && column.contains("Did you mean \"createdAt\"?"),
        "{column}"
    );
}

#[test]
fn a_url_of_prisma_is_understood() {
    let Some(url) = database("parameters") else {
        return;
    };
    run(
        &url,
        "create schema app; create table app.users (email text); insert into app.users values ('ada@example.com');",
    );
    let separator = if url.contains('?') { '&' } else { '?' };
    let url =
        format!("{url}{separator}schema=app&connection_limit=5&pgbouncer=true&sslmode=prefer");
    let mapping =
        Mapping::parse("source = \"a\"\ntable = \"users\"\n[person]\nemail = \"email\"").unwrap();
    assert_eq!(people(&url, &mapping).len(), 1);
}

#[test]
fn a_server_that_does_not_let_us_in_is_named_without_the_password() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let url = cluster.url("nothing_of_that_name").replace('@', ":s3cret@");
    let error = Input::postgres(&url, NoTls)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("nothing_of_that_name") && !error.contains("s3cret"),
        "{error}"
    );
}
