//! Generates `.env.example` and the tables of `docs/CONFIGURATION.md` from the list of settings.
//!
//! `UPDATE_GENERATED=1 cargo test --lib config` updates the files.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use super::settings::{Fallback, SECTIONS, Setting};

const LINE: usize = 96;

fn env_example() -> String {
    let mut text = String::from(
        "# Settings of Hallpass. Copy this file to .env and uncomment what you change. Environment variables\n\
         # take precedence. Generated from src/config/settings.rs; see docs/CONFIGURATION.md.\n",
    );
    for (heading, settings) in SECTIONS {
        write!(text, "\n# ---- {heading} ----\n").unwrap();
        for setting in *settings {
            text.push('\n');
            for line in wrapped(&about(setting)) {
                writeln!(text, "# {line}").unwrap();
            }
            let value = match setting.example.contains([' ', '<', '#']) {
                true => format!("\"{}\"", setting.example),
                false => setting.example.to_owned(),
            };
            writeln!(text, "#{}={value}", setting.name).unwrap();
        }
    }
    text
}

fn about(setting: &Setting) -> String {
    let mut text = setting.description.to_owned();
    match default(setting) {
        Some(default) => write!(text, " Default: {default}.").unwrap(),
        None => text.push_str(" Default: none."),
    }
    if setting.secret {
        write!(
            text,
            " Can be read from a file named by `{}_FILE`.",
            setting.name
        )
        .unwrap();
    }
    text.replace('`', "")
}

fn default(setting: &Setting) -> Option<String> {
    match setting.default {
        Fallback::None => None,
        Fallback::Value(value) => Some(format!("`{value}`")),
        Fallback::DevOnly(dev) => Some(format!("none (`hallpass dev`: `{dev}`)")),
        Fallback::ByMode { serve, dev } => Some(format!("`{serve}` (`hallpass dev`: `{dev}`)")),
        Fallback::Derived(what) => Some(what.to_owned()),
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().unwrap();
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + 1 + word.len() <= LINE {
            write!(line, " {word}").unwrap();
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn tables() -> String {
    let mut text = String::new();
    for (heading, settings) in SECTIONS {
        write!(
            text,
            "\n## {heading}\n\n| Setting | Default | Meaning |\n|---|---|---|\n"
        )
        .unwrap();
        for setting in *settings {
            let secret = if setting.secret { " (secret)" } else { "" };
            writeln!(
                text,
                "| `{}`{secret} | {} | {} |",
                setting.name,
                default(setting).unwrap_or_default(),
                setting.description
            )
            .unwrap();
        }
    }
    text
}

/// Compares a file of the repository with its expected content, or writes it if UPDATE_GENERATED is set.
fn assert_current(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is out of date; run UPDATE_GENERATED=1 cargo test --lib config",
        path.display()
    );
}

#[test]
fn the_example_file_lists_every_setting() {
    assert_current(".env.example", &env_example());
}

#[test]
fn the_configuration_page_lists_every_setting() {
    const BEGIN: &str = "<!-- settings: begin (made from src/config/settings.rs) -->\n";
    const END: &str = "\n<!-- settings: end -->";
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONFIGURATION.md");
    let page = fs::read_to_string(page).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}{}{END}{after}", tables());
    assert_current("docs/CONFIGURATION.md", &expected);
}

#[test]
fn the_example_file_can_be_loaded() {
    let uncommented: String = env_example()
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .filter(|line| !line.starts_with(' '))
        .fold(String::new(), |text, line| text + line + "\n");
    let loaded: Vec<(String, String)> = dotenvy::from_read_iter(uncommented.as_bytes())
        .map(Result::unwrap)
        .collect();
    let expected: Vec<(String, String)> = SECTIONS
        .iter()
        .flat_map(|(_, settings)| *settings)
        .map(|setting| (setting.name.to_owned(), setting.example.to_owned()))
        .collect();
    assert_eq!(loaded, expected);
}
