//! The texts that are read: one for each value, and none that costs too much.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use stored_passwords::{Cost, ImportedHash, Peppers, Refusal};

/// More than any text within the limits costs, with the longest password: seven seconds of one core.
const MOST: Cost = Cost {
    work: 1 << 17,
    memory: 300 << 20,
};

fn vectors() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/canonical.json");
    let vectors: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let text = |vector: &Value| vector["text"].as_str().unwrap().to_owned();
    vectors.iter().map(text).collect()
}

/// A text that is read is what would be written, and what it costs is bounded.
fn is_sound(text: &str) -> Result<(), TestCaseError> {
    if let Ok(hash) = ImportedHash::parse(text) {
        prop_assert_eq!(hash.to_string(), text);
        let longest = hash.cost_for(1024);
        prop_assert!(
            longest.work <= MOST.work && longest.memory <= MOST.memory,
            "{}: {:?}",
            text,
            longest
        );
        let form = hash.form();
        prop_assert_eq!(form.cost(), hash.cost());
        prop_assert_eq!(
            ImportedHash::parse(&form.to_string()).map_err(|e| e.to_string()),
            Ok(form)
        );
    }
    Ok(())
}

fn refused(text: &str) -> Refusal {
    match ImportedHash::parse(text) {
        Err(refusal) => refusal,
        Ok(hash) => unreachable!("{text} is {hash}"),
    }
}

