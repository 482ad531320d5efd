//! Everything that is ambiguous in files of people, and what comes of it.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use people_files::{
    Candidate, Input, Line, Mapping, NoteCode, Options, Part, Problem, Role, SkippedRow, Slack,
    open,
};
use serde_json::{Value, json};
use tempfile::TempDir;

fn now() -> DateTime<Utc> {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

/// The files of a test, by name; the first one has the people.
struct Files {
    folder: TempDir,
    names: Vec<&'static str>,
}

impl Files {
    fn of(files: &[(&'static str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        Self {
            folder,
            names: files.iter().map(|(name, _)| *name).collect(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Further files are called like their table.
    fn input(&self) -> Input {
        let (first, others) = self.names.split_first().unwrap();
        others
            .iter()
            .fold(Input::file(self.path(first)), |input, name| {
                input.with(name.split('.').next().unwrap(), self.path(name))
            })
    }

    fn read(&self, mapping: &str) -> Result<Vec<Line>, String> {
        self.read_with(mapping, &Options::at(now()))
    }

    fn read_with(&self, mapping: &str, options: &Options) -> Result<Vec<Line>, String> {
        let mapping = Mapping::parse(mapping).unwrap_or_else(|error| panic!("{error}"));
        let people = open(&self.input(), &mapping, options, &mut |_| {});
        let shown = |error: people_files::OpenError| {
            error
                .to_string()
                .replace(&format!("{}/", self.folder.path().display()), "")
        };
        people
            .map_err(shown)?
            .map(|line| line.map_err(shown))
            .collect()
    }
}

fn csv(text: &str) -> Files {
    Files::of(&[("people.csv", text.as_bytes())])
}

fn people(lines: Vec<Line>) -> Vec<Candidate> {
    let people = lines.into_iter().filter_map(|line| match line {
        Line::Person(person) => Some(*person),
        Line::Refused(_) | Line::Skipped(_) => None,
    });
    people.collect()
}

fn refused(lines: &[Line]) -> Vec<(u64, Problem)> {
    let refused = lines.iter().filter_map(|line| match line {
        Line::Refused(row) => Some((row.row, row.problem.clone())),
        Line::Person(_) | Line::Skipped(_) => None,
    });
    refused.collect()
}

fn codes(lines: &[Line]) -> Vec<(u64, String)> {
    refused(lines)
        .into_iter()
        .map(|(row, problem)| (row, problem.code))
        .collect()
}

fn emails(people: &[Candidate]) -> Vec<&str> {
    people
        .iter()
        .map(|person| person.email.as_deref().unwrap_or(""))
        .collect()
}

const EMAIL: &str = "source = \"acme\"\n[person]\nemail = \"email\"\n";

fn mapped(more: &str) -> String {
    format!("{EMAIL}{more}\n")
}

#[test]
fn a_delimiter_is_found_out_or_said() {
    for text in [
        "email,name\nada@example.com,Ada\n",
        "email;name\nada@example.com;Ada\n",
        "email\tname\nada@example.com\tAda\n",
        "email|name\nada@example.com|Ada\n",
        "sep=;\nemail;name\nada@example.com;Ada\n",
        "SEP=^\r\nemail^name\r\nada@example.com^Ada\r\n",
        "\u{feff}sep=,\r\nemail,name\r\nada@example.com,Ada\r\n",
        "email;name\nada@example.com;\"Ada, Countess, of, Lovelace\"\n",
        "\n\nemail;name\n\nada@example.com;Ada\n;\n",
    ] {
        let read = people(csv(text).read(&mapped("name = \"name\"")).unwrap());
        assert_eq!(emails(&read), ["ada@example.com"], "{text}");
        assert!(read[0].name.as_ref().unwrap().starts_with("Ada"), "{text}");
    }
    let said = format!("format = {{ delimiter = \"tab\" }}\n{EMAIL}");
    let read = csv("email\tname,with,commas\nada@example.com\tx\n")
        .read(&said)
        .unwrap();
    assert_eq!(emails(&people(read)), ["ada@example.com"]);
    let only = csv("email\nada@example.com\n").read(EMAIL).unwrap();
    assert_eq!(emails(&people(only)), ["ada@example.com"]);
}

#[test]
fn rows_are_numbered_by_the_line_where_they_begin() {
    let rows = |text: &str| -> Vec<u64> {
        let mut rows: Vec<u64> = people(csv(text).read(EMAIL).unwrap())
            .iter()
            .map(|person| person.row)
            .collect();
        rows.sort_unstable();
        rows
    };
    let two = "email,note\na@example.com,\"one\ntwo\"\nb@example.com,\n";
    assert_eq!(rows(two), [2, 4]);
    assert_eq!(rows(&format!("sep=,\n{two}")), [3, 5]);
    assert_eq!(rows(&two.replace('\n', "\r\n")), [2, 4]);
    assert_eq!(
        rows(&two.replace('\n', "\r")),
        [2, 4],
        "as Excel's \"CSV (Macintosh)\""
    );
    assert_eq!(
        rows("email,note\n\n\na@example.com,\n\nb@example.com,"),
        [4, 6]
    );
    assert_eq!(
        rows("email,note\r\n\r\na@example.com,x\r\n,\r\nb@example.com,y"),
        [3, 5]
    );
    assert_eq!(
        rows("{\"email\":\"a@example.com\"}\n\n{\"email\":\"b@example.com\"}\n"),
        [1, 3]
    );
    assert_eq!(
        rows("[{\"email\":\"a@example.com\"},\n\n{\"email\":\"b@example.com\"}]"),
        [1, 2]
    );
}

#[test]
fn a_file_without_a_header_needs_the_names_of_its_columns() {
    let mapping = format!("format = {{ columns = [\"id\", \"email\", \"extra\"] }}\n{EMAIL}");
    for text in [
        "7,ada@example.com,x,\n",
        "7,ada@example.com,,\n",
        "7,ada@example.com\n",
        "id,email,extra\n7,ada@example.com,x\n",
    ] {
        let read = people(csv(text).read(&mapping).unwrap());
        assert_eq!(emails(&read), ["ada@example.com"], "{text}");
    }
    let error = csv("7,ada@example.com,x,y\n").read(&mapping).unwrap_err();
    assert!(error.contains("row 1: it has 4 cells"), "{error}");
    let error = csv("7,ada@example.com\n8,bob@example.com\n")
        .read(EMAIL)
        .unwrap_err();
    assert!(
        error.contains("has no column \"email\"") && error.contains("It has: 7, ada@example.com."),
        "{error}"
    );
}

#[test]
fn a_file_of_another_shape_is_named_by_its_first_wrong_row() {
    for (text, expected) in [
        (
            "email,name\na@example.com,A\nb@example.com\nc@example.com\n",
            "people.csv, row 3: it has 1 cells",
        ),
        (
            "email,name\na@example.com,A,B,C\n",
            "people.csv, row 2: it has 4 cells",
        ),
        (
            "{\"email\":\"a@example.com\"}\n{\"email\":\nx",
            "people.csv, row 2: it is no JSON object",
        ),
        (
            "{\"email\":\"a@example.com\"}\n[1]\n",
            "people.csv, row 2: it is no JSON object",
        ),
        (
            "[{\"email\":\"a@example.com\"},7]",
            "people.csv, row 2: invalid type",
        ),
        ("[{\"email\":\"a@example.com\"},", "people.csv, row 2: EOF"),
        ("[{\"email\":\"a@example.com\"}] x", "trailing characters"),
        (
            "email,email\na@example.com,b@example.com\n",
            "people.csv, row 1: the header names \"email\" twice",
        ),
    ] {
        let error = csv(text).read(EMAIL).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let open_quote = format!(
        "email,name\na@example.com,\"A\n{}",
        "b@example.com,B\n".repeat(400_000)
    );
    let error = csv(&open_quote).read(EMAIL).unwrap_err();
    assert!(
        error.contains("row 2: it is longer than 4 MB. Is there a quote that is not closed?"),
        "{error}"
    );
    let element = format!(
        "[{{\"email\":\"a@example.com\"}},{{\"email\":\"{}\"}}]",
        "b".repeat(17 << 20)
    );
    let error = csv(&element).read(EMAIL).unwrap_err();
    assert!(
        error.contains("people.csv, row 2: it is longer than 16 MB"),
        "{error}"
    );
    let workbook = Files::of(&[("people.csv", b"PK\x03\x04xlsx")]);
    assert!(
        workbook
            .read(EMAIL)
            .unwrap_err()
            .contains("Save it as \"CSV UTF-8\"")
    );
}

#[test]
fn nobody_in_the_file_is_an_error() {
    for text in ["", "email\n", "email\n\n\n", "[]", "\u{feff}"] {
        let error = csv(text).read(EMAIL).unwrap_err();
        assert!(
            error.contains("0 people") || error.contains("has no column"),
            "{text:?}: {error}"
        );
    }
    let error = csv("email\n\"\"\n \n").read(EMAIL).unwrap_err();
    assert!(error.contains("0 people"), "{error}");
    let error = csv("email,id\n,1\n,2\n").read(EMAIL).unwrap_err();
    assert!(
        error.contains("none of the 2 rows is taken. Row 2: There is neither an address"),
        "{error}"
    );
    let realm = csv("{\"realm\":\"acme\",\"users\":[]}")
        .read(&format!("table = \"users\"\n{EMAIL}"))
        .unwrap_err();
    assert!(realm.contains("0 people"), "{realm}");
    let elsewhere = csv("{\"realm\":\"acme\",\"groups\":[]}")
        .read(&format!("table = \"users\"\n{EMAIL}"))
        .unwrap_err();
    assert!(
        elsewhere.contains("has no column \"email\"") && elsewhere.contains("realm"),
        "{elsewhere}"
    );
}

#[test]
fn a_missing_column_names_those_there_are_and_the_nearest() {
    let error = csv("e-mail,name\nada@example.com,Ada\n")
        .read(EMAIL)
        .unwrap_err();
    assert_eq!(
        error,
        "people.csv has no column \"email\", which `person.email` of the mapping names. \
         It has: e-mail, name. Did you mean \"e-mail\"?"
    );
    let ndjson = csv("{\"mail\":\"ada@example.com\"}\n")
        .read(EMAIL)
        .unwrap_err();
    assert!(ndjson.contains("has no column \"email\""), "{ndjson}");
    for needed in [
        "disabled = \"banned\"",
        "name = [\"nick\", \"email-local\"]",
        "created = \"profile.since\"",
        "name = \"first+last\"",
    ] {
        let error = csv("email\nada@example.com\n")
            .read(&mapped(needed))
            .unwrap_err();
        assert!(error.contains("has no column"), "{needed}: {error}");
    }
    let optional = mapped("disabled = { from = \"banned\", optional = true }");
    assert!(!people(csv("email\nada@example.com\n").read(&optional).unwrap())[0].disabled);
    let skip = format!("skip = {{ deleted = \"not-null\" }}\n{EMAIL}");
    assert!(
        csv("email\nada@example.com\n")
            .read(&skip)
            .unwrap_err()
            .contains("`skip`")
    );
}

#[test]
fn two_rows_of_one_person_are_not_merged() {
    let files = csv(
        "id,email\n1,ada@example.com\n2,ADA@Example.com\n1,bob@example.com\n3, bob@example.com \n",
    );
    let lines = files.read(&mapped("external_id = \"id\"")).unwrap();
    assert_eq!(
        codes(&lines),
        [
            (3, "duplicate_email".to_owned()),
            (4, "duplicate_external_id".to_owned())
        ]
    );
    assert_eq!(refused(&lines)[0].1.reason, "Row 2 has the same address.");
    assert_eq!(refused(&lines)[1].1.reason, "Row 2 has the same id.");
    assert_eq!(
        emails(&people(lines)),
        ["ada@example.com", "bob@example.com"]
    );
}

#[test]
fn addresses_are_trimmed_and_folded_unless_said_otherwise() {
    let text = "email\n  Ada@Example.COM \n";
    assert_eq!(
        emails(&people(csv(text).read(EMAIL).unwrap())),
        ["ada@example.com"]
    );
    let kept = "source = \"acme\"\n[person]\nemail = { from = \"email\", fold = false }\n";
    assert_eq!(
        emails(&people(csv(text).read(kept).unwrap())),
        ["Ada@Example.COM"]
    );
    let umlaut = people(csv("email\nmüller@example.com\n").read(EMAIL).unwrap());
    assert_eq!(
        emails(&umlaut),
        ["müller@example.com"],
        "the importer decides what an address is"
    );
}

#[test]
fn an_address_is_verified_only_where_the_file_says_so() {
    let verified = |cell: &str, field: &str| {
        let files = csv(&format!("email,v\nada@example.com,{cell}\n"));
        let lines = files.read(&mapped(field)).unwrap_or_else(|error| {
            // The only row was refused.
            panic!("{cell} {field}: {error}")
        });
        people(lines)[0].verified
    };
    let auto = "verified = \"v\"";
    for (cell, is_verified) in [
        ("true", true),
        ("t", true),
        ("1", true),
        ("YES", true),
        ("2024-03-01T00:00:00Z", true),
        ("1709251200000", true),
        ("false", false),
        ("f", false),
        ("0", false),
        ("no", false),
        ("", false),
        ("NULL", false),
        ("0000-00-00 00:00:00", false),
        (r"\N", false),
    ] {
        assert_eq!(verified(cell, auto), is_verified, "{cell}");
    }
    let not_null = "verified = { from = \"v\", when = \"not-null\" }";
    for (cell, is_verified) in [
        ("2024-03-01", true),
        ("whatever", true),
        ("", false),
        ("null", false),
        ("0000-00-00", false),
    ] {
        assert_eq!(verified(cell, not_null), is_verified, "{cell}");
    }
    let listed = "verified = { from = \"v\", when = \"contains-email\" }";
    for (cell, is_verified) in [
        ("ADA@example.com", true),
        ("\"bob@example.com, ada@example.com\"", true),
        ("bob@example.com|ada@example.com", true),
        ("\"[\"\"ada@example.com\"\"]\"", true),
        ("bob@example.com", false),
        ("ada@example.com.evil.example", false),
        ("", false),
    ] {
        assert_eq!(verified(cell, listed), is_verified, "{cell}");
    }
    assert!(verified("", "verified = { when = \"always\" }"));
    assert!(!verified(
        "true",
        "verified = { from = \"v\", when = \"never\" }"
    ));
    assert!(!verified("true", ""));
    for (cell, field, code) in [
        ("false", not_null, "not_a_date"),
        (
            "2024-03-01",
            "verified = { from = \"v\", when = \"true\" }",
            "not_a_boolean",
        ),
    ] {
        let files = csv(&format!(
            "email,v\nada@example.com,{cell}\nbob@example.com,\n"
        ));
        assert_eq!(
            codes(&files.read(&mapped(field)).unwrap()),
            [(2, code.to_owned())]
        );
    }
    let trust = Options {
        trust_emails: true,
        ..Options::at(now())
    };
    let trusted = csv("email,v\nada@example.com,false\n")
        .read_with(&mapped(auto), &trust)
        .unwrap();
    assert!(people(trusted)[0].verified);
}

#[test]
fn whoever_is_disabled_there_is_disabled_here() {
    let disabled = |cell: &str, field: &str| {
        let files = csv(&format!("email,d\nada@example.com,{cell}\n"));
        people(files.read(&mapped(&format!("disabled = {field}"))).unwrap())[0].disabled
    };
    for (cell, field, is_disabled) in [
        ("true", "\"d\"", true),
        ("", "\"d\"", false),
        ("0", "{ from = \"d\", invert = true }", true),
        ("1", "{ from = \"d\", invert = true }", false),
        ("", "{ from = \"d\", invert = true }", false),
        ("inactive", "{ from = \"d\", invert = true }", true),
        ("2024-01-01", "{ from = \"d\", when = \"not-null\" }", true),
        (
            "",
            "{ from = \"d\", when = \"not-null\", invert = true }",
            true,
        ),
        (
            "2027-01-01T00:00:00Z",
            "{ from = \"d\", when = \"in-future\" }",
            true,
        ),
        (
            "2026-01-01T00:00:00Z",
            "{ from = \"d\", when = \"in-future\" }",
            false,
        ),
        ("", "{ from = \"d\", when = \"in-future\" }", false),
    ] {
        assert_eq!(disabled(cell, field), is_disabled, "{cell} {field}");
    }
}

#[test]
fn dates_that_need_a_format_ask_for_it() {
    let files = csv(
        "email,c\na@example.com,01.03.2024\nb@example.com,45352\nc@example.com,2024-03-01T10:00:00Z\n",
    );
    let lines = files.read(&mapped("created = \"c\"")).unwrap();
    assert_eq!(
        codes(&lines),
        [
            (2, "ambiguous_date".to_owned()),
            (3, "ambiguous_date".to_owned())
        ]
    );
    assert!(
        refused(&lines)[0]
            .1
            .remedy
            .contains("`date = \"%d.%m.%Y\"`")
    );
    let field = mapped("created = { from = \"c\", date = \"%d.%m.%Y\", zone = \"Europe/Zurich\" }");
    let lines = files.read(&field).unwrap();
    assert_eq!(codes(&lines).len(), 2);
    let created = people(lines)[0].created.unwrap();
    assert_eq!(created.to_rfc3339(), "2024-02-29T23:00:00+00:00");
    let zeros = csv("email,c\na@example.com,0000-00-00 00:00:00\n")
        .read(&mapped("created = \"c\""))
        .unwrap();
    assert_eq!(people(zeros)[0].created, None);
}

#[test]
fn names_come_from_the_first_column_that_has_one() {
    let field = mapped("name = [\"display\", \"first+last\", \"email-local\"]");
    let name = |cells: &str| {
        let files = csv(&format!(
            "email,display,first,last\nada@example.com,{cells}\n"
        ));
        let person = people(files.read(&field).unwrap()).remove(0);
        (
            person.name.unwrap(),
            person
                .notes
                .iter()
                .map(|note| note.code)
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(name("A. L.,Ada,Lovelace"), ("A. L.".to_owned(), vec![]));
    assert_eq!(name(",Ada,Lovelace"), ("Ada Lovelace".to_owned(), vec![]));
    assert_eq!(name(" , Ada ,"), ("Ada".to_owned(), vec![]));
    assert_eq!(name(",,"), ("ada".to_owned(), vec![]));
    assert_eq!(
        name("\"Ada\nL.\",,"),
        ("Ada L.".to_owned(), vec![NoteCode::NameControlCharacters])
    );
    let long = "x".repeat(300);
    assert_eq!(
        name(&format!("{long},,")),
        ("x".repeat(201), vec![NoteCode::NameCut])
    );
    let own = csv("email,first+last\nada@example.com,Own\n")
        .read(&mapped("name = \"first+last\""))
        .unwrap();
    assert_eq!(
        people(own)[0].name.as_deref(),
        Some("Own"),
        "a column of exactly that name counts first"
    );
}

const TEAM: &str = "
[membership]
organization = { from = \"org\", create = true }
role = { from = \"role\", map = { boss = \"admin\", lead = \"manager\", worker = \"employee\" } }
manager = { from = \"manager\", by = \"email\" }
";

#[test]
fn a_role_outside_the_map_stops_the_run() {
    let files = csv(
        "email,org,role,manager\na@example.com,acme,boss,\nb@example.com,acme,Boss,\nc@example.com,acme,intern,\nd@example.com,acme,intern,\n",
    );
    let error = files.read(&mapped(TEAM)).unwrap_err();
    assert!(
        error.contains("\"Boss\" (row 3), \"intern\" (row 4 and 1 more)"),
        "{error}"
    );
    let any = TEAM.replace("worker =", "\"*\" =");
    let roles: Vec<Role> = people(files.read(&mapped(&any)).unwrap())
        .iter()
        .map(|person| person.memberships[0].role)
        .collect();
    assert_eq!(
        roles,
        [Role::Admin, Role::Employee, Role::Employee, Role::Employee]
    );
    let none = csv("email,org,role,manager\na@example.com,acme,,\nb@example.com,,boss,\n")
        .read(&mapped(TEAM))
        .unwrap();
    let none = people(none);
    assert_eq!(
        none[0].memberships[0].role,
        Role::Employee,
        "no role is the least one"
    );
    assert_eq!(none[1].memberships, [], "no organization is no membership");
}

#[test]
fn managers_come_before_their_reports_wherever_they_are() {
    let files = csv("email,org,role,manager\n\
         c@example.com,acme,worker,b@example.com\n\
         b@example.com,acme,lead,A@Example.com\n\
         a@example.com,acme,boss,\n\
         d@example.com,acme,worker,elsewhere@example.com\n");
    let people = people(files.read(&mapped(TEAM)).unwrap());
    assert_eq!(
        emails(&people),
        [
            "a@example.com",
            "d@example.com",
            "b@example.com",
            "c@example.com"
        ]
    );
    let manager = |at: usize| {
        people[at].memberships[0]
            .manager
            .as_ref()
            .map(|manager| &*manager.value)
    };
    assert_eq!(
        manager(1),
        Some("elsewhere@example.com"),
        "the importer looks for managers who are here already"
    );
    assert_eq!(manager(2), Some("a@example.com"));
}

#[test]
fn people_of_one_level_come_by_their_id_or_date() {
    let uuids = csv(
        "id,email\n00000000-0000-4000-8000-000000000002,b@example.com\n00000000-0000-4000-8000-000000000001,a@example.com\n",
    );
    let lines = uuids.read(&mapped("external_id = \"id\"")).unwrap();
    assert_eq!(emails(&people(lines)), ["a@example.com", "b@example.com"]);
    let dates =
        csv("email,c\nb@example.com,2024-01-02\nnone@example.com,\na@example.com,2024-01-01\n");
    let lines = dates.read(&mapped("created = \"c\"")).unwrap();
    assert_eq!(
        emails(&people(lines)),
        ["a@example.com", "b@example.com", "none@example.com"]
    );
}

#[test]
fn managers_in_a_circle_lose_one_edge() {
    let files = csv("email,org,role,manager\n\
         x@example.com,acme,worker,c@example.com\n\
         a@example.com,acme,worker,b@example.com\n\
         b@example.com,acme,worker,c@example.com\n\
         c@example.com,acme,worker,a@example.com\n\
         self@example.com,acme,worker,self@example.com\n\
         z@example.com,acme,worker,self@example.com\n");
    let people = people(files.read(&mapped(TEAM)).unwrap());
    assert_eq!(people.len(), 6);
    let circles: Vec<&str> = people
        .iter()
        .filter(|person| {
            person
                .notes
                .iter()
                .any(|note| note.code == NoteCode::ManagerCircle)
        })
        .map(|person| person.email.as_deref().unwrap())
        .collect();
    assert_eq!(circles, ["a@example.com", "self@example.com"]);
    let place = |email: &str| {
        people
            .iter()
            .position(|person| person.email.as_deref() == Some(email))
            .unwrap()
    };
    for person in &people {
        match &person.memberships[0].manager {
            Some(manager) => assert!(place(&manager.value) < place(person.email.as_ref().unwrap())),
            None => assert!(circles.contains(&person.email.as_deref().unwrap())),
        }
    }
}

#[test]
fn nobody_is_more_than_64_managers_below_the_top() {
    let rows: Vec<String> = (0..70_u32)
        .rev()
        .map(|at| {
            let manager = at
                .checked_sub(1)
                .map(|above| format!("p{above}@example.com"))
                .unwrap_or_default();
            format!("p{at}@example.com,acme,worker,{manager}\n")
        })
        .collect();
    let files = csv(&format!("email,org,role,manager\n{}", rows.concat()));
    let lines = files.read(&mapped(TEAM)).unwrap();
    assert_eq!(codes(&lines).len(), 5);
    assert!(
        codes(&lines)
            .iter()
            .all(|(_, code)| code == "manager_chain_too_long")
    );
    assert_eq!(people(lines).len(), 65);
}

#[test]
fn managers_by_external_id_are_found_too() {
    let mapping = mapped(
        "external_id = \"id\"\n[membership]\norganization = { value = \"acme\" }\nmanager = { from = \"boss\", by = \"external_id\" }",
    );
    let files = csv("id,email,boss\n2,b@example.com,1\n1,a@example.com,\n");
    assert_eq!(
        emails(&people(files.read(&mapping).unwrap())),
        ["a@example.com", "b@example.com"]
    );
}

const TABLES: &str = r##"
source = "acme"
table = ["User", "users"]
[also.account]
from = ["Account", "accounts"]
on = { userId = "id" }
where = { provider = "slack" }
optional = true
[also.member]
on = { userId = "id" }
[also.organization]
on = { id = "member.organizationId" }
[person]
external_id = "id"
email = "email"
[membership]
organization = { from = "organization.slug", create = true }
role = { from = "member.role", map = { owner = "admin", admin = "admin", member = "employee" } }
[slack]
user = "account.providerAccountId"
team = { from = "account.id_token#https://slack.com/team_id" }
"##;

fn tables() -> Vec<(&'static str, Value)> {
    let payload =
        data_encoding::BASE64URL_NOPAD.encode(br#"{"https://slack.com/team_id":"T0123"}"#);
    let token = format!("e30.{payload}.c2ln");
    vec![
        (
            "users",
            json!([{ "id": 1, "email": "ada@example.com" }, { "id": 2, "email": "bob@example.com" }, { "id": 3, "email": null }]),
        ),
        (
            "accounts",
            json!([
                { "userId": 1, "provider": "google", "providerAccountId": "g", "id_token": null },
                { "userId": 1, "provider": "slack", "providerAccountId": "U1", "id_token": token },
                { "userId": 2, "provider": "slack", "providerAccountId": "U2", "id_token": null },
                { "userId": 3, "provider": "slack", "providerAccountId": "U3", "id_token": token },
            ]),
        ),
        (
            "member",
            json!([
                { "userId": 1, "organizationId": "o1", "role": "member,owner" },
                { "userId": 1, "organizationId": "o2", "role": "member" },
                { "userId": 2, "organizationId": "gone", "role": "member" },
            ]),
        ),
        (
            "organization",
            json!([{ "id": "o1", "slug": "acme" }, { "id": "o2", "slug": "globex" }]),
        ),
    ]
}

fn check_tables(lines: Vec<Line>) {
    let people = people(lines);
    let slack = |user: &str| {
        vec![Slack {
            team: "T0123".to_owned(),
            user: user.to_owned(),
        }]
    };
    assert_eq!(people.len(), 3);
    let by_id = |id: &str| {
        people
            .iter()
            .find(|person| person.external_id.as_deref() == Some(id))
            .unwrap()
    };
    let memberships: Vec<(&str, Role)> = by_id("1")
        .memberships
        .iter()
        .map(|one| (&*one.organization, one.role))
        .collect();
    assert_eq!(
        memberships,
        [("acme", Role::Admin), ("globex", Role::Employee)]
    );
    assert_eq!(by_id("1").slack, slack("U1"));
    assert_eq!(by_id("2").slack, []);
    assert_eq!(by_id("2").notes[0].code, NoteCode::SlackWithoutTeam);
    assert_eq!(by_id("2").memberships, []);
    assert_eq!(
        (by_id("3").email.as_deref(), &by_id("3").slack),
        (None, &slack("U3"))
    );
}

#[test]
fn tables_in_one_json_file_are_joined() {
    let all: serde_json::Map<String, Value> = tables()
        .into_iter()
        .map(|(name, rows)| (name.to_owned(), rows))
        .collect();
    let whole = Files::of(&[("dump.json", &serde_json::to_vec(&all).unwrap())]);
    check_tables(whole.read(TABLES).unwrap());
    let inside = Files::of(&[(
        "dump.json",
        &serde_json::to_vec(&json!({ "a": { "db": all } })).unwrap(),
    )]);
    check_tables(
        inside
            .read(&format!("format = {{ path = \"a.db\" }}\n{TABLES}"))
            .unwrap(),
    );
}

#[test]
fn tables_in_files_of_their_own_are_joined() {
    let json: Vec<(&str, Vec<u8>)> = tables()
        .iter()
        .map(|(name, rows)| (*name, rows.to_string().into_bytes()))
        .collect();
    let files: Vec<(&'static str, &[u8])> =
        json.iter().map(|(name, bytes)| (*name, &**bytes)).collect();
    check_tables(Files::of(&files).read(TABLES).unwrap());
    let error = Files::of(&files[..2]).read(TABLES).unwrap_err();
    assert!(
        error.contains("[also.member]") && error.contains("--with member=FILE"),
        "{error}"
    );
    let unknown = Files::of(&[files[0], ("accounts2", b"[]")])
        .read(TABLES)
        .unwrap_err();
    assert!(
        unknown.contains("--with accounts2=") && unknown.contains("Did you mean \"accounts\"?"),
        "{unknown}"
    );
}

#[test]
fn tables_of_a_sqlite_file_are_joined() {
    let files = Files::of(&[("app.db", b"")]);
    let database = rusqlite::Connection::open(files.path("app.db")).unwrap();
    for (name, rows) in tables() {
        let columns: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
        let names = columns
            .iter()
            .map(|column| format!("\"{column}\""))
            .collect::<Vec<_>>()
            .join(", ");
        database
            .execute(&format!("create table \"{name}\" ({names})"), [])
            .unwrap();
        for row in rows.as_array().unwrap() {
            let values = columns.iter().map(|column| match &row[&***column] {
                Value::Null => "null".to_owned(),
                Value::String(text) => format!("'{text}'"),
                other => other.to_string(),
            });
            let values = values.collect::<Vec<_>>().join(", ");
            database
                .execute(&format!("insert into \"{name}\" values ({values})"), [])
                .unwrap();
        }
    }
    check_tables(files.read(TABLES).unwrap());
    let people = Files::of(&[("users", tables()[0].1.to_string().as_bytes())]);
    let database = files.path("app.db");
    let input = ["account", "member", "organization"]
        .into_iter()
        .fold(people.input(), |input, name| input.with(name, &database));
    let mapping = Mapping::parse(TABLES).unwrap();
    let lines = open(&input, &mapping, &Options::at(now()), &mut |_| {}).unwrap();
    check_tables(lines.map(Result::unwrap).collect());
    let other = TABLES.replace("[\"User\", \"users\"]", "\"people\"");
    let error = files.read(&other).unwrap_err();
    assert!(
        error.contains(
            "there is no table people. There are: accounts, member, organization, users."
        ),
        "{error}"
    );
    let error = files
        .read(&TABLES.replace(
            "userId = \"id\" }\n[also.org",
            "user_id = \"id\" }\n[also.org",
        ))
        .unwrap_err();
    assert!(
        error.contains("has no column \"user_id\", which `also.member.on`"),
        "{error}"
    );
}

#[test]
fn the_operator_names_the_team_at_slack() {
    let files = csv("email,slack\nada@example.com,U1\n");
    let mapping = mapped("[slack]\nuser = \"slack\"\nteam = { value = \"T0001\" }");
    let team = |options: &Options| {
        people(files.read_with(&mapping, options).unwrap())[0].slack[0]
            .team
            .clone()
    };
    assert_eq!(team(&Options::at(now())), "T0001");
    assert_eq!(
        team(&Options {
            slack_team: Some("T0002".to_owned()),
            ..Options::at(now())
        }),
        "T0002"
    );
}

#[test]
fn rows_that_the_mapping_leaves_out_are_not_refused() {
    let mapping = format!(
        "skip = {{ deleted_at = \"not-null\", is_anonymous = true, kind = [\"bot\", \"service*\"] }}\n{EMAIL}external_id = \"id\"\n"
    );
    let files = csv(
        "id,email,deleted_at,is_anonymous,kind\n1,a@example.com,,f,\n2,b@example.com,2024-01-01,f,\n3,c@example.com,,t,\n4,d@example.com,,,service account\n",
    );
    let lines = files.read(&mapping).unwrap();
    let skipped: Vec<&SkippedRow> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Skipped(row) => Some(row),
            Line::Person(_) | Line::Refused(_) => None,
        })
        .collect();
    let because: Vec<(u64, &str)> = skipped.iter().map(|row| (row.row, &*row.because)).collect();
    assert_eq!(
        because,
        [(3, "deleted_at"), (4, "is_anonymous"), (5, "kind")]
    );
    assert_eq!(skipped[0].external_id.as_deref(), Some("2"));
    assert_eq!(emails(&people(lines)), ["a@example.com"]);
}

#[test]
fn lists_inside_a_row_are_rows_of_their_own() {
    let mapping = mapped(
        "[also.identity]\ninside = \"identities\"\nwhere = { provider = \"slack\" }\n[also.group]\ninside = \"groups\"\n\
         [membership]\norganization = { from = \"group.value\", create = true }\n\
         [slack]\nuser = \"identity.user_id\"\nteam = \"identity.team\"\n",
    );
    let files = csv(
        "{\"email\":\"ada@example.com\",\"groups\":[\"acme\",\"globex\"],\"identities\":[{\"provider\":\"google\",\"user_id\":\"1\"},\
         {\"provider\":\"slack\",\"user_id\":\"U1\",\"team\":\"T1\"},{\"provider\":\"slack\",\"user_id\":\"U2\",\"team\":\"T1\"}]}\n",
    );
    let person = people(files.read(&mapping).unwrap()).remove(0);
    let users: Vec<&str> = person.slack.iter().map(|slack| &*slack.user).collect();
    assert_eq!(users, ["U1", "U2"]);
    let organizations: Vec<&str> = person
        .memberships
        .iter()
        .map(|one| &*one.organization)
        .collect();
    assert_eq!(organizations, ["acme", "globex"]);
}

#[test]
fn several_rows_where_one_counts_are_noted() {
    let mapping = mapped(
        "password = \"account.password\"\nexternal_id = \"id\"\n[also.account]\non = { user = \"id\" }",
    );
    let files = Files::of(&[
        ("people.csv", b"id,email\n1,ada@example.com\n"),
        ("account.csv", b"user,password\n1,*\n1,x\n"),
    ]);
    let person = people(files.read(&mapping).unwrap()).remove(0);
    assert_eq!(person.notes[0].code, NoteCode::SeveralRows);
    assert_eq!(person.password, Part::Absent, "`*` is no password");
}

#[test]
fn a_part_that_is_refused_leaves_the_person() {
    let mapping = mapped("password = \"p\"\n[totp]\nsecret = \"t\"\ndigits = \"d\"\n");
    let files = csv(
        "email,p,t,d\nada@example.com,21232f297a57a5a743894a0e4a801fc3,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ,8\n",
    );
    let person = people(files.read(&mapping).unwrap()).remove(0);
    let code = |refused: bool, code: &str| assert!(refused, "{code}");
    match (&person.password, &person.totp) {
        (Part::Refused(password), Part::Refused(totp)) => {
            assert!(password.code.starts_with("password_"), "{password:?}");
            assert_eq!(totp.code, "totp_parameters");
        }
        other => panic!("{other:?}"),
    }
    code(
        !format!("{person:?}").contains("GEZDGNBV"),
        "secrets are not shown",
    );
}

#[test]
fn paths_lead_into_objects_lists_and_texts_with_json() {
    let row = json!({
        "mails": [{ "value": "old@example.com", "primary": false }, { "value": "ada@example.com", "primary": true }],
        "profile": "{\"name\":{\"full\":\"Ada\"}}",
        "_id": { "$oid": "65f0" },
        "dotted.key": { "x.y": "found" },
    });
    let files = csv(&row.to_string());
    for (field, expected) in [
        ("name = \"profile.name.full\"", "Ada"),
        ("name = \"auth0|{_id.$oid}\"", "auth0|65f0"),
        ("name = \"dotted.key.x.y\"", "found"),
        ("name = \"mails[0].value\"", "old@example.com"),
        (
            "name = [\"profile.nick\", \"mails[].value\"]",
            "old@example.com",
        ),
        ("name = \"mails[primary=true].value\"", "ada@example.com"),
        (
            "name = [\"mails[primary=maybe].value\", \"email-local\"]",
            "ada",
        ),
    ] {
        let mapping =
            format!("source = \"a\"\n[person]\nemail = \"mails[primary=true].value\"\n{field}\n");
        let person = people(files.read(&mapping).unwrap()).remove(0);
        assert_eq!(person.name.as_deref(), Some(expected), "{field}");
        assert_eq!(person.email.as_deref(), Some("ada@example.com"));
    }
}

#[test]
fn compressed_files_are_read() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"{\"email\":\"ada@example.com\"}\n{\"email\":\"bob@example.com\"}\n")
        .unwrap();
    let bytes = gzip.finish().unwrap();
    let files = Files::of(&[("users.ndjson.gz", &bytes)]);
    assert_eq!(people(files.read(EMAIL).unwrap()).len(), 2);
    let cut = Files::of(&[("users.ndjson.gz", &bytes[..bytes.len() - 12])]);
    assert!(
        cut.read(EMAIL).is_err(),
        "a file that ends too early is not half a file"
    );
}

#[test]
fn what_hallpass_exports_comes_back() {
    let id = |number: u32| format!("00000000-0000-7000-8000-{number:012}");
    let hash = "$2b$04$MJPWyXuX/NfejqOUEdXPpO.l5qzZ2kwDfxx0jAP6I/taNn6PpnW8m";
    let line = json!({
        "id": id(2),
        "external_ids": [{ "source": "acme-app", "external_id": "7" }],
        "email": "ada@example.com",
        "email_verified_at": "2024-01-02T03:04:05Z",
        "name": "Ada Lovelace",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "created_at": "2024-01-01T00:00:00Z",
        "disabled_at": null,
        "memberships": [
            { "organization": "acme", "organization_name": "Acme", "role": "manager", "manager": id(1) },
            { "organization": "globex", "organization_name": "Globex", "role": "employee", "manager": null },
        ],
        "slack": [{ "team": "T1", "user": "U1" }, { "team": "T2", "user": "U2" }],
        "password_hash": hash,
        "totp": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "recovery_code_hashes": [],
    });
    let mapping = people_files::presets::find("hallpass").unwrap().toml;
    let ada = people(csv(&line.to_string()).read(mapping).unwrap()).remove(0);
    assert_eq!(ada.external_id, Some(id(2)));
    assert_eq!(
        (ada.first_name.as_deref(), ada.last_name.as_deref()),
        (Some("Ada"), Some("Lovelace"))
    );
    assert!(ada.verified && !ada.disabled);
    let memberships = ada
        .memberships
        .iter()
        .map(|one| (&*one.organization, one.role, one.manager.is_some()));
    assert_eq!(
        memberships.collect::<Vec<_>>(),
        [
            ("acme", Role::Manager, true),
            ("globex", Role::Employee, false)
        ]
    );
    assert_eq!(ada.slack.len(), 2);
    assert_eq!(
        ada.password.present().unwrap().to_string(),
        format!("$in$nfkc,cut72{hash}")
    );
    assert_eq!(ada.totp.present().unwrap(), b"12345678901234567890");
    let mut without = line;
    for secret in ["password_hash", "totp", "recovery_code_hashes"] {
        without.as_object_mut().unwrap().remove(secret);
    }
    let ada = people(csv(&without.to_string()).read(mapping).unwrap()).remove(0);
    assert_eq!((ada.password, ada.totp), (Part::Absent, Part::Absent));
}

#[test]
fn a_hash_that_many_people_have_is_refused() {
    let hash = |salt: char| {
        format!(
            "$2b$04${}",
            "MJPWyXuX/NfejqOUEdXPpO.l5qzZ2kwDfxx0jAP6I/taNn6PpnW8m".replacen(
                'M',
                &salt.to_string(),
                1
            )
        )
    };
    let rows: Vec<String> = "aaabbc"
        .chars()
        .enumerate()
        .map(|(at, salt)| format!("p{at}@example.com,{}\n", hash(salt)))
        .collect();
    let files = csv(&format!("email,p\n{}", rows.concat()));
    let people = people(
        files
            .read(&mapped("password = { from = \"p\", scheme = \"bcrypt\" }"))
            .unwrap(),
    );
    let refused: Vec<bool> = people.iter().map(|person| matches!(&person.password, Part::Refused(problem) if problem.code == "password_shared")).collect();
    assert_eq!(refused, [true, true, true, false, false, false]);
}

#[test]
fn lines_are_handed_out_as_often_as_needed() {
    let rows: Vec<String> = (0..500).map(|at| format!("p{at}@example.com\n")).collect();
    let files = csv(&format!("email\n{}P1@example.com\n\"\n\"\n", rows.concat()));
    let mapping = Mapping::parse(EMAIL).unwrap();
    let mut heard = 0;
    let mut lines = open(&files.input(), &mapping, &Options::at(now()), &mut |rows| {
        heard = rows;
    })
    .unwrap();
    assert_eq!((lines.len(), lines.people(), heard), (501, 500, 501));
    assert!(
        lines
            .input()
            .ends_with("people.csv (CSV separated by `,`, utf-8)"),
        "{}",
        lines.input()
    );
    let first: Vec<Line> = lines.by_ref().map(Result::unwrap).collect();
    assert_eq!(first.len(), 501);
    assert!(matches!(&first[0], Line::Refused(row) if row.row == 502));
    assert!(lines.next().is_none());
    lines.rewind();
    assert_eq!(lines.by_ref().take(300).count(), 300);
    lines.rewind();
    assert_eq!(lines.map(Result::unwrap).collect::<Vec<_>>(), first);
}

#[test]
fn a_file_in_two_encodings_is_named_by_its_first_wrong_line() {
    let mixed = Files::of(&[(
        "people.csv",
        b"email,name\na@example.com,\xc3\xa9\xc3\xa9\nb@example.com,\xe9\n",
    )]);
    let error = mixed.read(EMAIL).unwrap_err();
    assert!(
        error.contains("people.csv, row 3: this line is not UTF-8, and others are"),
        "{error}"
    );
    let latin = Files::of(&[("people.csv", b"email,name\na@example.com,\xe9\n")]);
    let read = people(latin.read(&mapped("name = \"name\"")).unwrap());
    assert_eq!(read[0].name.as_deref(), Some("é"));
    let json = Files::of(&[(
        "people.json",
        b"{\"email\":\"a@example.com\"}\n{\"email\":\"b@example.com\",\"name\":\"\xe9\"}\n",
    )]);
    let error = json.read(EMAIL).unwrap_err();
    assert!(
        error.contains("people.json, row 2: JSON is UTF-8"),
        "{error}"
    );
    let declared = format!(
        "format = {{ encoding = \"windows-1252\" }}\n{EMAIL}name = {{ from = \"name\", optional = true }}\n"
    );
    assert_eq!(
        people(json.read(&declared).unwrap())[1].name.as_deref(),
        Some("é")
    );
    let wrong = format!("format = {{ encoding = \"utf-8\" }}\n{EMAIL}");
    assert!(
        latin
            .read(&wrong)
            .unwrap_err()
            .contains("row 2: it is not UTF-8")
    );
}

#[test]
fn a_secret_of_the_old_system_that_is_not_set_is_named_first() {
    let files = csv(
        "email,password\nada@example.com,$2a$10$8K1p/a0dL1LXMIgoEDFrwOfMQD8d0Y7cQ7xJfO3nVb5b0h6b0Ysj2\n",
    );
    let mapping = EMAIL.to_owned()
        + "password = { from = \"password\", scheme = \"devise\" }\n[password.pepper]\nname = \"devise\"\n";
    let error = files.read(&mapping).unwrap_err();
    for part in ["HALLPASS_IMPORT_PEPPER_DEVISE_FILE", "take it out"] {
        assert!(error.contains(part), "{error}");
    }
}
