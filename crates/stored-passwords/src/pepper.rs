//! Secrets that the old system mixed into all of its passwords.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::refusal::Refusal;

/// 1–32 lower-case letters, digits and `_`. Its secret is configured by that name and never stored beside the hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PepperName(String);

impl PepperName {
    /// In characters.
    pub const MAX_LENGTH: usize = 32;

    /// As stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PepperName {
    type Err = Refusal;

    fn from_str(name: &str) -> Result<Self, Refusal> {
        let is_name = (1..=Self::MAX_LENGTH).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        is_name
            .then(|| Self(name.to_owned()))
            .ok_or(Refusal::Malformed(
                "the name of a pepper has up to 32 lower-case letters, digits and `_`",
            ))
    }
}

impl fmt::Display for PepperName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The configured secrets by name. `Debug` shows the names only.
#[derive(Clone, Default)]
pub struct Peppers(BTreeMap<PepperName, Zeroizing<Vec<u8>>>);

impl Peppers {
    /// The bytes of a secret, if it is configured.
    pub fn get(&self, name: &PepperName) -> Option<&[u8]> {
        self.0.get(name).map(|secret| secret.as_slice())
    }

    /// In alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &PepperName> {
        self.0.keys()
    }
}

impl FromIterator<(PepperName, Zeroizing<Vec<u8>>)> for Peppers {
    fn from_iter<I: IntoIterator<Item = (PepperName, Zeroizing<Vec<u8>>)>>(peppers: I) -> Self {
        Self(peppers.into_iter().collect())
    }
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