const SALT: &str = "c2FsdHNhbHQ";
const OUT: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Each is one step above what is taken, beside one that is taken.
#[test]
fn the_limits_are_where_they_should_be() {
    let bytes = |length: usize| "A".repeat(length.div_ceil(3) * 4 - (3 - length % 3) % 3);
    let (out512, out20) = (bytes(512), bytes(20));
    for (taken, refused_) in [
        (
            format!("2b$16${}", "C".repeat(21) + "." + &".".repeat(31)),
            format!("2b$17${}", "C".repeat(21) + "." + &".".repeat(31)),
        ),
        (
            format!("pbkdf2-sha256$i=4000000${SALT}${OUT}"),
            format!("pbkdf2-sha256$i=4000001${SALT}${OUT}"),
        ),
        // Sixteen blocks of output.
        (
            format!("pbkdf2-sha256$i=250000${SALT}${out512}"),
            format!("pbkdf2-sha256$i=250001${SALT}${out512}"),
        ),
        (
            format!("pbkdf2-sha1$i=4000000${SALT}${out20}"),
            format!("pbkdf2-sha1$i=2000001${SALT}${OUT}"),
        ),
        (
            format!("pbkdf2-sha256$i=1${SALT}${OUT}"),
            format!("pbkdf2-sha256$i=0${SALT}${OUT}"),
        ),
        (
            format!("pbkdf2-sha256$i=1${SALT}${}", bytes(16)),
            format!("pbkdf2-sha256$i=1${SALT}${}", bytes(15)),
        ),
        (
            format!("pbkdf2-sha256$i=1${SALT}${OUT}"),
            format!("pbkdf2-sha256$i=1${SALT}$"),
        ),
        (
            format!("scram-sha256$i=4000000${SALT}${OUT}"),
            format!("scram-sha256$i=4000001${SALT}${OUT}"),
        ),
        // 128 MiB.
        (
            format!("scrypt$ln=17,r=8,p=1${SALT}${OUT}"),
            format!("scrypt$ln=18,r=8,p=1${SALT}${OUT}"),
        ),
        (
            format!("scrypt$ln=10,r=1024,p=1${SALT}${OUT}"),
            format!("scrypt$ln=10,r=1025,p=1${SALT}${OUT}"),
        ),
        (
            format!("scrypt$ln=17,r=8,p=4${SALT}${OUT}"),
            format!("scrypt$ln=17,r=8,p=5${SALT}${OUT}"),
        ),
        (
            format!("scrypt$ln=1,r=8,p=16384${SALT}${OUT}"),
            format!("scrypt$ln=1,r=8,p=16385${SALT}${OUT}"),
        ),
        (
            format!("scrypt$ln=1,r=1,p=1${SALT}${OUT}"),
            format!("scrypt$ln=0,r=1,p=1${SALT}${OUT}"),
        ),
        (
            format!("scrypt$ln=1,r=1,p=1${SALT}${OUT}"),
            format!("scrypt$ln=1,r=0,p=1${SALT}${OUT}"),
        ),
        (
            format!("scrypt$ln=1,r=1,p=1${SALT}${OUT}"),
            format!("scrypt$ln=64,r=1,p=1${SALT}${OUT}"),
        ),
        // 256 MiB, and 1 GiB in all passes.
        (
            format!("argon2id$v=19,m=262144,t=4,p=16${SALT}${OUT}"),
            format!("argon2id$v=19,m=262145,t=1,p=16${SALT}${OUT}"),
        ),
        (
            format!("argon2d$v=16,m=65536,t=16,p=1${SALT}${OUT}"),
            format!("argon2d$v=16,m=65536,t=17,p=1${SALT}${OUT}"),
        ),
        (
            format!("argon2i$v=19,m=128,t=1,p=16${SALT}${OUT}"),
            format!("argon2i$v=19,m=136,t=1,p=17${SALT}${OUT}"),
        ),
        (
            format!("argon2i$v=19,m=8,t=1,p=1${SALT}${OUT}"),
            format!("argon2i$v=19,m=8,t=1,p=2${SALT}${OUT}"),
        ),
        (
            format!("argon2i$v=19,m=8,t=1,p=1${SALT}${OUT}"),
            format!("argon2i$v=19,m=8,t=0,p=1${SALT}${OUT}"),
        ),
        (
            format!("argon2i$v=19,m=8,t=1,p=1${SALT}${OUT}"),
            format!("argon2i$v=18,m=8,t=1,p=1${SALT}${OUT}"),
        ),
        (
            format!("argon2i$v=19,m=8,t=1,p=1${SALT}${}", bytes(12)),
            format!("argon2i$v=19,m=8,t=1,p=1${SALT}${}", bytes(11)),
        ),
        (
            format!("argon2i$v=19,m=8,t=1,p=1${}${OUT}", bytes(8)),
            format!("argon2i$v=19,m=8,t=1,p=1${}${OUT}", bytes(7)),
        ),
        (
            format!("firebase$ln=17,r=8${SALT}$Qnc${OUT}${OUT}"),
            format!("firebase$ln=18,r=8${SALT}$Qnc${OUT}${OUT}"),
        ),
        (
            format!("firebase$ln=14,r=8${SALT}$Qnc${OUT}${OUT}"),
            format!("firebase$ln=14,r=8${SALT}$Qnc${}${OUT}", bytes(31)),
        ),
        (
            format!("sha256crypt$i=1000000${SALT}${OUT}"),
            format!("sha256crypt$i=1000001${SALT}${OUT}"),
        ),
        (
            format!("sha512crypt$i=1000${SALT}${}", bytes(64)),
            format!("sha512crypt$i=999${SALT}${}", bytes(64)),
        ),
        (
            format!("sha256crypt$i=5000${}${OUT}", bytes(16)),
            format!("sha256crypt$i=5000${}${OUT}", bytes(17)),
        ),
        (
            format!("yescrypt$ln=17,r=8,p=1,t=0${SALT}${OUT}"),
            format!("yescrypt$ln=18,r=8,p=1,t=0${SALT}${OUT}"),
        ),
        (
            format!("yescrypt$ln=17,r=8,p=1,t=3${SALT}${OUT}"),
            format!("yescrypt$ln=17,r=8,p=1,t=4${SALT}${OUT}"),
        ),
        (
            format!("yescrypt$ln=12,r=32,p=1,t=0${SALT}${OUT}"),
            format!("yescrypt$ln=12,r=32,p=0,t=0${SALT}${OUT}"),
        ),
        (
            format!("phpass$ln=20${SALT}${}", bytes(16)),
            format!("phpass$ln=21${SALT}${}", bytes(16)),
        ),
        (
            format!("phpass$ln=7${SALT}${}", bytes(16)),
            format!("phpass$ln=6${SALT}${}", bytes(16)),
        ),
        (
            format!("md5crypt${SALT}${}", bytes(16)),
            format!("md5crypt${}${}", bytes(9), bytes(16)),
        ),
        (
            format!("hmac-sha256${SALT}${OUT}"),
            format!("hmac-sha256${SALT}${}", bytes(31)),
        ),
        (
            format!("sha256$i=100000,of=password.salt${SALT}${OUT}"),
            format!("sha256$i=100001,of=password.salt${SALT}${OUT}"),
        ),
        // All parts are digested again in every iteration.
        (
            format!("sha256$i=33333,of=previous.password.salt${SALT}${OUT}"),
            format!("sha256$i=33334,of=previous.password.salt${SALT}${OUT}"),
        ),
        // Any password would be right.
        (
            format!("sha256$i=1,of=salt.password${SALT}${OUT}"),
            format!("sha256$i=1,of=salt${SALT}${OUT}"),
        ),
        (
            format!("sha256$i=1,of=password$${OUT}"),
            format!("sha256$i=1,of=password.salt$${OUT}"),
        ),
    ] {
        let (taken, refused_) = (format!("$in$raw${taken}"), format!("$in$raw${refused_}"));
        let hash = ImportedHash::parse(&taken);
        assert!(hash.is_ok(), "{taken}: {hash:?}");
        refused(&refused_);
    }
}

