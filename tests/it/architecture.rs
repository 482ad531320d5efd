//! Which module may import which, and which words only some files may use. `docs/ARCHITECTURE.md` says why.

mod imports;

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

/// Words of code and the only places they may appear in, as path prefixes in `src`.
const ONLY_IN: &[(&[&str], &[&str])] = &[
    // SQL.
    (&["diesel", "tokio_postgres", "sql_query"], &["store/"]),
    // Time and randomness are injected, so that tests can replace them.
    (
        &[
            "Utc::now",
            "Local::now",
            "SystemTime::now",
            "SystemRandom",
            "now_v7",
            "Uuid::new_v4",
        ],
        // Exceptions: a secret generated because none was given, and keys and signatures that require the system's
        // random generator itself (in `id_token`, in a test).
        &[
            "adapters/",
            "config/local_secret.rs",
            "crypto/id_token.rs",
            "crypto/signing_key.rs",
            "sandbox/slack/keys.rs",
        ],
    ),
    // Forwarded headers may be believed from trusted proxies only, and actix believes everyone's.
    (&["connection_info", "realip_remote_addr"], &[]),
    // It binds a `limit ?`, and SQLite re-prepares a statement whose limit is bound on every run.
    (&["first(conn", "first(*connection"], &[]),
    // The environment is read once.
    (
        &["env::var", "env::vars", "env::var_os"],
        &["config/", "http/generated.rs"],
    ),
    // Beginning a session includes the sign-in notice, so all sessions begin in one place.
    (
        &["sessions::insert", "impl Clearance for"],
        &["service/sign_in/entry.rs"],
    ),
    // A unit of work records what it did, and tells other instances of it.
    (
        &[
            "audit::insert",
            "changes::append",
            "revocations.apply",
            "outbox::insert",
            "outbox::insert_decoy",
        ],
        &["service/unit_of_work/"],
    ),
    // Each e-mail is limited by its cause.
    (
        &["unit.draft", "unit.queue", "unit.queue_decoy"],
        &["service/mail/gate.rs"],
    ),
    // A caller's writes must judge the caller again, and could not if they were written by this context.
    (
        &["context_of_limits"],
        &["service/limits/", "service/unit_of_work/caller.rs"],
    ),
    (&["write_then"], &["service/unit_of_work/", "store/"]),
    // What is written outside one: deletions, deliveries, new keys, other hashes of a password, and the use of a token
    // or of a Slack state.
    (
        &["maintain"],
        &[
            "service/accounts/imported_passwords.rs",
            "service/accounts/rehash.rs",
            "service/api_tokens/authenticate.rs",
            "service/mail/",
            "service/mfa/secret.rs",
            "service/operations/keys.rs",
            "service/operations/purge.rs",
            "service/session_tokens/authenticate.rs",
            "service/sessions/housekeeping.rs",
            "service/sessions/follow_feed.rs",
            "service/slack/callback.rs",
            "service/unit_of_work/database.rs",
            "service/webhooks/deliver.rs",
            "service/webhooks/secret.rs",
        ],
    ),
    // Outgoing connections are made in one place.
    (&["reqwest", "oauth2", "lettre"], &["adapters/"]),
    // HTTP is the business of these modules only.
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

/// Where test names are checked.
const TEST_NAME_FOLDERS: &[&str] = &["src", "tests", "benches", "crates"];

#[test]
fn imports_have_no_circles() {
    assert_eq!(imports::circles(&sources()), Vec::<Vec<String>>::new());
}

#[test]
fn a_circle_of_imports_is_seen_through_a_re_export() {
    let source = |path: &str, code: &str| Source {
        path: path.into(),
        module: String::new(),
        code: code.to_owned(),
    };
    let sources = [
        source("a/mod.rs", "pub mod b;\nmod c;\npub use c::{C as D};"),
        source("a/b.rs", "use crate::{a::D, e};"),
        source("a/c.rs", "fn c() { super::f::g() }"),
        source("a/f.rs", "use super::b;\nfn g() { b::B::new() }"),
        source("e.rs", "fn e() {}\nmod tests {\n    use crate::a::b::B;\n}"),
    ];
    let circles = imports::circles(&sources);
    assert_eq!(circles, [["a/b.rs", "a/c.rs", "a/f.rs"]]);
}

#[test]
fn imports_go_one_way() {
    let mut faults = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == source.module) else {
            assert!(
                matches!(&*source.module, "lib" | "main"),
                "src/{} is a module without a rule",
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
fn restricted_words_appear_only_where_allowed() {
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
fn services_reexport_no_type_of_the_store_or_of_crypto() {
    let faults: Vec<_> = sources()
        .into_iter()
        .filter(|source| source.module == "service")
        .filter(|source| {
            ["pub use crate::store", "pub use crate::crypto"]
                .iter()
                .any(|reexport| source.code.contains(reexport))
        })
        .map(|source| source.path)
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn test_names_are_at_most_70_characters() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = TEST_NAME_FOLDERS
        .iter()
        .flat_map(|folder| rust_files(&root.join(folder)));
    let mut count = 0;
    let mut faults = Vec::new();
    for path in files {
        for name in test_names(&fs::read_to_string(&path).unwrap()) {
            count += 1;
            if name.len() > 70 {
                let file = path.strip_prefix(root).unwrap().display();
                faults.push(format!("{file}: {name} has {} characters", name.len()));
            }
        }
    }
    assert!(count > 400, "only {count} tests were found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_test_reader_sees_every_form() {
    let code = "fn helper() {}
#[test]
fn plain() {}
#[actix_web::test]
#[ignore = \"slow\"]
async fn with_attributes() {}
on_both_databases! {
    /// With a comment.
    async fn on_databases(app: TestApp) {
        fn inner() {}
    }
}
mod tests {
    proptest! {
        #[test]
        fn of_properties(n in 0..9) {}
    }
}
async fn other_helper() {}";
    assert_eq!(
        test_names(code),
        ["plain", "with_attributes", "on_databases", "of_properties"]
    );
}

#[test]
fn the_import_reader_sees_every_form() {
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
    let found: Vec<_> = rust_files(&root)
        .into_iter()
        .map(|path| {
            let inside = path.strip_prefix(&root).unwrap();
            let module = Path::new(inside.iter().next().unwrap())
                .file_stem()
                .unwrap();
            Source {
                module: module.to_str().unwrap().to_owned(),
                code: without_comments(&fs::read_to_string(&path).unwrap()),
                path: inside.to_owned(),
            }
        })
        .collect();
    assert!(found.len() > 10, "the sources have moved");
    found
}

fn rust_files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// Functions after a test attribute, and those directly inside `on_both_databases!`.
fn test_names(code: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut is_marked = false;
    // The indentation of the block's functions.
    let mut block = None;
    for line in code.lines() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if text.starts_with("on_both_databases! {") {
            block = Some(indent + 4);
        } else if text == "}" && block == Some(indent + 4) {
            block = None;
        } else if text.starts_with("#[") {
            is_marked |= text.starts_with("#[test]") || text.contains("::test]");
        } else if let Some((_, rest)) = text
            .split_once("fn ")
            .filter(|(before, _)| ["", "async ", "pub ", "pub async "].contains(before))
        {
            if is_marked || block == Some(indent) {
                names.push(leading_name(rest));
            }
            is_marked = false;
        }
    }
    names
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

/// The first names after `crate::`.
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

/// As many `super::` in a row as there are modules above are another way to write `crate::`.
fn climbs_out(source: &Source) -> bool {
    let mut depth = source.path.iter().count();
    if source.path.file_stem().is_some_and(|stem| stem == "mod") {
        depth -= 1;
    }
    // A module inside the file, such as `tests`, is one level deeper.
    let code = source.code.split("\nmod tests {").next().unwrap();
    code.contains(&"super::".repeat(depth.max(1)))
}

fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    code.match_indices(word).any(|(at, _)| {
        !is_part(code[..at].chars().next_back()) && !is_part(code[at + word.len()..].chars().next())
    })
}
