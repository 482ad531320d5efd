//! The forms of stored passwords that take another time than ours, and how many accounts have each.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use stored_passwords::ImportedHash;

use crate::crypto::decoys::DecoyKey;

/// Beyond that the rarest are left out.
const MOST_FORMS: usize = 64;

/// How many accounts have which form.
#[derive(Debug, Default)]
pub(in crate::service) struct Tally {
    /// By the text of the form.
    imported: BTreeMap<String, (ImportedHash, u64)>,
    ours: u64,
}

impl Tally {
    pub(in crate::service) fn add(&mut self, hash: &ImportedHash) {
        let form = hash.form();
        let counted = self.imported.entry(form.to_string()).or_insert((form, 0));
        counted.1 += 1;
    }

    /// `accounts` is the number of all of them, whatever they have.
    pub(in crate::service) fn of_all(mut self, accounts: u64) -> Self {
        self.ours = accounts.saturating_sub(self.count());
        self
    }

    /// Of imported passwords.
    pub(in crate::service) fn count(&self) -> u64 {
        self.imported.values().map(|(_, count)| count).sum()
    }
}

/// The last tally. An address without an account is compared with one of its forms, so that the time taken does not
/// show that no account has it.
pub(super) struct StoredForms {
    key: DecoyKey,
    /// `None` is ours.
    forms: RwLock<Vec<(String, Option<ImportedHash>, f64)>>,
}

impl StoredForms {
    pub(super) fn new(key: DecoyKey) -> Self {
        Self {
            key,
            forms: RwLock::default(),
        }
    }

    pub(super) fn replace(&self, tally: Tally) {
        let mut forms: Vec<_> = tally
            .imported
            .into_iter()
            .map(|(text, (form, count))| (text, Some(form), count as f64))
            .collect();
        forms.sort_by(|(_, _, one), (_, _, other)| other.total_cmp(one));
        forms.truncate(MOST_FORMS);
        forms.push((String::new(), None, tally.ours as f64));
        *self.forms.write().unwrap_or_else(PoisonError::into_inner) = forms;
    }

    /// The form for an identity without a usable password; `None` if it is ours.
    pub(super) fn draw(&self, identity: &str) -> Option<ImportedHash> {
        let forms = self.forms.read().unwrap_or_else(PoisonError::into_inner);
        let weights = forms
            .iter()
            .map(|(text, _, weight)| (text.as_str(), *weight));
        let drawn = self.key.draw(identity, weights)?;
        forms.get(drawn).and_then(|(_, form, _)| form.clone())
    }
}