#[test]
fn a_text_has_one_spelling() {
    let good = format!("$in$raw$scrypt$ln=14,r=8,p=1${SALT}${OUT}");
    assert!(ImportedHash::parse(&good).is_ok());
    for (from, to) in [
        ("ln=14", "ln=+14"),
        ("ln=14", "ln=014"),
        ("ln=14", "ln= 14"),
        ("ln=14", "ln=14 "),
        ("ln=14", "ln=1_4"),
        ("ln=14", "ln=١٤"),
        ("ln=14", "ln="),
        ("ln=14", "ln=-14"),
        ("ln=14", "ln=18446744073709551630"),
        ("ln=14,r=8", "r=8,ln=14"),
        ("r=8", "r=8,r=8"),
        ("p=1", "p=1,keyid=AAAA"),
        ("p=1", "p=1,"),
        (",p=1", ""),
        ("scrypt", "Scrypt"),
        ("raw", "RAW"),
        ("raw", "raw,raw"),
        ("raw", "trim"),
        ("raw", "trim,raw"),
        ("raw", "raw,"),
        ("raw", ""),
        ("raw", "raw,hmac256:salt"),
        ("raw", "raw,pepper:"),
        ("raw", "raw,pepper:UPPER"),
        ("raw", "raw,trim,trim,trim,trim,trim,trim,trim,trim"),
        ("$in$", "in$"),
        ("$in$", ""),
        (SALT, "c2FsdHNhbHQ="),
        (SALT, "c2FsdHNhbHR"),
        (SALT, "c2FsdHNhbH_"),
        (SALT, "c2Fs dHNhbHQ"),
        (OUT, "AAAA\n"),
    ] {
        let changed = good.replace(from, to);
        assert_ne!(changed, good);
        refused(&changed);
    }
    for changed in [
        format!("{good}$"),
        format!("{good}$AAAA"),
        format!(" {good}"),
        format!("{good}\n"),
    ] {
        refused(&changed);
    }
    refused(&format!("{good}{}", "A".repeat(1 << 20)));
}

#[test]
fn what_is_wrapped_is_weak_and_in_one_bcrypt() {
    let wrapped = |cost: &str, weak: &str| {
        format!(
            "$in$raw$wrapped$2b${cost}$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW${weak}"
        )
    };
    for weak in [
        "sha1$i=1,of=password$",
        "phpass$ln=13$c2FsdHNhbHQ",
        "hmac-md5$",
        "apr1$c2FsdA",
    ] {
        let hash = ImportedHash::parse(&wrapped("12", weak)).unwrap();
        assert!(hash.is_wrapped() && !hash.is_weak());
        assert!(hash.cost().work >= 1 << 12);
        assert!(hash.wrap(12, [0; 16]).is_none());
        refused(&wrapped("17", weak));
    }
    refused(&wrapped("12", "scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ"));
    refused(&wrapped("12", "phpass$ln=30$c2FsdHNhbHQ"));
    refused(&wrapped("12", "wrapped"));
    refused(&wrapped("12", "2b$04$CCCCCCCCCCCCCCCCCCCCC."));
}

