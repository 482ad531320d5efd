//! The documentation names only what exists, and its generated page is up to date.

mod data_model;

use std::fs;
use std::path::{Path, PathBuf};

/// What a path of this repository begins with.
const FOLDERS: &[&str] = &[
    ".ci/",
    "benches/",
    "clients/",
    "crates/",
    "docs/",
    "migrations/",
    "script/",
    "src/",
    "tests/",
    "texts/",
];

/// Pages whose tables the code writes.
const GENERATED: &[&str] = &[
    "docs/COMMANDS.md",
    "docs/CONFIGURATION.md",
    "docs/ERRORS.md",
];

#[test]
fn every_path_in_the_documentation_exists() {
    let mut faults = Vec::new();
    for page in pages() {
        for (_, code) in spans(&page.text) {
            let path = code.split(' ').next().unwrap();
            let is_ours = FOLDERS.iter().any(|folder| path.starts_with(folder));
            if is_ours && !path.contains(['…', '<', '*', '{']) && !root().join(path).exists() {
                faults.push(format!("{}: there is no {path}", page.name));
            }
        }
        for target in links(&page.text) {
            let target = target.split('#').next().unwrap();
            if !page.folder.join(target).exists() {
                faults.push(format!("{}: a link leads to {target}", page.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_module_and_item_in_the_documentation_exists() {
    let mut faults = Vec::new();
    let mut count = 0;
    for page in pages() {
        for (_, code) in spans(&page.text) {
            match exists(code) {
                Some(true) => count += 1,
                Some(false) => faults.push(format!("{}: there is no {code}", page.name)),
                None => {}
            }
        }
    }
    assert!(count > 200, "only {count} names were found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Pages say "`name` in `src/file.rs`", or "`one`, `two` and `three` in `src/file.rs`".
#[test]
fn every_item_cited_with_its_file_is_in_it() {
    let mut faults = Vec::new();
    let mut count = 0;
    for page in pages() {
        let spans = spans(&page.text);
        for (at, (before, file)) in spans.iter().enumerate() {
            let is_file = before.trim() == "in" && file.starts_with("src/") && at > 0;
            let mut item = at;
            while is_file && item > 0 {
                item -= 1;
                let (before, name) = spans[item];
                if name.contains('/') {
                    break;
                }
                count += 1;
                let code = fs::read_to_string(root().join(file)).unwrap_or_default();
                let words: Vec<_> = name
                    .split("::")
                    .map(|word| word.trim_end_matches('!'))
                    .collect();
                if !has_words(&code, &words) {
                    faults.push(format!("{}: {name} is not in {file}", page.name));
                }
                if ![",", "and"].contains(&before.trim()) {
                    break;
                }
            }
        }
    }
    assert!(count > 20, "only {count} citations were found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_decision_is_in_the_index_with_its_title() {
    let index = fs::read_to_string(root().join("docs/decisions/README.md")).unwrap();
    for page in pages()
        .iter()
        .filter(|page| page.name.starts_with("docs/decisions/0"))
    {
        let file = page.name.rsplit('/').next().unwrap();
        let title = page
            .text
            .lines()
            .next()
            .unwrap()
            .split_once(". ")
            .unwrap()
            .1;
        assert!(
            index.contains(&format!("[{title}]({file})")),
            "{file}: {title}"
        );
    }
}

#[test]
fn lines_of_the_documentation_have_at_most_120_columns() {
    for page in pages() {
        if GENERATED.contains(&&*page.name) {
            continue;
        }
        for line in page.text.lines() {
            assert!(line.chars().count() <= 120, "{}: {line}", page.name);
        }
    }
}

struct Page {
    /// From the root of the repository.
    name: String,
    folder: PathBuf,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<Page> {
    let folders = ["docs", "docs/decisions", "docs/moving-in"].map(|folder| root().join(folder));
    let mut found = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    for folder in folders {
        found.extend(
            fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path()),
        );
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    assert!(found.len() > 30, "the pages have moved");
    let page = |path: PathBuf| Page {
        name: path
            .strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned(),
        folder: path.parent().unwrap().to_owned(),
        text: fs::read_to_string(path).unwrap(),
    };
    found.into_iter().map(page).collect()
}

fn outside_fences(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").step_by(2).flat_map(str::lines)
}

/// What stands in backticks, each with the text before it.
fn spans(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for part in text.split("```").step_by(2) {
        let pieces: Vec<_> = part.split('`').collect();
        found.extend(pieces.chunks_exact(2).map(|pair| (pair[0], pair[1])));
    }
    found
}

/// Where links lead that stay in the repository.
fn links(text: &str) -> Vec<&str> {
    outside_fences(text)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .collect()
}

/// Whether there is such a `module::item`; `None` for what is not written like one of ours.
fn exists(code: &str) -> Option<bool> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    if !code.contains("::") || !code.chars().all(is_name) {
        return None;
    }
    let names: Vec<_> = code.split("::").filter(|name| !name.is_empty()).collect();
    let mut is_ours = false;
    for start in ["src", "tests/it"] {
        let mut place = root().join(start);
        let mut rest = &names[..];
        while let Some((name, others)) = rest.split_first() {
            let (folder, file) = (place.join(name), place.join(format!("{name}.rs")));
            if !folder.is_dir() && !file.is_file() {
                break;
            }
            is_ours = true;
            place = folder;
            rest = others;
        }
        if place != root().join(start) && sources(&place).iter().any(|code| has_words(code, rest)) {
            return Some(true);
        }
    }
    // A type of ours and what belongs to it.
    if !is_ours && names[0].starts_with(char::is_uppercase) {
        let all = sources(&root().join("src"));
        return Some(all.iter().any(|code| has_words(code, &names)));
    }
    is_ours.then_some(false)
}

/// The code of a module: its file, or all files of its folder.
fn sources(module: &Path) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(fs::read_to_string(module.with_extension("rs")));
    if let Ok(entries) = fs::read_dir(module) {
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() || path.extension().is_some_and(|extension| extension == "rs") {
                found.extend(sources(&path.with_extension("")));
            }
        }
    }
    found
}

fn has_words(code: &str, words: &[&str]) -> bool {
    words.iter().all(|word| has_word(code, word))
}

fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].ends_with(is_part) && !code[at + word.len()..].starts_with(is_part)
    })
}
