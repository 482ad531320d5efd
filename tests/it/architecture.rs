//! Which module may know which, and what only one of them may do. `docs/ARCHITECTURE.md` says why.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module and the modules it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("crypto", &["domain"]),
    ("ports", &["domain"]),
    ("store", &["domain"]),
    ("texts", &[]),
    ("email_templates", &["domain", "texts"]),
    (
        "service",
        &["domain", "crypto", "email_templates", "ports", "store"],
    ),
    ("http", &["domain", "service", "texts"]),
    ("config", &["domain", "crypto", "email_templates"]),
    ("adapters", &["domain", "crypto", "ports"]),
    ("sandbox", &["domain", "ports"]),
    (
        "app",
        &[
            "domain", "crypto", "ports", "store", "service", "http", "config", "adapters",
            "sandbox",
        ],
    ),
    (
        "cli",
        &[
            "domain", "crypto", "ports", "service", "http", "config", "adapters", "app",
        ],
    ),
];

/// Words of code and the only places they may stand in, as beginnings of paths in `src`.
const ONLY_IN: &[(&[&str], &[&str])] = &[
    // SQL.
    (
        &["diesel", "diesel_async", "tokio_postgres", "sql_query"],
        &["store/"],
    ),
    // The clock and chance are handed in, so that tests can hand in others.
    (
        &[
            "Utc::now",
            "Local::now",
            "SystemTime::now",
            "SystemRandom",
            "now_v7",
            "Uuid::new_v4",
        ],
        // Besides: a secret made because none was given, and signatures that want to be handed the
        // system's chance itself (in `id_token`, of a test).
        &[
            "adapters/",
            "config/local_secret.rs",
            "crypto/id_token.rs",
            "sandbox/slack/keys.rs",
        ],
    ),
    // Forwarded headers are believed from trusted proxies only, and actix believes anybody's.
    (&["connection_info", "realip_remote_addr"], &[]),
    // It binds a `limit ?`, and SQLite prepares a statement whose limit is bound anew whenever it runs.
    (&["first(conn", "first(*connection"], &[]),
    // The environment is read once.
    (
        &["env::var", "env::vars", "env::var_os"],
        &["config/", "http/generated.rs"],
    ),
    // Whoever lets somebody in tells them of it.
    (&["sessions::insert"], &["service/sign_in/begin_session.rs"]),
    // Others are called from one place.
    (&["reqwest", "oauth2", "lettre"], &["adapters/"]),
    // HTTP is one dialect's spelling.
    (
        &["actix_web", "actix_cors"],
        &["http/", "app/", "sandbox/", "main.rs"],
    ),
    (
        &[
            "actix_http::HttpService",
            "actix_server::Server",
            "actix_service",
        ],
        &["app/server.rs"],
    ),
];

#[test]
fn imports_go_one_way() {
    let mut faults = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == source.module) else {
            assert!(
                matches!(&*source.module, "lib" | "main"),
                "src/{} is a module nobody has a rule for",
                source.module
            );
            continue;
        };
        for import in imported_modules(&source.code) {
            if import != source.module && !allowed.contains(&&*import) {
                faults.push(format!("{} imports {import}", source.path.display()));
            }
        }
        if climbs_out(&source) {
            faults.push(format!("{} climbs out with super::", source.path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn each_power_is_held_where_it_belongs() {
    let mut faults = Vec::new();
    for source in sources() {
        for (words, places) in ONLY_IN {
            let path = source.path.to_str().unwrap();
            if places.iter().any(|place| path.starts_with(place)) {
                continue;
            }
            for word in words.iter().filter(|word| has_word(&source.code, word)) {
                faults.push(format!("{} says {word}", source.path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let code = "use crate::domain::Email;
        use crate::{config::Config, http::{self, error}, store};
        fn f() -> crate::service::Result<()> { crate::adapters::go() }
        pub(crate) fn g() {}";
    let seen: Vec<String> = imported_modules(code).into_iter().collect();
    assert_eq!(
        seen,
        ["adapters", "config", "domain", "http", "service", "store"]
    );
    assert!(has_word("let now = Utc::now();", "Utc::now"));
    assert!(!has_word("fn diesels() {}", "diesel"));
}

struct Source {
    path: PathBuf,
    /// The top-level module the file belongs to.
    module: String,
    /// Without comments.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut directories = vec![root.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let first = path.strip_prefix(&root).unwrap().iter().next().unwrap();
                let module = Path::new(first).file_stem().unwrap();
                found.push(Source {
                    module: module.to_str().unwrap().to_owned(),
                    code: without_comments(&fs::read_to_string(&path).unwrap()),
                    path: path.strip_prefix(&root).unwrap().to_owned(),
                });
            }
        }
    }
    assert!(found.len() > 10, "the sources are not where they were");
    found
}

fn without_comments(code: &str) -> String {
    code.lines()
        .map(|line| match line.find("//") {
            // Not the two slashes of a URL.
            Some(at) if !line[..at].ends_with(':') => &line[..at],
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The first names after `crate::`, and after `hallpass::` for the binary.
fn imported_modules(code: &str) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for (at, prefix) in code.match_indices("crate::") {
        let rest = code[at + prefix.len()..].trim_start();
        let Some(group) = rest.strip_prefix('{') else {
            modules.insert(leading_name(rest).to_owned());
            continue;
        };
        let mut depth = 0;
        let mut item = String::new();
        for c in group.chars() {
            match c {
                '}' if depth == 0 => break,
                ',' if depth == 0 => {
                    modules.insert(leading_name(&item).to_owned());
                    item.clear();
                    continue;
                }
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            item.push(c);
        }
        modules.insert(leading_name(&item).to_owned());
    }
    modules.remove("");
    modules
}

fn leading_name(path: &str) -> &str {
    let path = path.trim_start();
    let end = path
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(path.len());
    &path[..end]
}

/// As many `super::` in a row as there are modules above would be another way to say `crate::`.
fn climbs_out(source: &Source) -> bool {
    let mut depth = source.path.iter().count();
    if source.path.file_stem().is_some_and(|stem| stem == "mod") {
        depth -= 1;
    }
    // A module inside the file, as tests are, is one deeper.
    let code = source.code.split("\nmod tests {").next().unwrap();
    code.contains(&"super::".repeat(depth.max(1)))
}

fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    code.match_indices(word).any(|(at, _)| {
        !is_part(code[..at].chars().next_back()) && !is_part(code[at + word.len()..].chars().next())
    })
}
