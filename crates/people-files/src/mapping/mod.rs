//! Mapping files: which column of another system is what, in TOML. `docs/moving-in/mapping.md` describes them.

mod also;
mod condition;
mod error;
mod field;
mod format;
mod pepper;
mod source;
mod uses;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use stored_passwords::PepperName;

pub use also::{Also, On};
pub use condition::{Condition, Conditions};
pub use error::MappingError;
pub use field::{
    By, Cipher, Codes, Created, Decrypt, Disabled, Email, Encoding, ExternalId, Fold, ManagerField,
    Name, Organization, Password, RoleField, Secret, SecretEncoding, SlackTeam, SlackUser,
    TotpParameter, Verified, When,
};
pub use format::{DateFormat, Delimiter, FileType, Format, TextEncoding, Zone};
pub use source::{OneOrMore, Source};
pub(crate) use uses::Section;

/// A mapping file that has been read. A preset is one, too.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The namespace of external ids. A second run with the same one continues the first.
    pub source: String,
    /// One sentence for `presets list`.
    #[serde(default)]
    pub about: Option<String>,
    #[serde(default)]
    pub format: Format,
    /// The table with the people in a database, or the key of a JSON object that has several lists. The first that
    /// exists counts.
    #[serde(default)]
    pub table: OneOrMore,
    /// Rows that are left out, without being refused: those for which one of these conditions holds.
    #[serde(default)]
    pub skip: Conditions,
    /// Further tables, files, or lists inside a row.
    #[serde(default)]
    pub also: BTreeMap<String, Also>,
    pub person: Person,
    #[serde(default)]
    pub password: PasswordSettings,
    #[serde(default)]
    pub membership: Option<Membership>,
    #[serde(default)]
    pub slack: Option<Slack>,
    #[serde(default)]
    pub totp: Option<Totp>,
    #[serde(default)]
    pub recovery: Option<Recovery>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    #[serde(default)]
    pub external_id: Option<ExternalId>,
    #[serde(default)]
    pub email: Option<Email>,
    #[serde(default)]
    pub verified: Option<Verified>,
    #[serde(default)]
    pub name: Option<Name>,
    #[serde(default)]
    pub first_name: Option<Name>,
    #[serde(default)]
    pub last_name: Option<Name>,
    #[serde(default)]
    pub created: Option<Created>,
    #[serde(default)]
    pub disabled: Option<Disabled>,
    #[serde(default)]
    pub password: Option<Password>,
}

/// What is the same for all passwords.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordSettings {
    #[serde(default)]
    pub pepper: Option<Pepper>,
    #[serde(default)]
    pub project: Option<Project>,
}

/// A secret of the old system that goes into each hash. Its value is never in a mapping.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pepper {
    /// Its value is that of `HALLPASS_IMPORT_PEPPER_<NAME>`.
    #[serde(deserialize_with = "pepper::name")]
    pub name: PepperName,
}

/// What Firebase shows under "Password hash parameters".
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Base64.
    pub signer_key: String,
    /// Base64.
    pub salt_separator: String,
    pub rounds: u32,
    pub mem_cost: u32,
}

impl std::fmt::Debug for Project {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Project(…)")
    }
}

/// One for each row of the tables it reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    pub organization: Organization,
    #[serde(default)]
    pub role: Option<RoleField>,
    #[serde(default)]
    pub manager: Option<ManagerField>,
}

/// One for each row of the tables it reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    pub user: SlackUser,
    pub team: SlackTeam,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totp {
    pub secret: Secret,
    #[serde(default)]
    pub digits: Option<TotpParameter>,
    #[serde(default)]
    pub period: Option<TotpParameter>,
    #[serde(default)]
    pub algorithm: Option<TotpParameter>,
}

/// Collected from all rows of the tables it reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    pub codes: Codes,
}

impl Mapping {
    /// # Errors
    /// What is wrong in which line; an unknown key names the nearest one.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let mapping: Self = toml::from_str(text).map_err(MappingError::from_toml)?;
        mapping.check()?;
        Ok(mapping)
    }

    /// Secrets that the mapping needs: values of `HALLPASS_IMPORT_PEPPER_<NAME>`.
    pub fn peppers(&self) -> BTreeSet<&PepperName> {
        let pepper = self.password.pepper.iter().map(|pepper| &pepper.name);
        let totp = self
            .totp
            .iter()
            .filter_map(|totp| totp.secret.decrypt.as_ref());
        let codes = self
            .recovery
            .iter()
            .filter_map(|recovery| recovery.codes.decrypt.as_ref());
        let to_decrypt = totp.chain(codes).map(|decrypt| &decrypt.name);
        pepper.chain(to_decrypt).collect()
    }

    fn check(&self) -> Result<(), MappingError> {
        if self.source.trim().is_empty() {
            return Err(MappingError::rule(
                "`source` is empty: name the old system, such as \"acme-app\"",
            ));
        }
        if self.person.email.is_none() && self.slack.is_none() {
            return Err(MappingError::rule(
                "people need `email` in [person], or a [slack] section: nobody could sign in otherwise",
            ));
        }
        if let Some(key) = self.without_source() {
            return Err(MappingError::rule(format!(
                "`{key}` needs `from`: the column that it comes from"
            )));
        }
        also::check(&self.also)
    }

    /// The first field that comes from nowhere.
    fn without_source(&self) -> Option<&'static str> {
        let person = &self.person;
        let is_asked = |when: When| !matches!(when, When::Always | When::Never);
        let membership = self.membership.as_ref();
        let role = membership.and_then(|membership| membership.role.as_ref());
        let manager = membership.and_then(|membership| membership.manager.as_ref());
        let fields = [
            (
                "person.external_id",
                person.external_id.as_ref().map(|field| &field.from),
            ),
            (
                "person.email",
                person.email.as_ref().map(|field| &field.from),
            ),
            (
                "person.verified",
                person
                    .verified
                    .as_ref()
                    .filter(|field| is_asked(field.when))
                    .map(|field| &field.from),
            ),
            ("person.name", person.name.as_ref().map(|field| &field.from)),
            (
                "person.first_name",
                person.first_name.as_ref().map(|field| &field.from),
            ),
            (
                "person.last_name",
                person.last_name.as_ref().map(|field| &field.from),
            ),
            (
                "person.created",
                person.created.as_ref().map(|field| &field.from),
            ),
            (
                "person.disabled",
                person
                    .disabled
                    .as_ref()
                    .filter(|field| is_asked(field.when))
                    .map(|field| &field.from),
            ),
            (
                "person.password",
                person.password.as_ref().map(|field| &field.from),
            ),
            (
                "membership.organization",
                membership
                    .map(|membership| &membership.organization)
                    .filter(|field| field.otherwise.is_none())
                    .map(|field| &field.from),
            ),
            (
                "membership.role",
                role.filter(|field| field.otherwise.is_none())
                    .map(|field| &field.from),
            ),
            ("membership.manager", manager.map(|field| &field.from)),
            (
                "slack.user",
                self.slack.as_ref().map(|slack| &slack.user.from),
            ),
            (
                "totp.secret",
                self.totp.as_ref().map(|totp| &totp.secret.from),
            ),
            (
                "recovery.codes",
                self.recovery.as_ref().map(|recovery| &recovery.codes.from),
            ),
        ];
        let empty = |(_, from): &(_, Option<&Source>)| from.is_some_and(|from| from.0.is_empty());
        fields.into_iter().find(empty).map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests;
