//! What was imported of a person last, as short digests: a later run tells from them what has changed elsewhere since,
//! and what has changed here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::crypto::fingerprint::fingerprint;
use crate::domain::{OrganizationId, Role, UserId};

/// Tells values of one person apart, and is no proof of anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digest(String);

/// What of a person is compared by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Email,
    Verified,
    Name,
    Password,
    Disabled,
    Slack,
    SecondFactor,
    Role(OrganizationId),
    Manager(OrganizationId),
}

/// The digests of all parts that a source knows of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fingerprint(BTreeMap<Part, Digest>);

impl Digest {
    pub(super) fn of(text: &str) -> Self {
        Self(fingerprint(text))
    }

    pub(super) fn of_flag(flag: bool) -> Self {
        Self::of(if flag { "yes" } else { "no" })
    }

    pub(super) fn of_role(role: Role) -> Self {
        Self::of(role.as_str())
    }

    pub(super) fn of_manager(manager_id: Option<UserId>) -> Self {
        match manager_id {
            Some(id) => Self::of(&id.to_string()),
            None => Self::of("nobody"),
        }
    }
}

impl Part {
    /// The letters of a part, and for a membership its place.
    fn key(self) -> String {
        match self {
            Self::Email => "e".to_owned(),
            Self::Verified => "v".to_owned(),
            Self::Name => "n".to_owned(),
            Self::Password => "p".to_owned(),
            Self::Disabled => "d".to_owned(),
            Self::Slack => "s".to_owned(),
            Self::SecondFactor => "t".to_owned(),
            Self::Role(id) => format!("r{}", id.0.simple()),
            Self::Manager(id) => format!("m{}", id.0.simple()),
        }
    }

    fn parse(key: &str) -> Option<Self> {
        Some(match key.split_at_checked(1)? {
            ("e", "") => Self::Email,
            ("v", "") => Self::Verified,
            ("n", "") => Self::Name,
            ("p", "") => Self::Password,
            ("d", "") => Self::Disabled,
            ("s", "") => Self::Slack,
            ("t", "") => Self::SecondFactor,
            ("r", id) => Self::Role(id.parse().ok()?),
            ("m", id) => Self::Manager(id.parse().ok()?),
            _ => return None,
        })
    }

    /// As a report names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Verified => "verified",
            Self::Name => "name",
            Self::Password => "password",
            Self::Disabled => "disabled",
            Self::Slack => "slack",
            Self::SecondFactor => "second_factor",
            Self::Role(_) => "role",
            Self::Manager(_) => "manager",
        }
    }
}

impl Fingerprint {
    pub(super) fn set(&mut self, part: Part, digest: Digest) {
        self.0.insert(part, digest);
    }

    pub(super) fn get(&self, part: Part) -> Option<&Digest> {
        self.0.get(&part)
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = (Part, &Digest)> {
        self.0.iter().map(|(part, digest)| (*part, digest))
    }

    /// Reads a stored one; what is not understood counts as missing.
    pub(super) fn parse(text: &str) -> Self {
        let part = |word: &str| {
            let (key, digest) = word.split_once(':')?;
            Some((Part::parse(key)?, Digest(digest.to_owned())))
        };
        Self(text.split(' ').filter_map(part).collect())
    }

    /// The text to store.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (part, Digest(digest)) in &self.0 {
            let separator = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{separator}{}:{digest}", part.key());
        }
        text
    }
}

/// What becomes of a part of a person who was imported before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merge {
    /// The source says what it said last time, or what is here already.
    Same,
    /// It has changed there and not here.
    Take,
    /// It has changed on both sides: what is here stays.
    Keep,
}

/// Compares what the source said last time, what it says now, and what is here.
pub(super) fn merge(last: Option<&Digest>, theirs: &Digest, ours: Option<&Digest>) -> Merge {
    if Some(theirs) == last || Some(theirs) == ours {
        Merge::Same
    } else if ours == last {
        Merge::Take
    } else {
        Merge::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_survives_being_stored() {
        let mut fingerprint = Fingerprint::default();
        for part in [
            Part::Email,
            Part::Verified,
            Part::Name,
            Part::Password,
            Part::Disabled,
            Part::Slack,
            Part::SecondFactor,
            Part::Role(OrganizationId::NIL),
            Part::Manager(OrganizationId::NIL),
        ] {
            fingerprint.set(part, Digest::of(part.name()));
        }
        assert_eq!(Fingerprint::parse(&fingerprint.text()), fingerprint);
        for nonsense in ["", "x:y", "e", "rnot-an-id:y"] {
            assert_eq!(Fingerprint::parse(nonsense), Fingerprint::default());
        }
    }

    #[test]
    fn what_changed_here_is_never_replaced() {
        let [old, new, own] = &["old", "new", "own"].map(Digest::of);
        for (last, theirs, ours, becomes) in [
            (Some(old), old, Some(old), Merge::Same),
            (Some(old), old, Some(own), Merge::Same),
            (Some(old), old, None, Merge::Same),
            (Some(old), new, Some(old), Merge::Take),
            (Some(old), new, Some(new), Merge::Same),
            (Some(old), new, Some(own), Merge::Keep),
            (Some(old), new, None, Merge::Keep),
            (None, new, None, Merge::Take),
            (None, new, Some(own), Merge::Keep),
        ] {
            assert_eq!(merge(last, theirs, ours), becomes);
        }
    }
}