#[test]
fn a_long_password_costs_as_much_as_a_short_one_or_what_it_says() {
    for text in vectors() {
        let hash = ImportedHash::parse(&text).unwrap();
        assert!(hash.cost_for(1024).work >= hash.cost().work, "{text}");
        assert!(hash.cost_for(1024).memory == hash.cost().memory, "{text}");
    }
}

#[test]
fn every_refusal_says_what_to_do() {
    for text in [
        "",
        "$in$raw$argon2id$v=19,m=4194304,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$in$raw$pbkdf2-md5$i=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$in$raw$pbkdf2-sha1$i=1$c2FsdHNhbHQ$AAAA",
        "$in$raw$scrypt",
    ] {
        let refusal = refused(text).to_string();
        assert!(refusal.contains("set a new password"), "{refusal}");
        assert!(!refusal.contains("AAAA"), "{refusal}");
    }
}

#[test]
fn debug_shows_nothing() {
    let hash = ImportedHash::parse(&vectors()[0]).unwrap();
    assert_eq!(format!("{hash:?}"), "ImportedHash(…)");
    assert_eq!(format!("{:?}", Peppers::default()), "{}");
}

/// Parts of texts in any order.
fn pieces() -> impl Strategy<Value = String> {
    let words = [
        "$",
        "$in$",
        "raw",
        "nfkc",
        "nfkd",
        ",",
        "=",
        ".",
        "trim",
        "sha256hex",
        "md5hex",
        "sha512b64",
        "hmac256:salt",
        "hmac384:wp",
        "pepper:devise",
        "hmac512:flask",
        "cut72",
        "2b",
        "04",
        "12",
        "31",
        "wrapped",
        "pbkdf2-sha256",
        "pbkdf2-md5",
        "scram-sha256",
        "scrypt",
        "argon2id",
        "argon2",
        "firebase",
        "sha512crypt",
        "yescrypt",
        "phpass",
        "md5crypt",
        "apr1",
        "hmac-sha1",
        "sha1",
        "i",
        "of",
        "password",
        "salt",
        "previous",
        "text:",
        "ln",
        "r",
        "p",
        "v",
        "m",
        "t",
        "1",
        "0",
        "16",
        "19",
        "4294967295",
        "99999999999999999999",
        SALT,
        OUT,
        "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "\u{e9}",
        "\0",
        "",
    ];
    vec(select(words.to_vec()), 0..24).prop_map(|words| words.concat())
}

/// A text of a real hash in which a number, a character or a field is another.
fn nearly_right() -> impl Strategy<Value = String> {
    let changes = (
        select(vectors()),
        any::<prop::sample::Index>(),
        "[ -~]{0,3}|[0-9]{1,20}",
        0..4_usize,
    );
    changes.prop_map(|(text, at, with, removed)| {
        let begin = at.index(text.len());
        let end = (begin + removed).min(text.len());
        format!("{}{with}{}", &text[..begin], &text[end..])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn no_text_panics_costs_too_much_or_has_two_spellings(text in any::<String>()) {
        is_sound(&text)?;
        is_sound(&format!("$in$raw${text}"))?;
    }

    #[test]
    fn no_sequence_of_parts_does(text in pieces()) {
        is_sound(&text)?;
        is_sound(&format!("$in$raw${text}"))?;
    }

    #[test]
    fn no_text_near_a_real_one_does(text in nearly_right()) {
        is_sound(&text)?;
    }
}

/// `FUZZ_CASES` asks for more.
fn cases() -> u32 {
    let asked = std::env::var("FUZZ_CASES").ok();
    asked.and_then(|cases| cases.parse().ok()).unwrap_or(2000)
}
