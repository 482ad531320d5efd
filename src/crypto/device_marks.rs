//! The marks by which a browser shows who has signed in with it before (OWASP: device cookies). A mark proves no
//! identity and opens nothing.
//!
//! A mark is `issued ‖ random ‖ HMAC-SHA256(issued ‖ random ‖ owner)` in base64url, for one owner. The key has no other
//! purpose. A browser keeps one for each of its users, newest first, joined by dots.

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use ring::hmac;

use super::keyring::{Key, Keyring};
use crate::domain::{DeviceOwner, lifetimes};

/// Random bytes that make every mark unique.
pub const RANDOM: usize = 8;

/// The bytes of the time of issue, in seconds since 1970.
const TIME: usize = 8;

/// Users of one browser; the one who signed in least recently is forgotten.
const MAX_OWNERS: usize = 5;

/// The marks of a browser after a sign-in of `owner`.
pub fn renewed(
    earlier: &str,
    owner: DeviceOwner,
    now: DateTime<Utc>,
    random: [u8; RANDOM],
    keyring: &Keyring,
) -> String {
    let signed = [now.timestamp().to_be_bytes().as_slice(), &random].concat();
    let mac = hmac::sign(&key(keyring.newest()), &message(&signed, owner));
    let mark = BASE64URL_NOPAD.encode(&[signed.as_slice(), mac.as_ref()].concat());
    let others = marks(earlier).filter(|other| !is_of(other, owner, now, keyring));
    let marks: Vec<&str> = [mark.as_str()]
        .into_iter()
        .chain(others)
        .take(MAX_OWNERS)
        .collect();
    marks.join(".")
}

/// The mark of `owner`, if there is a valid one.
pub fn find<'a>(
    marks_of_browser: &'a str,
    owner: DeviceOwner,
    now: DateTime<Utc>,
    keyring: &Keyring,
) -> Option<&'a str> {
    marks(marks_of_browser).find(|mark| is_of(mark, owner, now, keyring))
}

fn marks(marks: &str) -> impl Iterator<Item = &str> {
    // A mark has 64 characters. What is longer or comes later is not ours.
    marks
        .split('.')
        .take(MAX_OWNERS)
        .filter(|mark| mark.len() == 64)
}

fn is_of(mark: &str, owner: DeviceOwner, now: DateTime<Utc>, keyring: &Keyring) -> bool {
    let bytes = BASE64URL_NOPAD.decode(mark.as_bytes()).unwrap_or_default();
    let Some((signed, mac)) = bytes.split_at_checked(TIME + RANDOM) else {
        return false;
    };
    let Some(issued) = signed.first_chunk().map(|time| i64::from_be_bytes(*time)) else {
        return false;
    };
    let message = message(signed, owner);
    let is_ours = keyring
        .iter()
        .any(|candidate| hmac::verify(&key(candidate), &message, mac).is_ok());
    let age = DateTime::from_timestamp(issued, 0).map_or(TimeDelta::MAX, |issued| now - issued);
    is_ours && age < lifetimes::KNOWN_PLACE
}

fn message(signed: &[u8], owner: DeviceOwner) -> Vec<u8> {
    let (id, version) = (
        owner.user_id.0.into_bytes(),
        owner.token_version.to_be_bytes(),
    );
    [signed, &id, &version].concat()
}

fn key(key: &Key) -> hmac::Key {
    key.mac_key(b"device-marks")
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::domain::UserId;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn keyring(secrets: &[&str]) -> Keyring {
        let secrets: Vec<SecretString> = secrets.iter().map(|&s| s.into()).collect();
        Keyring::new(&secrets).unwrap()
    }

    fn owner(n: u8) -> DeviceOwner {
        DeviceOwner {
            user_id: UserId::new(NOW, [n; 10]),
            token_version: 0,
        }
    }

    fn sign_in(earlier: &str, n: u8, ring: &Keyring) -> String {
        renewed(earlier, owner(n), NOW, [n; RANDOM], ring)
    }

    #[test]
    fn a_browser_is_known_to_its_five_latest_users() {
        let ring = keyring(&["secret"]);
        let marks = (1..=6).fold(String::new(), |marks, n| sign_in(&marks, n, &ring));
        let known = |marks: &str, n| find(marks, owner(n), NOW, &ring).is_some();
        assert!(!known(&marks, 1) && (2..=6).all(|n| known(&marks, n)));
        let marks = sign_in(&marks, 2, &ring);
        assert_eq!(marks.split('.').count(), 5);
        let marks = sign_in(&marks, 7, &ring);
        assert!(known(&marks, 2) && !known(&marks, 3));
    }

    #[test]
    fn a_mark_ends_with_its_year_its_secret_and_its_owners_tokens() {
        let (new, old) = (keyring(&["new"]), keyring(&["old"]));
        let marks = sign_in("", 1, &old);
        let year = lifetimes::KNOWN_PLACE;
        let second = TimeDelta::seconds(1);
        assert!(find(&marks, owner(1), NOW + year - second, &old).is_some());
        assert!(find(&marks, owner(1), NOW + year, &old).is_none());
        assert!(find(&marks, owner(1), NOW, &new).is_none());
        assert!(find(&marks, owner(1), NOW, &keyring(&["new", "old"])).is_some());
        let revoked = DeviceOwner {
            token_version: 1,
            ..owner(1)
        };
        assert!(find(&marks, revoked, NOW, &old).is_none());
        assert!(find(&marks, owner(2), NOW, &old).is_none());
    }

    #[test]
    fn what_is_no_mark_is_ignored() {
        let ring = keyring(&["secret"]);
        let mark = sign_in("", 1, &ring);
        let others = "x".repeat(64);
        for marks in ["", ".", &mark[1..], &others, &format!("{mark}x")] {
            assert!(find(marks, owner(1), NOW, &ring).is_none(), "{marks}");
        }
        let crowded = format!("{}{mark}", format!("{others}.").repeat(5));
        assert!(find(&crowded, owner(1), NOW, &ring).is_none());
    }
}
