//! The memory that reading takes does not grow with the number of people. A file of its own, so that nothing else runs
//! in this process.
#![cfg(target_os = "linux")]
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::fs::{self, File};
use std::io::{BufWriter, Write};

use people_files::{Input, Line, Mapping, Options, open};

const MAPPING: &str = r#"
source = "acme"
[also.account]
on = { user = "id" }
[person]
external_id = "id"
email = "email"
name = "name"
created = "created"
password = "account.hash"
[membership]
organization = { value = "acme", create = true }
manager = { from = "manager", by = "external_id" }
"#;

/// At most, with the program itself.
const MEGABYTES: u64 = 40;

/// In kilobytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn memory_does_not_grow_with_the_number_of_people() {
    let people: u32 = std::env::var("PEOPLE").map_or(30_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (file, accounts) = (
        folder.path().join("people.csv"),
        folder.path().join("accounts.csv"),
    );
    let mut rows = BufWriter::new(File::create(&file).unwrap());
    let mut hashes = BufWriter::new(File::create(&accounts).unwrap());
    writeln!(rows, "id,email,name,created,manager").unwrap();
    writeln!(hashes, "user,hash").unwrap();
    let filler = "name ".repeat(40);
    // Reports come first, in a tree of ten.
    for id in (0..people).rev() {
        let manager = id
            .checked_sub(1)
            .map(|above| (above / 10).to_string())
            .unwrap_or_default();
        writeln!(
            rows,
            "{id},p{id}@example.com,{id} {filler},{},{manager}",
            1_700_000_000 + id
        )
        .unwrap();
        writeln!(
            hashes,
            "{id},$2b$10${id:0>8}ickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
        )
        .unwrap();
    }
    rows.flush().unwrap();
    hashes.flush().unwrap();
    let input = Input::file(file).with("account", accounts);
    let mapping = Mapping::parse(MAPPING).unwrap();
    let options = Options::at("2026-11-30T12:00:00Z".parse().unwrap());
    let before = peak();
    let mut read = 0;
    for line in open(&input, &mapping, &options, &mut |_| {}).unwrap() {
        match line.unwrap() {
            Line::Person(person) if person.password.present().is_some() => read += 1,
            other => unreachable!("{other:?}"),
        }
    }
    assert_eq!(read, people);
    eprintln!(
        "{people} people: {} KB before, {} KB at most",
        before,
        peak()
    );
    assert!(peak() < MEGABYTES << 10, "{} KB", peak());
}
