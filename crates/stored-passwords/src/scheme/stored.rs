//! What is known of a person's password, and what becomes of it.

use std::fmt;

use crate::imported_hash::ImportedHash;
use crate::pepper::PepperName;

/// The columns of a row that belong to its password, and what is the same for all rows.
#[derive(Clone, Copy, Default)]
pub struct Stored<'a> {
    /// The column with the hash. Blanks around it do not count.
    pub hash: &'a str,
    /// The column with the salt, where that is another one.
    pub salt: Option<&'a str>,
    /// The column that says how the hash was made, where that is another one.
    pub algorithm: Option<&'a str>,
    /// The secret that the old system mixed into every password.
    pub pepper: Option<&'a PepperName>,
    /// What Firebase shows under "Password hash parameters".
    pub project: Option<&'a Project>,
}

/// The parameters of a Firebase project. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Project {
    /// In base64.
    pub signer_key: String,
    /// In base64.
    pub salt_separator: String,
    /// scrypt's r.
    pub rounds: u32,
    /// The binary logarithm of scrypt's N.
    pub mem_cost: u32,
}

/// What a stored text means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// A marker such as `!`, `*` or `x`, or nothing: the person has no password, and nothing is wrong with the row.
    None,
    /// A password can be compared with it.
    Hash(ImportedHash),
}

impl<'a> Stored<'a> {
    /// Nothing but the hash.
    pub fn new(hash: &'a str) -> Self {
        Self {
            hash,
            ..Self::default()
        }
    }
}

impl fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored(…)")
    }
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Project(…)")
    }
}

/// Whether the text stands for no password: nothing, Django's and shadow(5)'s `!…`, and shadow's other marks, which no
/// password has as its hash.
pub(super) fn is_marker(text: &str) -> bool {
    text.starts_with('!') || MARKERS.contains(&text)
}

/// `*0` and `*1` are what crypt(3) gives for a setting that it does not know.
const MARKERS: &[&str] = &["", "*", "x", "*LK*", "*NP*", "NP", "*0", "*1"];
