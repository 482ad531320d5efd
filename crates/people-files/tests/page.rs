//! `docs/moving-in/mapping.md`: each mapping on it is one, and does what the page says.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::fs;

use people_files::{Candidate, Input, Line, Mapping, Options, Role, open};

fn mappings() -> Vec<String> {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/moving-in/mapping.md"
    );
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```toml\n").skip(1);
    blocks
        .map(|block| block.split_once("\n```").unwrap().0.to_owned())
        .collect()
}

fn people(mapping: &str, files: &[(&str, &str)]) -> Vec<Candidate> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let (first, others) = files.split_first().unwrap();
    let input = others.iter().fold(
        Input::file(folder.path().join(first.0)),
        |input, (name, _)| input.with(*name, folder.path().join(name)),
    );
    let mapping = Mapping::parse(mapping).unwrap_or_else(|error| panic!("{error}"));
    let options = Options::at("2026-11-30T12:00:00Z".parse().unwrap());
    let lines =
        open(&input, &mapping, &options, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    lines
        .map(|line| match line.unwrap() {
            Line::Person(person) => *person,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn the_first_mapping_of_the_page_reads_a_spreadsheet() {
    let rows = "id,email,confirmed_at,display_name,first,last,created_at,is_active,password,company,role,boss_email,\
                slack_user,slack_team,totp_secret,recovery_codes\n\
                7,Ada@example.com,2024-01-02,,Ada,Lovelace,01.03.2024,yes,\
                $2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy,Acme,Lead,bob@example.com,U1,,\
                GEZDGNBVGY3TQOJQ,aa-bb cc-dd\n\
                8,bob@example.com,,Bob,,,02.03.2024,no,!,Acme,Admin,,,,,\n";
    let people = people(&mappings()[0], &[("people.csv", rows)]);
    let [bob, ada] = &people[..] else {
        panic!("{people:?}")
    };
    assert_eq!(
        (ada.external_id.as_deref(), ada.email.as_deref()),
        (Some("7"), Some("ada@example.com"))
    );
    assert_eq!(
        (ada.verified, ada.disabled, bob.verified, bob.disabled),
        (true, false, false, true)
    );
    assert_eq!(
        (ada.name.as_deref(), bob.name.as_deref()),
        (Some("Ada Lovelace"), Some("Bob"))
    );
    assert_eq!(
        ada.created.unwrap().to_rfc3339(),
        "2024-02-29T23:00:00+00:00"
    );
    assert!(ada.password.present().is_some() && bob.password.present().is_none());
    let (of_ada, of_bob) = (&ada.memberships[0], &bob.memberships[0]);
    assert_eq!(
        (&*of_ada.organization, of_ada.role, of_bob.role),
        ("Acme", Role::Manager, Role::Admin)
    );
    assert_eq!(of_ada.manager.as_ref().unwrap().value, "bob@example.com");
    assert_eq!((&*ada.slack[0].team, &*ada.slack[0].user), ("T0123", "U1"));
    assert_eq!(ada.totp.present().unwrap(), b"1234567890");
    assert_eq!(ada.recovery_codes.present().unwrap(), &["aa-bb", "cc-dd"]);
}

#[test]
fn the_second_mapping_of_the_page_joins_tables() {
    let people = people(
        &mappings()[1],
        &[
            ("User", "id,email\n1,ada@example.com\n"),
            (
                "Account",
                "userId,provider,providerAccountId,id_token\n1,slack,U1,\n1,google,g,\n",
            ),
            (
                "member",
                "userId,organizationId,role\n1,o1,manager\n1,o2,\n",
            ),
            ("organization", "id,slug\no1,acme\no2,globex\n"),
        ],
    );
    let memberships: Vec<(&str, Role)> = people[0]
        .memberships
        .iter()
        .map(|one| (&*one.organization, one.role))
        .collect();
    assert_eq!(
        memberships,
        [("acme", Role::Manager), ("globex", Role::Employee)]
    );
    assert_eq!(
        (&*people[0].slack[0].team, &*people[0].slack[0].user),
        ("T0123", "U1")
    );
}

#[test]
fn every_mapping_of_the_page_is_tried() {
    assert_eq!(mappings().len(), 2);
}
