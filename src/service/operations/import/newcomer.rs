//! A person as the other system has them, checked against our rules for addresses, names and so on. What needs the
//! database is checked later.

use chrono::{DateTime, Utc};
use people_files::{Candidate, Manager, ManagerBy, Part as Given};
use stored_passwords::ImportedHash;

use super::fingerprint::{Digest, Fingerprint, Part};
use super::report::Reason;
use crate::crypto::recovery_code::ForeignCode;
use crate::crypto::totp::Secret;
use crate::domain::names::GivenOrFamilyName;
use crate::domain::{Email, OrganizationId, PersonName, Role, SlackAccount, UserId};

/// Bytes of an external id, so that it fits into an index of either database.
const MAX_EXTERNAL_ID: usize = 255;

/// A person who may be imported.
#[derive(Clone)]
pub(super) struct Newcomer {
    pub row: u64,
    /// Their id at the source, or their address if it has none.
    pub external_id: String,
    /// Whether the source has an id of them.
    pub has_external_id: bool,
    pub email: Option<Email>,
    pub is_verified: bool,
    pub name: PersonName,
    /// If the source has them apart.
    pub first_name: Option<GivenOrFamilyName>,
    pub last_name: Option<GivenOrFamilyName>,
    pub created_at: Option<DateTime<Utc>>,
    pub is_disabled: bool,
    pub password: Option<ImportedHash>,
    pub memberships: Vec<WantedMembership>,
    pub slack: Vec<SlackAccount>,
    pub totp: Option<Secret>,
    pub recovery_codes: Vec<ForeignCode>,
    pub notes: Vec<Reason>,
}

/// A membership at the source.
#[derive(Clone)]
pub(super) struct WantedMembership {
    /// Slug or name.
    pub organization: String,
    /// The name, if the other is a slug.
    pub organization_name: Option<String>,
    /// Whether it may be created.
    pub create: bool,
    pub role: Role,
    pub manager: Option<Manager>,
}

impl Newcomer {
    /// # Errors
    /// Why the person cannot be imported.
    pub(super) fn check(candidate: Candidate, now: DateTime<Utc>) -> Result<Self, Reason> {
        let mut notes: Vec<Reason> = candidate.notes.into_iter().map(Reason::from).collect();
        let email = match candidate.email.as_deref() {
            Some(text) => Some(Email::parse(text).map_err(|_| Reason::unusable_email())?),
            None => None,
        };
        let slack = accounts(candidate.slack, &mut notes);
        if email.is_none() && slack.is_empty() {
            return Err(Reason::no_way_in());
        }
        let has_external_id = candidate.external_id.is_some();
        let external_id = match (candidate.external_id, &email) {
            (Some(id), _) if id.len() > MAX_EXTERNAL_ID => return Err(Reason::long_external_id()),
            (Some(id), _) => id,
            (None, Some(email)) => email.to_string(),
            (None, None) => return Err(Reason::no_external_id()),
        };
        let created_at = match candidate.created {
            Some(at) if at > now => {
                notes.push(Reason::created_in_the_future());
                None
            }
            at => at,
        };
        let memberships = candidate
            .memberships
            .into_iter()
            .map(|it| WantedMembership {
                organization: it.organization,
                organization_name: it.organization_name,
                create: it.create,
                role: role(it.role),
                manager: it.manager,
            });
        Ok(Self {
            row: candidate.row,
            external_id,
            has_external_id,
            is_verified: email.is_some() && candidate.verified,
            name: name(candidate.name.as_deref(), email.as_ref(), &mut notes),
            first_name: apart(candidate.first_name.as_deref()),
            last_name: apart(candidate.last_name.as_deref()),
            created_at,
            is_disabled: candidate.disabled,
            password: part(candidate.password, &mut notes),
            memberships: memberships.collect(),
            slack,
            totp: secret(candidate.totp, &mut notes),
            recovery_codes: codes(candidate.recovery_codes, &mut notes),
            email,
            notes,
        })
    }

    /// The account's id, if the source has a UUID for it.
    pub(super) fn own_id(&self) -> Option<UserId> {
        let id: UserId = self.external_id.parse().ok()?;
        (self.has_external_id && id != UserId::NIL).then_some(id)
    }

