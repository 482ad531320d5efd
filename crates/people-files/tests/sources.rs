//! Files of other systems, made by these systems themselves, read by the presets: `sources/NAME/expected….json` says
//! who must come out.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use people_files::{Candidate, Input, Line, Mapping, Options, Part, open, presets};
use serde_json::{Value, json};
use stored_passwords::{ImportedHash, PepperName};

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sources")
}

/// Folders, and the files in them that say what is expected.
fn expectations() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in fs::read_dir(sources()).unwrap() {
        let folder = folder.unwrap().path();
        if folder.is_dir() {
            let files = fs::read_dir(folder)
                .unwrap()
                .map(|file| file.unwrap().path());
            found.extend(files.filter(|file| {
                let name = file.file_name().unwrap().to_str().unwrap();
                name.starts_with("expected") && name.ends_with(".json")
            }));
        }
    }
    found.sort();
    found
}

struct Source {
    folder: PathBuf,
    expected: Value,
    mapping: Mapping,
    options: Options,
}

impl Source {
    fn of(file: &Path) -> Self {
        let folder = file.parent().unwrap().to_owned();
        let expected: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let said: Vec<&str> = expected["options"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap())
            .collect();
        let option = |name: &str| {
            let at = said.iter().position(|option| *option == name)?;
            Some(said[at + 1].to_owned())
        };
        let mapping = match option("--map") {
            Some(file) => Mapping::parse(&fs::read_to_string(folder.join(file)).unwrap()).unwrap(),
            None => presets::find(folder.file_name().unwrap().to_str().unwrap())
                .unwrap()
                .mapping()
                .unwrap(),
        };
        let secrets =
            expected["environment"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(setting, secret)| {
                    let name = setting
                        .strip_prefix("HALLPASS_IMPORT_PEPPER_")
                        .unwrap()
                        .to_lowercase();
                    (
                        name.parse::<PepperName>().unwrap(),
                        secret.as_str().unwrap().as_bytes().to_vec().into(),
                    )
                });
        let options = Options {
            peppers: secrets.collect(),
            slack_team: option("--slack-team"),
            ..Options::at("2026-11-30T12:00:00Z".parse::<DateTime<Utc>>().unwrap())
        };
        Self {
            folder,
            expected,
            mapping,
            options,
        }
    }

    fn inputs(&self) -> Vec<(String, Input)> {
        let inputs = self.expected["inputs"].as_array().unwrap().iter();
        inputs
            .map(|input| {
                let file = input["file"].as_str().unwrap();
                let with = input["with"].as_object().into_iter().flatten();
                let place = with.fold(
                    Input::file(self.folder.join(file)),
                    |place, (name, file)| {
                        place.with(name, self.folder.join(file.as_str().unwrap()))
                    },
                );
                (
                    format!(
                        "{}/{file}",
                        self.folder.file_name().unwrap().to_str().unwrap()
                    ),
                    place,
                )
            })
            .collect()
    }
}

/// What came out, in the form of the expectation, in the order of the input.
fn read(source: &Source, input: &Input, name: &str) -> Value {
    let lines = open(input, &source.mapping, &source.options, &mut |_| {});
    let lines = lines.unwrap_or_else(|error| panic!("{name}: {error}"));
    let (mut people, mut refused, mut skipped) = (BTreeMap::new(), Vec::new(), Vec::new());
    for line in lines {
        match line.unwrap() {
            Line::Person(person) => {
                people.insert(person.row, shown(&person));
            }
            Line::Refused(row) => {
                refused.push(json!({ "external_id": row.external_id, "code": row.problem.code }));
            }
            Line::Skipped(row) => skipped.push(json!(row.external_id)),
        }
    }
    json!({ "people": people.into_values().collect::<Vec<_>>(), "refused": sorted(&json!(refused)), "skipped": sorted(&json!(skipped)) })
}

