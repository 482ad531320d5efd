//! Searches of people find what a plain comparison finds, by index or not.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Actor, Db, TestApp, on_both_databases};

/// More than a search looks at before it asks the index.
const PEOPLE: usize = 1_300;

const NAMES: &[&str] = &[
    "Ada Lovelace",
    "ADA",
    "Ärger Öl",
    "100%_sure",
    "back\\slash",
    "O'Neil \"Q\"",
    "李小龍",
    "e\u{301}te",
    "x",
    "  a  b",
];

/// The `i`-th name. Each occurs often, some with an end of their own.
fn name(i: usize) -> String {
    let first = NAMES[i % NAMES.len()];
    match i % 7 {
        0 => first.to_owned(),
        1 => format!("{first} {}", NAMES[i / 7 % NAMES.len()]),
        _ => format!("{first} {i}"),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// People who all report to `manager`.
async fn join(db: &Db, manager: &Actor, numbers: std::ops::Range<usize>) {
    let now = match db {
        Db::Sqlite { .. } => "1767225600000000",
        Db::Postgres { .. } => "now()",
    };
    let id = |i: usize| db.id(&format!("019b0000-0000-7000-8000-{i:012x}"));
    let users: Vec<String> = numbers
        .clone()
        .map(|i| {
            let email = if i % 11 == 0 {
                "null".to_owned()
            } else {
                format!("'user{i}@acme.example'")
            };
            format!("({}, {email}, {}, {now}, {now})", id(i), quoted(&name(i)))
        })
        .collect();
    let (organization, manager) = (db.id(manager.organization_id()), db.id(manager.id()));
    let members: Vec<String> = numbers
        .map(|i| {
            format!(
                "({}, {organization}, 'employee', {manager}, {now}, {now})",
                id(i)
            )
        })
        .collect();
    db.execute(&format!(
        "insert into users (id, email, name, created_at, updated_at) values {};
         insert into memberships (user_id, organization_id, role, manager_id, created_at, updated_at) values {};",
        users.join(", "),
        members.join(", ")
    ))
    .await;
}

/// All ids that a search lists, page after page.
async fn found(caller: &Actor, text: &str) -> Vec<String> {
    let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = caller
            .get(&format!("/api/users?limit=100&q={text}{cursor}"))
            .await
            .expect(200);
        let users = page["users"].as_array().unwrap();
        found.extend(
            users
                .iter()
                .map(|user| user["id"].as_str().unwrap().replace('-', "")),
        );
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// What contains a text, compared row by row.
async fn compared(db: &Db, organization_id: &str, text: &str) -> Vec<String> {
    let pattern = text
        .replace('\\', r"\\")
        .replace('%', r"\%")
        .replace('_', r"\_");
    let pattern = quoted(&format!("%{pattern}%"));
    let id = match db {
        Db::Sqlite { .. } => "lower(hex(u.id))",
        Db::Postgres { .. } => "replace(u.id::text, '-', '')",
    };
    let ids = db
        .values(&format!(
            r"select {id} as v from users u join memberships m on m.user_id = u.id
              where m.organization_id = {}
                  and (lower(u.name) like lower({pattern}) escape '\' or u.email like lower({pattern}) escape '\')
              order by u.id",
            db.id(organization_id)
        ))
        .await;
    ids.into_iter().map(Option::unwrap).collect()
}

/// Parts of names and addresses of each length, and what is nowhere.
fn texts() -> BTreeSet<String> {
    let mut texts: BTreeSet<String> = [
        "",
        "zzzzzz",
        "user12",
        "@ACME.example",
        "1299",
        "\u{130}",
        "a  b",
        "%%%",
        "___",
    ]
    .map(str::to_owned)
    .into();
    for (i, name) in NAMES.iter().enumerate() {
        let characters: Vec<char> = name.chars().collect();
        for length in [1, 2, 3, 5] {
            let parts: Vec<&[char]> = characters.windows(length).collect();
            if let Some(part) = parts.get(i % parts.len().max(1)) {
                texts.insert(part.iter().collect());
                texts.insert(part.iter().collect::<String>().to_uppercase());
            }
        }
    }
    texts
}

async fn agrees(app: &TestApp, callers: &[&Actor]) {
    let mut sizes = BTreeSet::new();
    for text in texts() {
        let expected = compared(&app.db, callers[0].organization_id(), &text).await;
        for caller in callers {
            assert_eq!(found(caller, &text).await, expected, "{text:?}");
        }
        sizes.insert(expected.len());
    }
    // Some are everywhere, some rare, some nowhere.
    assert!(
        sizes.contains(&0)
            && sizes.range(1..30).next().is_some()
            && sizes.range(1000..).next().is_some()
    );
}

on_both_databases! {
    async fn a_search_finds_what_a_plain_comparison_finds(app: TestApp) {
        let ada = app.signs_up("Acme", "zoe@acme.example").await;
        join(&app.db, &ada, 0..PEOPLE).await;
        // Whose names contain the same, elsewhere.
        let other = app.signs_up("Beta", "zoe@beta.example").await;
        join(&app.db, &other, 2 * PEOPLE..2 * PEOPLE + 50).await;
        agrees(&app, &[&ada]).await;

        // Names change, people leave, and some come.
        app.db.execute(
            "update users set name = 'Renamed ' || name where substr(name, 1, 3) = 'ADA';
             update users set email = null where email like 'user12%';
             delete from memberships where user_id in (select id from users where name like 'x %')",
        ).await;
        join(&app.db, &ada, PEOPLE..PEOPLE + 100).await;
        let kept = app.db.count("select count(*) from searchable_people").await;
        assert_eq!(kept, app.db.count("select count(*) from memberships").await);
        agrees(&app, &[&ada]).await;
    }

    async fn a_manager_of_many_finds_their_reports_only(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let grace = app.joins(ada.organization_id(), "grace@acme.example").await;
        ada.changes(&grace, json!({"role": "manager"})).await.expect(200);
        join(&app.db, &grace, 0..PEOPLE).await;
        join(&app.db, &ada, PEOPLE..PEOPLE + 50).await;
        let id = |text: String| u64::from_str_radix(&text[20..], 16).unwrap();
        for text in ["", "a", "%", "zq", "user", "user1299", "user1310", "love", "nobody"] {
            let all = compared(&app.db, ada.organization_id(), text).await;
            let below = all.iter().filter(|found| id((*found).clone()) < PEOPLE as u64);
            let own = all.iter().filter(|found| **found == grace.id().replace('-', ""));
            let expected: Vec<String> = below.chain(own).cloned().collect();
            assert_eq!(found(&grace, text).await, expected, "{text:?}");
            assert_eq!(found(&ada, text).await, all, "{text:?}");
        }
    }

    async fn people_of_before_the_index_are_found(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for sql in earlier(&app.db) {
            app.db.execute(sql).await;
        }
        app.db.execute("delete from __diesel_schema_migrations where version like '2026113000300_'").await;
        join(&app.db, &ada, 0..PEOPLE).await;
        // Who starts next migrates.
        app.operator_app().await;
        for text in ["lovelace 1010", "user1299", "nobody"] {
            let expected = compared(&app.db, ada.organization_id(), text).await;
            assert_eq!(found(&ada, text).await, expected);
        }
        ada.patch("/api/auth/me").json(&json!({"name": "Countess"})).await.expect(200);
        assert_eq!(found(&ada, "countess").await, [ada.id().replace('-', "")]);

    }
}

/// What leads to the schema of before.
fn earlier(db: &Db) -> [&'static str; 3] {
    match db {
        Db::Sqlite { .. } => [
            include_str!(
                "../../migrations/sqlite/2026-11-30-003002_searchable_people_index/down.sql"
            ),
            include_str!(
                "../../migrations/sqlite/2026-11-30-003001_fill_searchable_people/down.sql"
            ),
            include_str!("../../migrations/sqlite/2026-11-30-003000_searchable_people/down.sql"),
        ],
        Db::Postgres { .. } => [
            include_str!(
                "../../migrations/postgres/2026-11-30-003002_searchable_people_index/down.sql"
            ),
            include_str!(
                "../../migrations/postgres/2026-11-30-003001_fill_searchable_people/down.sql"
            ),
            include_str!("../../migrations/postgres/2026-11-30-003000_searchable_people/down.sql"),
        ],
    }
}