    /// Everything that is compared by the next run; the organizations and managers are those found here.
    pub(super) fn fingerprint(
        &self,
        places: impl IntoIterator<Item = (OrganizationId, Role, Option<UserId>)>,
    ) -> Fingerprint {
        let mut all = Fingerprint::default();
        let text = |text: Option<&str>| Digest::of(text.unwrap_or_default());
        all.set(Part::Email, text(self.email.as_ref().map(Email::as_str)));
        all.set(Part::Verified, Digest::of_flag(self.is_verified));
        all.set(Part::Name, Digest::of(self.name.as_str()));
        all.set(Part::Disabled, Digest::of_flag(self.is_disabled));
        if let Some(hash) = &self.password {
            all.set(Part::Password, Digest::of(&hash.to_string()));
        }
        if let Some(secret) = &self.totp {
            all.set(Part::SecondFactor, Digest::of(&secret.base32()));
        }
        for account in &self.slack {
            let account = format!("{}/{}", account.team_id, account.user_id);
            all.set(Part::Slack, Digest::of(&account));
        }
        for (id, role, manager_id) in places {
            all.set(Part::Role(id), Digest::of_role(role));
            all.set(Part::Manager(id), Digest::of_manager(manager_id));
        }
        all
    }
}

fn role(given: people_files::Role) -> Role {
    match given {
        people_files::Role::Employee => Role::Employee,
        people_files::Role::Manager => Role::Manager,
        people_files::Role::Admin => Role::Admin,
    }
}

/// The given name, else what stands before the `@`.
fn name(given: Option<&str>, email: Option<&Email>, notes: &mut Vec<Reason>) -> PersonName {
    if let Some(name) = given.and_then(PersonName::from_elsewhere) {
        return name;
    }
    notes.push(Reason::nameless());
    email
        .and_then(|email| PersonName::from_elsewhere(email.local_part()))
        .unwrap_or_else(|| PersonName::from_stored("Somebody".to_owned()))
}

fn apart(given: Option<&str>) -> Option<GivenOrFamilyName> {
    given.and_then(GivenOrFamilyName::from_elsewhere)
}

fn accounts(given: Vec<people_files::Slack>, notes: &mut Vec<Reason>) -> Vec<SlackAccount> {
    let mut accounts: Vec<SlackAccount> = Vec::new();
    for slack in given {
        match SlackAccount::parse(&slack.team, &slack.user) {
            Some(account) if accounts.contains(&account) => {}
            Some(account) => accounts.push(account),
            None => notes.push(Reason::no_slack_account(&slack.team, &slack.user)),
        }
    }
    accounts
}

fn secret(given: Given<Vec<u8>>, notes: &mut Vec<Reason>) -> Option<Secret> {
    let bytes = part(given, notes)?;
    let secret = Secret::from_elsewhere(&bytes);
    if secret.is_none() {
        notes.push(Reason::refused_secret(bytes.len()));
    }
    secret
}

fn codes(given: Given<Vec<String>>, notes: &mut Vec<Reason>) -> Vec<ForeignCode> {
    let given = part(given, notes).unwrap_or_default();
    let count = given.len();
    let codes: Vec<ForeignCode> = given
        .iter()
        .filter_map(|text| ForeignCode::parse(text))
        .collect();
    if codes.len() < count {
        notes.push(Reason::refused_codes(count - codes.len()));
    }
    codes
}

/// A part that was read; what was refused is noted.
fn part<T>(given: Given<T>, notes: &mut Vec<Reason>) -> Option<T> {
    match given {
        Given::Absent => None,
        Given::Present(value) => Some(value),
        Given::Refused(problem) => {
            notes.push(problem.into());
            None
        }
    }
}

/// Of whom it is said that somebody reports to them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum ManagerKey {
    Email(Email),
    ExternalId(String),
}

impl ManagerKey {
    /// `None` if the text can be nobody's.
    pub(super) fn of(manager: &Manager) -> Option<Self> {
        match manager.by {
            ManagerBy::Email => Email::parse(&manager.value).ok().map(Self::Email),
            ManagerBy::ExternalId => Some(Self::ExternalId(manager.value.clone())),
        }
    }
}