fn shown(person: &Candidate) -> Value {
    let memberships: BTreeMap<String, Value> = person
        .memberships
        .iter()
        .map(|membership| {
            let manager = membership.manager.as_ref();
            let mut shown = json!({ "organization": membership.organization, "role": membership.role.as_str() });
            if let Some(manager) = manager {
                shown["manager"] = json!(manager);
            }
            (membership.organization.clone(), shown)
        })
        .collect();
    let slack: Vec<Value> = person
        .slack
        .iter()
        .map(|slack| json!({ "team": slack.team, "user": slack.user }))
        .collect();
    let totp = match &person.totp {
        Part::Absent => Value::Null,
        Part::Present(key) => json!(data_encoding::BASE32_NOPAD.encode(key)),
        Part::Refused(problem) => json!({ "refused": problem.code }),
    };
    json!({
        "external_id": person.external_id,
        "email": person.email,
        "verified": person.verified,
        "name": person.name,
        "created": person.created.map(|created| created.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        "disabled": person.disabled,
        "memberships": memberships.into_values().collect::<Vec<_>>(),
        "slack": slack,
        "totp": totp,
        "recovery_codes": person.recovery_codes.present().cloned().unwrap_or_default(),
    })
}

/// Without passwords, which are compared by what they accept.
fn expected(source: &Source) -> Value {
    let mut people = source.expected["people"].clone();
    for person in people.as_array_mut().unwrap() {
        let person = person.as_object_mut().unwrap();
        person.remove("password");
        let created = person["created"].as_str().map(|text| {
            let date: DateTime<Utc> = text.parse().unwrap();
            date.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        });
        person["created"] = json!(created);
        person["memberships"]
            .as_array_mut()
            .unwrap()
            .sort_by_key(|one| one["organization"].to_string());
    }
    json!({
        "people": people,
        "refused": sorted(&source.expected["refused"]),
        "skipped": sorted(&source.expected["skipped"]),
    })
}

/// Nothing is an empty list.
fn sorted(list: &Value) -> Value {
    let mut list = list.as_array().cloned().unwrap_or_default();
    list.sort_by_key(Value::to_string);
    json!(list)
}

#[test]
fn people_of_every_source_come_out_as_they_went_in() {
    let expectations = expectations();
    assert!(expectations.len() >= 18, "{}", expectations.len());
    let mut differences = Vec::new();
    for file in expectations {
        let source = Source::of(&file);
        for (name, input) in source.inputs() {
            let (expected, found) = (expected(&source), read(&source, &input, &name));
            differences.extend(difference(&name, &expected, &found));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn difference(at: &str, expected: &Value, found: &Value) -> Vec<String> {
    match (expected, found) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            let nothing = Value::Null;
            let pair = |key: &String| {
                (
                    one.get(key).unwrap_or(&nothing).clone(),
                    other.get(key).unwrap_or(&nothing).clone(),
                )
            };
            keys.into_iter()
                .flat_map(|key| {
                    let (one, other) = pair(key);
                    difference(&format!("{at}.{key}"), &one, &other)
                })
                .collect()
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs
                .flat_map(|(index, (one, other))| difference(&format!("{at}[{index}]"), one, other))
                .collect()
        }
        _ if expected == found => Vec::new(),
        _ => vec![format!("{at}: {expected} expected, {found} found")],
    }
}

#[test]
fn every_preset_has_files_of_its_system() {
    for preset in presets::ALL {
        // What Hallpass exports is tried with the importer.
        let has_files = sources().join(preset.name).join("expected.json").exists();
        assert!(has_files || preset.name == "hallpass", "{}", preset.name);
    }
}

/// Two of each source: all would take a minute.
const TRIED: usize = 2;

#[test]
fn passwords_of_every_source_are_known_and_others_are_not() {
    let mut tried = 0;
    for file in expectations() {
        let source = Source::of(&file);
        let mut hashes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, input) in source.inputs() {
            let lines = open(&input, &source.mapping, &source.options, &mut |_| {}).unwrap();
            for line in lines {
                let Line::Person(person) = line.unwrap() else {
                    continue;
                };
                let hash = match &person.password {
                    Part::Absent => String::new(),
                    Part::Present(hash) => hash.to_string(),
                    Part::Refused(problem) => {
                        panic!("{name}: row {}: {}", person.row, problem.reason)
                    }
                };
                let email = person.email.clone().unwrap();
                hashes.entry(email).or_default().insert(hash);
            }
        }
        let mut left = TRIED;
        for person in source.expected["people"].as_array().unwrap() {
            let stored = &hashes[person["email"].as_str().unwrap()];
            if person["password"].is_null() {
                assert_eq!(
                    stored.iter().collect::<Vec<_>>(),
                    [""],
                    "{}",
                    file.display()
                );
            } else if left > 0 {
                left -= 1;
                for hash in stored {
                    let hash = ImportedHash::parse(hash).unwrap();
                    let accepts = |which: &str| {
                        let typed = person["password"][which].as_str().unwrap();
                        hash.verify(typed, &source.options.peppers)
                    };
                    assert!(
                        accepts("right") && !accepts("wrong"),
                        "{}: {person}",
                        file.display()
                    );
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 20, "{tried}");
}
