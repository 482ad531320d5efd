//! MFA recovery codes: each replaces a lost authenticator once.

use std::fmt;

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use ring::hmac;

use super::keyring::{Key, Keyring};
use super::opaque::OpaqueHash;
use crate::domain::typed::ungrouped;

/// Stored hashes depend on it, so it must not change.
const LABEL: &[u8] = b"recovery-code";

/// 80 random bits, which cannot be guessed even with the hashes at hand (2⁸⁰ attempts per account are
/// infeasible), so they need neither a key nor a slow hash.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

impl RecoveryCode {
    pub const BYTES: usize = 10;

    /// `random` must come from a cryptographic source.
    pub fn new(random: [u8; Self::BYTES]) -> Self {
        Self(BASE32_NOPAD.encode(&random))
    }

    /// Parses user input; `None` if it does not have the format of a code. Ignores case and what separates groups.
    pub fn parse(text: &str) -> Option<Self> {
        let text = ungrouped(text).to_ascii_uppercase();
        let bytes = BASE32_NOPAD.decode(text.as_bytes()).ok()?;
        (bytes.len() == Self::BYTES).then_some(Self(text))
    }

    /// The displayed form: `abcd-efgh-ijkl-mnop`.
    pub fn expose(&self) -> String {
        let mut shown = String::new();
        for (at, c) in self.0.to_ascii_lowercase().chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                shown.push('-');
            }
            shown.push(c);
        }
        shown
    }

    pub fn hash(&self) -> OpaqueHash {
        OpaqueHash::of(&self.0)
    }
}

/// A recovery code of another system, which may have so few random bits that whoever has the hashes could try all. So its
/// hash has a key, and is worth nothing once that is removed from the keyring.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignCode(String);

impl ForeignCode {
    /// In characters.
    const LENGTH: std::ops::RangeInclusive<usize> = 8..=64;

    /// Ignores case and what separates groups, as with ours; `None` for what is too short or too long.
    pub fn parse(text: &str) -> Option<Self> {
        let code = ungrouped(text).to_uppercase();
        Self::LENGTH
            .contains(&code.chars().count())
            .then_some(Self(code))
    }

    /// What is stored: under the newest key.
    pub fn hash(&self, keyring: &Keyring) -> String {
        self.hash_under(keyring.newest())
    }

    /// All texts that may be stored of it.
    pub fn hashes(&self, keyring: &Keyring) -> Vec<String> {
        keyring.iter().map(|key| self.hash_under(key)).collect()
    }

    fn hash_under(&self, key: &Key) -> String {
        let mac = hmac::sign(&key.mac_key(LABEL), self.0.as_bytes());
        format!("{}.{}", key.kid, BASE64URL_NOPAD.encode(mac.as_ref()))
    }
}

impl fmt::Debug for ForeignCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeignCode(…)")
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_four_groups_of_four() {
        let code = RecoveryCode::new(*b"0123456789");
        assert_eq!(code.expose(), "gayt-emzu-gu3d-oobz");
    }

    #[test]
    fn case_spaces_and_dashes_are_ignored() {
        let code = RecoveryCode::new(*b"0123456789");
        for text in [
            "GAYTEMZUGU3DOOBZ",
            " gayt emzu gu3d oobz",
            "gaytemzugu3doobz",
            "gayt\u{2013}emzu\u{2010}gu3d\u{2014}oobz\u{200b}\n",
        ] {
            assert_eq!(RecoveryCode::parse(text), Some(code.clone()), "{text:?}");
        }
        for text in [
            "",
            "gayt",
            "gayt-emzu-gu3d-oob1",
            "gayt-emzu-gu3d-oobz-gayt",
            "123456",
        ] {
            assert_eq!(RecoveryCode::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn debug_prints_no_code() {
        let code = RecoveryCode::new([7; RecoveryCode::BYTES]);
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
        let code = ForeignCode::parse("aB3dE-xYz12").unwrap();
        assert_eq!(format!("{code:?}"), "ForeignCode(…)");
    }

    fn keyring(secrets: &[&str]) -> Keyring {
        let secrets: Vec<secrecy::SecretString> = secrets.iter().map(|&s| s.into()).collect();
        Keyring::new(&secrets).unwrap()
    }

    #[test]
    fn codes_of_other_systems_are_read_as_they_are_typed() {
        let ring = keyring(&["a secret"]);
        for (stored, typed) in [
            ("aB3dE-xYz12", " ab3de xyz12"),
            ("1234 5678", "12345678"),
            ("q7hzmdx2", "Q7HZ-MDX2"),
            ("0123456789-abcdefghij", "0123456789\u{2013}ABCDEFGHIJ"),
        ] {
            let [stored, typed] = [stored, typed].map(|text| ForeignCode::parse(text).unwrap());
            assert_eq!(stored.hash(&ring), typed.hash(&ring));
        }
        // Six digits are a code of an authenticator.
        for text in ["", "123456", "1234567", &"a".repeat(65)] {
            assert_eq!(ForeignCode::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_code_of_another_system_needs_the_key_it_was_stored_under() {
        let code = ForeignCode::parse("aB3dE-xYz12").unwrap();
        let stored = code.hash(&keyring(&["old"]));
        assert!(code.hashes(&keyring(&["new", "old"])).contains(&stored));
        assert!(!code.hashes(&keyring(&["new"])).contains(&stored));
    }

    proptest! {
        #[test]
        fn a_displayed_code_is_recognized(random: [u8; RecoveryCode::BYTES]) {
            let code = RecoveryCode::new(random);
            let again = RecoveryCode::parse(&code.expose()).unwrap();
            prop_assert_eq!(again.hash(), code.hash());
        }
    }
}
