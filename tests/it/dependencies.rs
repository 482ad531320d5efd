//! Dependencies: recent enough, permissively licensed, from one registry, and buildable with gcc alone.

use std::fs;
use std::process::Command;

use serde_json::Value;

/// The lowest versions without a known vulnerability. Not all of these are in the advisory database.
const FLOORS: &[(&str, [u64; 3])] = &[
    ("jsonwebtoken", [10, 3, 0]),
    ("bcrypt", [0, 19, 2]),
    ("diesel", [2, 3, 10]),
    ("h2", [0, 4, 16]),
    ("lettre", [0, 11, 22]),
    ("idna", [1, 0, 3]),
    ("tracing-subscriber", [0, 3, 20]),
    ("rand", [0, 9, 3]),
];

/// Older release lines that received the fix as well, and since which version.
const BACKPORTS: &[(&str, [u64; 2], [u64; 3])] = &[("rand", [0, 8], [0, 8, 6])];

/// One crypto library, and no system libraries that a fresh machine does not have.
const UNWANTED: &[&str] = &[
    "aws-lc-rs",
    "aws-lc-sys",
    "cmake",
    "native-tls",
    "openssl",
    "openssl-sys",
    "pq-sys",
];

const LICENSES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn no_dependency_is_older_than_its_minimum_version() {
    for (name, version, _) in locked() {
        if let Some((_, floor)) = FLOORS.iter().find(|(floored, _)| *floored == name) {
            let found = numbers(&version);
            let is_backported = BACKPORTS.iter().any(|(backported, line, floor)| {
                *backported == name && found.starts_with(line) && found >= *floor
            });
            assert!(
                is_backported || found >= *floor,
                "{name} {version} is below {floor:?}"
            );
        }
    }
}

#[test]
fn dependencies_come_from_the_registry_and_link_no_foreign_libraries() {
    for (name, version, source) in locked() {
        let ours = [
            env!("CARGO_PKG_NAME"),
            "bcrypt-lanes",
            "people-files",
            "stored-passwords",
        ]
        .contains(&&*name);
        assert!(
            ours || source.starts_with("registry+https://github.com/rust-lang/crates.io-index"),
            "{name} {version} comes from {source:?}"
        );
        assert!(!UNWANTED.contains(&&*name), "{name} is in Cargo.lock");
    }
}

#[test]
fn every_dependency_has_a_permissive_license() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    for package in metadata["packages"].as_array().unwrap() {
        let license = package["license"].as_str().unwrap_or_default();
        assert!(
            is_permitted(license),
            "{} is under {license:?}",
            package["name"]
        );
    }
}

#[test]
fn one_permitted_alternative_makes_a_license_expression_permitted() {
    for permitted in [
        "MIT",
        "MIT OR GPL-3.0",
        "MIT / Apache-2.0",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
    ] {
        assert!(is_permitted(permitted), "{permitted}");
    }
    for refused in ["", "GPL-3.0", "MIT AND GPL-3.0", "AGPL-3.0 OR GPL-3.0"] {
        assert!(!is_permitted(refused), "{refused}");
    }
}

#[test]
fn cargo_deny_has_the_same_rules() {
    let listed = |table: &str, key: &str| -> Vec<String> {
        let file = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml")).unwrap();
        let (_, table) = file.split_once(&format!("[{table}]")).unwrap();
        let (_, list) = table.split_once(&format!("\n{key} = [\n")).unwrap();
        let (list, _) = list.split_once("\n]").unwrap();
        list.lines()
            .filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(listed("licenses", "allow"), LICENSES);
    let mut refused: Vec<String> = UNWANTED.iter().map(|&name| name.to_owned()).collect();
    for (name, floor) in FLOORS {
        let text = |[major, minor, patch]: [u64; 3]| format!("{major}.{minor}.{patch}");
        let mut from = String::new();
        if let Some((_, [major, minor], backport)) = BACKPORTS.iter().find(|(n, ..)| n == name) {
            refused.push(format!("{name}:<{}", text(*backport)));
            from = format!(">={}, ", text([*major, minor + 1, 0]));
        }
        refused.push(format!("{name}:{from}<{}", text(*floor)));
    }
    assert_eq!(listed("bans", "deny"), refused);
}

/// Name, version and source of every package in `Cargo.lock`.
fn locked() -> Vec<(String, String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock");
    let lock = fs::read_to_string(path).unwrap();
    let packages: Vec<_> = lock
        .split("[[package]]")
        .skip(1)
        .map(|package| {
            let value = |key: &str| {
                let start = format!("{key} = \"");
                let line = package.lines().find_map(|line| line.strip_prefix(&start));
                line.unwrap_or_default().trim_end_matches('"').to_owned()
            };
            (value("name"), value("version"), value("source"))
        })
        .collect();
    assert!(
        packages.len() > 50,
        "Cargo.lock has another form than it had"
    );
    packages
}

fn numbers(version: &str) -> [u64; 3] {
    let mut parts = version
        .split(['.', '-', '+'])
        .map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

/// Every part joined by `AND` offers an alternative we permit. Only such parts may be in parentheses.
fn is_permitted(license: &str) -> bool {
    license.split(" AND ").all(|part| {
        part.trim_matches(['(', ')'])
            .split(" OR ")
            .flat_map(|choice| choice.split('/'))
            .any(|choice| LICENSES.contains(&choice.trim_matches(['(', ')', ' '])))
    })
}
