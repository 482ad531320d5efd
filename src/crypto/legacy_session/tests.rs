//! With the tokens that the real packages made: `tests/legacy-sessions/make.mjs`.

use chrono::TimeDelta;
use serde_json::Value;

use super::*;
use crate::domain::cookie_parts::joined;

const FILES: [&str; 2] = [
    include_str!("../../../tests/vectors/legacy_sessions.json"),
    include_str!("../../../tests/vectors/legacy_sessions_2.json"),
];

fn vectors() -> Value {
    serde_json::from_str(FILES[0]).unwrap()
}

fn reader(vector: &Value) -> Option<Reader> {
    let source = vector["source"].as_str().unwrap();
    let (_, format) = Format::ALL.into_iter().find(|(name, _)| *name == source)?;
    let secret = vector["secret"].as_str()?;
    let secrets: Vec<SecretString> = if is_key_set(secret) {
        vec![secret.into()]
    } else {
        secret.split(',').map(SecretString::from).collect()
    };
    Some(Reader::new(format, &secrets, None))
}

/// The token as it would arrive, with the name of its cookie.
fn token<'a>(vector: &'a Value, reader: &'a Reader) -> (String, Option<&'a str>) {
    if let Some(token) = vector["token"].as_str() {
        return (token.to_owned(), None);
    }
    let cookies = vector["cookies"].as_object().unwrap();
    let pairs = || {
        cookies
            .iter()
            .map(|(name, value)| (&**name, value.as_str().unwrap()))
    };
    let found = reader
        .cookies()
        .iter()
        .find_map(|name| Some((joined(name, pairs())?, Some(&**name))));
    found.unwrap()
}

fn at(seconds: &Value) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds.as_i64().unwrap(), 0).unwrap()
}

#[test]
fn tokens_of_the_real_packages_are_read_as_they_read_them() {
    let files: Vec<Value> = FILES
        .iter()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let dated = |file: &Value| {
        let now = at(&file["made_at"]);
        let vectors = file["vectors"].as_array().unwrap().clone();
        vectors.into_iter().map(move |it| (now, it))
    };
    let mut read = 0;
    for (now, vector) in files.iter().flat_map(dated) {
        let vector = &vector;
        let Some(reader) = reader(vector) else {
            continue;
        };
        let (token, cookie) = token(vector, &reader);
        let expected = if let Some(stored) = vector["stored"].as_str() {
            Some((hash_of_stored(stored), None))
        } else {
            vector["subject"].as_str().map(|subject| {
                let identity = match token.split('.').count() {
                    3 => token.rsplit_once('.').unwrap().0,
                    _ => &token,
                };
                let claims = LegacyClaims {
                    subject: subject.to_owned(),
                    issued_at: at(&vector["issued_at"]),
                    expires_at: at(&vector["expires_at"]),
                };
                (OpaqueHash::of(identity), Some(claims))
            })
        };
        let expected = expected.map(|(hash, claims)| LegacyToken { hash, claims });
        assert_eq!(
            reader.read(&token, cookie, now),
            expected,
            "{}",
            vector["name"]
        );
        let early = now - TimeDelta::minutes(1);
        let is_told_early = expected.is_some_and(|token| token.claims.is_none());
        assert_eq!(reader.read(&token, cookie, early).is_some(), is_told_early);
        // With another secret it is none of theirs.
        let other = Reader::new(reader.format, &["another secret".into()], None);
        assert_eq!(other.read(&token, cookie, now), None, "{}", vector["name"]);
        read += 1;
    }
    assert!(read >= 26, "{read}");
}

#[test]
fn a_token_of_auth_js_is_good_in_its_own_cookie_only() {
    let file = vectors();
    let now = at(&file["made_at"]);
    for vector in file["vectors"].as_array().unwrap() {
        if vector["source"] != "authjs" || vector["subject"].is_null() {
            continue;
        }
        let reader = reader(vector).unwrap();
        let (token, cookie) = token(vector, &reader);
        let other = reader
            .cookies()
            .iter()
            .find(|name| Some(name.as_str()) != cookie);
        assert_eq!(reader.read(&token, other.map(String::as_str), now), None);
        assert!(reader.read(&token, None, now).is_some());
    }
}

#[test]
fn an_unusual_cookie_has_the_name_that_was_set() {
    let name = |format, cookie| Reader::new(format, &[], cookie).cookies().to_vec();
    assert_eq!(
        name(Format::NextAuth, None),
        [
            "__Secure-next-auth.session-token",
            "next-auth.session-token"
        ]
    );
    assert_eq!(name(Format::Jwt, None), [""; 0]);
    let expected = ["__Secure-sid", "sid"];
    assert_eq!(name(Format::Jwt, Some("sid")), expected);
    assert_eq!(name(Format::Express, Some("__Secure-sid")), expected);
}

#[test]
fn a_session_of_the_database_is_known_by_its_hash() {
    for format in [Format::NextAuth, Format::AuthJs] {
        let reader = Reader::new(format, &["secret".into()], None);
        let token = reader
            .read("0b0f6a0c-3f39", None, DateTime::UNIX_EPOCH)
            .unwrap();
        assert_eq!(token.hash, hash_of_stored("0b0f6a0c-3f39"));
        assert_eq!(token.claims, None);
        assert_eq!(reader.read("", None, DateTime::UNIX_EPOCH), None);
    }
}

#[test]
fn public_keys_are_good_for_one_issuer_only() {
    let file = vectors();
    let now = at(&file["made_at"]);
    let mut read = 0;
    for vector in file["vectors"].as_array().unwrap() {
        if !vector["secret"].as_str().is_some_and(is_key_set) {
            continue;
        }
        let token = vector["token"].as_str().unwrap();
        for (issuer, is_good) in [
            ("https://old.example.com", true),
            ("https://old.example.com/", false),
        ] {
            let reader = reader(vector).unwrap().of_issuer(Some(issuer.to_owned()));
            assert_eq!(reader.read(token, None, now).is_some(), is_good, "{issuer}");
        }
        read += 1;
    }
    assert_eq!(read, 2);
}
