//! What must be known of all people before the first is written.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use people_files::{Candidate, Role};

/// Kept so small that it grows by nine bytes for an organization, whatever its name.
#[derive(Default)]
pub struct Facts {
    people: u64,
    administered: HashSet<u64>,
}

impl Facts {
    /// Adds a person.
    pub fn add(&mut self, candidate: &Candidate) {
        self.people += 1;
        if candidate.disabled || candidate.email.is_none() && candidate.slack.is_empty() {
            return;
        }
        let administered = candidate
            .memberships
            .iter()
            .filter(|it| it.role == Role::Admin)
            .map(|it| hash(&it.organization));
        self.administered.extend(administered);
    }

    /// How many people there are.
    pub fn people(&self) -> u64 {
        self.people
    }

    /// Whether somebody is the organization's admin and can sign in.
    pub(super) fn has_admin(&self, organization: &str) -> bool {
        self.administered.contains(&hash(organization))
    }
}

fn hash(text: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
}
