//! MFA recovery codes: each replaces a lost authenticator once.

use std::fmt;

use data_encoding::BASE32_NOPAD;

use super::opaque::OpaqueHash;
use crate::domain::typed::ungrouped;

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
