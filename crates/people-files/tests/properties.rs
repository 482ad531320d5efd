//! Whatever a file holds, reading it ends with people or with an error; and people do not depend on how a table is
//! written.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::Write;

use people_files::{Candidate, Input, Line, Mapping, Options, open};
use proptest::prelude::*;
use serde_json::json;

const MAPPING: &str = r#"
source = "acme"
table = "users"
[also.inside]
inside = "list"
optional = true
[person]
external_id = { from = "id", optional = true }
email = "email"
name = { from = ["name", "email-local"], optional = true }
verified = { from = "flag", optional = true }
created = { from = "date", optional = true }
password = { from = "hash", optional = true }
[membership]
organization = { from = "inside.value", create = true, optional = true }
role = { from = "role", map = { "*" = "employee" }, optional = true }
manager = { from = "manager", optional = true }
[totp]
secret = { from = "totp", optional = true }
[recovery]
codes = { from = "codes", optional = true }
"#;

fn read(bytes: &[u8]) -> Result<Vec<Line>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people");
    fs::write(&path, bytes).unwrap();
    let mapping = Mapping::parse(MAPPING).unwrap();
    let options = Options::at("2026-11-30T12:00:00Z".parse().unwrap());
    let people = open(&Input::file(path), &mapping, &options, &mut |_| {});
    people
        .map_err(|error| error.to_string())?
        .map(|line| line.map_err(|error| error.to_string()))
        .collect()
}

fn people(bytes: &[u8]) -> Vec<Candidate> {
    let lines = read(bytes).unwrap_or_else(|error| panic!("{error}"));
    let people = lines.into_iter().map(|line| match line {
        Line::Person(person) => Candidate { row: 0, ..*person },
        other => panic!("{other:?}"),
    });
    people.collect()
}

/// A table as text: columns, then rows.
type Table = Vec<[String; 3]>;

/// All characters are in Windows-1252, and none of its bytes continues a character of UTF-8.
fn table() -> impl Strategy<Value = Table> {
    let name = "[ -~äöüßÉñ\n\"',;|\t]{0,12}";
    let rows = prop::collection::vec((name, "(true|false|)"), 1..6);
    rows.prop_map(|rows| {
        let header = ["email", "name", "flag"].map(str::to_owned);
        let rows = rows.into_iter().enumerate();
        let rows = rows.map(|(at, (name, flag))| [format!("p{at}@example.com"), name, flag]);
        std::iter::once(header).chain(rows).collect()
    })
}

fn as_csv(table: &Table, delimiter: u8, end: csv::Terminator) -> String {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(end)
        .from_writer(Vec::new());
    table
        .iter()
        .for_each(|row| writer.write_record(row).unwrap());
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

fn as_ndjson(table: &Table) -> String {
    let lines = table[1..].iter().map(|row| {
        let flag = match &*row[2] {
            "" => json!(null),
            flag => json!(flag == "true"),
        };
        json!({ "email": row[0], "name": row[1], "flag": flag }).to_string()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn utf_16(text: &str, mark: bool, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mark = mark.then_some('\u{feff}');
    mark.into_iter()
        .chain(text.chars())
        .collect::<String>()
        .encode_utf16()
        .flat_map(bytes)
        .collect()
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn people_do_not_depend_on_how_their_table_is_written(table in table()) {
        let expected = people(as_ndjson(&table).as_bytes());
        prop_assert_eq!(expected.len(), table.len() - 1);
        let list = format!("[{}]", as_ndjson(&table).replace('\n', ","));
        prop_assert_eq!(&people(list.as_bytes()), &expected);
        prop_assert_eq!(&people(format!("{{\"count\":1,\"users\":{list}}}").as_bytes()), &expected);
        for delimiter in [b',', b';', b'\t', b'|'] {
            for end in [csv::Terminator::CRLF, csv::Terminator::Any(b'\n')] {
                let text = as_csv(&table, delimiter, end);
                let (latin, _, is_lossy) = encoding_rs::WINDOWS_1252.encode(&text);
                prop_assert!(!is_lossy);
                for bytes in [
                    text.as_bytes(),
                    format!("\u{feff}{text}").as_bytes(),
                    &latin,
                    &utf_16(&text, true, u16::to_le_bytes),
                    &utf_16(&text, true, u16::to_be_bytes),
                    &utf_16(&text, false, u16::to_le_bytes),
                    &utf_16(&text, false, u16::to_be_bytes),
                    format!("sep={}\r\n{text}", char::from(delimiter)).as_bytes(),
                    &gzip(text.as_bytes()),
                ] {
                    prop_assert_eq!(&people(bytes), &expected, "{:?}", String::from_utf8_lossy(bytes));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn no_file_takes_the_program_down(bytes: Vec<u8>) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_cell_takes_the_program_down(cells in prop::collection::vec("\\PC{0,30}", 8)) {
        let columns = ["email", "id", "name", "flag", "date", "hash", "totp", "codes"];
        let row: serde_json::Map<String, serde_json::Value> =
            columns.iter().zip(&cells).map(|(column, cell)| ((*column).to_owned(), json!(cell))).collect();
        let _ = read(json!([row]).to_string().as_bytes());
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(columns).unwrap();
        writer.write_record(&cells).unwrap();
        let _ = read(&writer.into_inner().unwrap());
    }

    #[test]
    fn no_cut_file_takes_the_program_down(table in table(), at in 0_usize..400, byte: u8) {
        for text in [as_ndjson(&table), as_csv(&table, b';', csv::Terminator::CRLF)] {
            for mut bytes in [text.clone().into_bytes(), utf_16(&text, true, u16::to_le_bytes), gzip(text.as_bytes())] {
                let at = at % bytes.len();
                bytes[at] = byte;
                let _ = read(&bytes);
                bytes.truncate(at);
                let _ = read(&bytes);
            }
        }
    }

    #[test]
    fn no_mapping_takes_the_program_down(text in "\\PC{0,200}", path in "[a-c.\\[\\]={}#+0-9]{0,16}") {
        let _ = Mapping::parse(&text);
        let mapping = format!("source = \"a\"\n[person]\nemail = \"email\"\nname = {{ from = '{path}', optional = true }}");
        if let Ok(mapping) = Mapping::parse(&mapping) {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("people");
            fs::write(&file, r#"{"email":"ada@example.com","a":{"b":[{"c":1},"x",[2]],"c":"{\"a\":1}"},"b":"e30.e30.x"}"#).unwrap();
            let options = Options::at("2026-11-30T12:00:00Z".parse().unwrap());
            let _ = open(&Input::file(file), &mapping, &options, &mut |_| {});
        }
    }
}
