//! What is read: people as the importer gets them, and rows that are none.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stored_passwords::ImportedHash;

/// One line of the answer. Refused and skipped rows come first, in the order of the input; people follow, managers
/// before their reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    Person(Box<Candidate>),
    Refused(RefusedRow),
    Skipped(SkippedRow),
}

/// A person of another system. Nothing of it has been checked against our rules, except for what this crate's types
/// say: the importer still parses the address, the name, and so on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Where the person is: the line of a CSV or NDJSON file (the header is line 1), else the number of the element or
    /// row, from 1.
    pub row: u64,
    pub external_id: Option<String>,
    /// Trimmed, and in lower case unless the mapping says `fold = false`.
    pub email: Option<String>,
    /// Whether the other system had verified the address.
    pub verified: bool,
    /// Of 1 to 201 characters, without control characters.
    pub name: Option<String>,
    /// Where the old system keeps them apart; as `name`.
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub created: Option<DateTime<Utc>>,
    pub disabled: bool,
    #[serde(with = "as_text")]
    pub password: Part<ImportedHash>,
    pub memberships: Vec<Membership>,
    pub slack: Vec<Slack>,
    /// The key of an authenticator with six digits, 30 seconds and SHA-1: 10 to 64 bytes.
    pub totp: Part<Vec<u8>>,
    /// Unused ones, as their owner types them.
    pub recovery_codes: Part<Vec<String>>,
    pub notes: Vec<Note>,
}

/// Part of a person that can be refused while the rest is taken.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub enum Part<T> {
    Absent,
    Present(T),
    Refused(Problem),
}

impl<T> Part<T> {
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Refused(_) => None,
        }
    }

    fn try_map<U, E>(&self, change: impl Fn(&T) -> Result<U, E>) -> Result<Part<U>, E> {
        Ok(match self {
            Self::Absent => Part::Absent,
            Self::Present(value) => Part::Present(change(value)?),
            Self::Refused(problem) => Part::Refused(problem.clone()),
        })
    }
}

/// Hashes in their canonical form.
mod as_text {
    use std::convert::Infallible;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use stored_passwords::ImportedHash;

    use super::Part;

    pub(super) fn serialize<S: Serializer>(
        hash: &Part<ImportedHash>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let Ok(text) = hash.try_map(|hash| Ok::<_, Infallible>(hash.to_string()));
        text.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Part<ImportedHash>, D::Error> {
        let text = Part::<String>::deserialize(deserializer)?;
        text.try_map(|text| ImportedHash::parse(text))
            .map_err(Error::custom)
    }
}

/// Parts are secrets.
impl<T> fmt::Debug for Part<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Present(_) => f.write_str("Present(…)"),
            Self::Refused(problem) => f.debug_tuple("Refused").field(problem).finish(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Membership {
    /// Slug or name.
    pub organization: String,
    /// Its name, if the other is its slug.
    pub organization_name: Option<String>,
    /// Whether an organization that does not exist is to be created.
    pub create: bool,
    pub role: Role,
    pub manager: Option<Manager>,
}

/// Ordered by power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Employee,
    Manager,
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Employee, Self::Manager, Self::Admin]
            .into_iter()
            .find(|role| role.as_str().eq_ignore_ascii_case(text))
    }
}

/// Who somebody reports to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manager {
    pub by: ManagerBy,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagerBy {
    Email,
    ExternalId,
}

/// An account at Slack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slack {
    /// `T0123`
    pub team: String,
    /// `U0123`
    pub user: String,
}

/// What was changed or left out of a person who is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub code: NoteCode,
    /// A sentence.
    pub text: String,
}

/// By which notes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteCode {
    /// Control characters in a name became spaces.
    NameControlCharacters,
    /// A name was longer than 201 characters.
    NameCut,
    /// Managers in a circle: this person's is left out.
    ManagerCircle,
    /// Several rows of another table belong to the person where one is read: the first counts.
    SeveralRows,
    /// An account at Slack without its team.
    SlackWithoutTeam,
}

impl NoteCode {
    /// As it is printed: `name_cut`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NameControlCharacters => "name_control_characters",
            Self::NameCut => "name_cut",
            Self::ManagerCircle => "manager_circle",
            Self::SeveralRows => "several_rows",
            Self::SlackWithoutTeam => "slack_without_team",
        }
    }
}

/// A row that is no person for us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    pub row: u64,
    pub external_id: Option<String>,
    pub problem: Problem,
}

/// A row that the mapping leaves out with `skip`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedRow {
    pub row: u64,
    pub external_id: Option<String>,
    /// The condition: `deleted_at`.
    pub because: String,
}

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// By which problems are grouped: `duplicate_email`.
    pub code: String,
    /// A sentence.
    pub reason: String,
    /// A sentence.
    pub remedy: String,
}

impl Problem {
    pub(crate) fn new(code: &str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }
}
