//! Hashes made by the systems themselves verify; nothing else does.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;

use serde::Deserialize;
use stored_passwords::{ImportedHash, PepperName, Peppers};
use zeroize::Zeroizing;

#[derive(Deserialize)]
struct Vector {
    from: String,
    case: String,
    password: String,
    text: String,
    pepper: Option<String>,
}

fn vectors() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/canonical.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn peppers(secret: Option<&str>) -> Peppers {
    let secret = |name: &str| {
        let name: PepperName = name.parse().unwrap();
        secret.map(|secret| (name, Zeroizing::new(secret.as_bytes().to_vec())))
    };
    ["devise", "flask"].into_iter().filter_map(secret).collect()
}

#[test]
fn what_other_systems_stored_verifies_and_a_wrong_password_does_not() {
    let vectors = vectors();
    assert!(vectors.len() > 400);
    for Vector {
        from,
        case,
        password,
        text,
        pepper,
    } in vectors
    {
        let hash = ImportedHash::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(hash.to_string(), text);
        let peppers = peppers(pepper.as_deref());
        assert!(hash.verify(&password, &peppers), "{from}, {case}: {text}");
        // Another first character, since old functions ignore what is beyond the 72nd byte.
        let wrong = format!("!{}", password.chars().skip(1).collect::<String>());
        assert!(!hash.verify(&wrong, &peppers), "{from}, {case}: {text}");
    }
}
