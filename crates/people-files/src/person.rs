//! From a row to a person.

use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use serde_json::Value;
use stored_passwords::{ImportedHash, Password, Project, Refusal, Scheme, Stored, translate};

use crate::candidate::{
    Candidate, Manager, ManagerBy, Membership, Note, NoteCode, Part, Problem, Role, Slack,
};
use crate::convert::date::date_of;
use crate::convert::decrypt::decrypt;
use crate::convert::name::name_of;
use crate::convert::role::{mapped, roles_of};
use crate::convert::totp::{Parameters, codes_of, key_of};
use crate::error::OpenError;
use crate::join::{Joins, TooManyRows};
use crate::mapping::{
    self, Created, Decrypt, Encoding, Mapping, Recovery, Section, Source, Totp, TotpParameter, When,
};
use crate::options::Options;
use crate::path::{Joined, Row};
use crate::spool::Spool;
use crate::value::{boolean_of, text_of};

/// What makes people of rows.
pub(crate) struct Reader<'m> {
    mapping: &'m Mapping,
    options: &'m Options,
    joins: Joins<'m>,
    person: Vec<usize>,
    membership: Vec<usize>,
    slack: Vec<usize>,
    totp: Vec<usize>,
    recovery: Vec<usize>,
    project: Option<Project>,
    /// Roles that the map lacks: the first row with each, and how many more there are.
    pub(crate) unmapped: BTreeMap<String, (u64, u64)>,
}

/// What has become of a row.
pub(crate) enum Read {
    Person(Box<Candidate>),
    /// The condition that left it out.
    Skipped {
        external_id: Option<String>,
        because: String,
    },
    Refused {
        external_id: Option<String>,
        problem: Problem,
    },
}

/// What ends the reading of a row.
enum Stop {
    Row(Problem),
    All(OpenError),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Row(problem)
    }
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Self {
        Self::All(error)
    }
}

impl From<TooManyRows> for Stop {
    fn from(_: TooManyRows) -> Self {
        Self::Row(Problem::new(
            "too_many_rows",
            "More than 1,000 rows of other tables belong to it.",
            "Check `on` and `where` of [also.…] in the mapping.",
        ))
    }
}

impl<'m> Reader<'m> {
    pub(crate) fn new(mapping: &'m Mapping, options: &'m Options, joins: Joins<'m>) -> Self {
        let read_by = |section| joins.read_by(section, mapping);
        Self {
            person: read_by(Section::Person),
            membership: read_by(Section::Membership),
            slack: read_by(Section::Slack),
            totp: read_by(Section::Totp),
            recovery: read_by(Section::Recovery),
            project: mapping.password.project.as_ref().map(project),
            mapping,
            options,
            joins,
            unmapped: BTreeMap::new(),
        }
    }

    /// # Errors
    /// Of the temporary database.
    pub(crate) fn read(
        &mut self,
        number: u64,
        row: &Row,
        spool: &Spool,
    ) -> Result<Read, OpenError> {
        let (joined, several) = self.joins.first(row, &self.person, spool)?;
        let external_id = self
            .mapping
            .person
            .external_id
            .as_ref()
            .and_then(|field| text(&field.from, &joined));
        if let Some(because) = self.mapping.skip.any_holds(&joined) {
            return Ok(Read::Skipped {
                external_id,
                because: because.to_owned(),
            });
        }
        match self.person(number, row, joined, several, external_id.clone(), spool) {
            Ok(person) => Ok(Read::Person(Box::new(person))),
            Err(Stop::Row(problem)) => Ok(Read::Refused {
                external_id,
                problem,
            }),
            Err(Stop::All(error)) => Err(error),
        }
    }

    fn person(
        &mut self,
        number: u64,
        row: &Row,
        mut joined: Joined<'_>,
        several: Vec<&str>,
        external_id: Option<String>,
        spool: &Spool,
    ) -> Result<Candidate, Stop> {
        let fields = &self.mapping.person;
        let needs_id = fields
            .external_id
            .as_ref()
            .is_some_and(|field| !field.optional);
        if needs_id && external_id.is_none() {
            return Err(no_external_id().into());
        }
        let email: Option<Rc<str>> = fields.email.as_ref().and_then(|field| {
            let email = text(&field.from, &joined)?;
            Some(
                if field.fold.0 {
                    email.to_lowercase()
                } else {
                    email
                }
                .into(),
            )
        });
        joined.email.clone_from(&email);
        let mut notes: Vec<Note> = several.into_iter().map(several_rows).collect();
        let verified = match &fields.verified {
            _ if self.options.trust_emails => Some(true),
            Some(field) => self.answer(&field.from, field.when, &joined)?,
            None => None,
        };
        let (name, of_name) = cleaned_name(fields.name.as_ref().map(|field| &field.from), &joined);
        notes.extend(of_name);
        let part = |field: &Option<mapping::Name>| {
            cleaned_name(field.as_ref().map(|field| &field.from), &joined).0
        };
        let (first_name, last_name) = (part(&fields.first_name), part(&fields.last_name));
        let created = match &fields.created {
            Some(field) => self.created(field, &joined)?,
            None => None,
        };
        let disabled = match &fields.disabled {
            Some(field) => {
                let answer = self.answer(&field.from, field.when, &joined)?;
                answer.is_some_and(|answer| answer != field.invert)
            }
            None => false,
        };
        let password = self.password(&joined);
        let memberships = self.memberships(number, row, email.as_ref(), spool)?;
        let slack = self.slack(row, email.as_ref(), spool, &mut notes)?;
        if email.is_none() && slack.is_empty() {
            return Err(no_email().into());
        }
        let totp = self.totp(row, spool, &mut notes)?;
        let recovery_codes = self.recovery_codes(row, spool)?;
        Ok(Candidate {
            row: number,
            external_id,
            verified: verified.unwrap_or(false) && email.is_some(),
            email: email.map(|email| email.to_string()),
            name,
            first_name,
            last_name,
            created,
            disabled,
            password,
            memberships,
            slack,
            totp,
            recovery_codes,
            notes,
        })
    }

    /// What a column answers by `when`; `None` if it says nothing.
    fn answer(
        &self,
        from: &Source,
        when: When,
        joined: &Joined<'_>,
    ) -> Result<Option<bool>, Problem> {
        let value = || first(from, joined);
        let date = |value: &Value| {
            date_of(
                value,
                self.mapping.format.date.as_ref(),
                self.mapping.format.zone.0,
            )
        };
        match when {
            When::Always => Ok(Some(true)),
            When::Never => Ok(Some(false)),
            When::ContainsEmail => {
                let addresses = from.0.iter().flat_map(|path| path.values(joined));
                let is_there = |email: &str| {
                    addresses
                        .flat_map(|list| addresses_of(&list))
                        .any(|one| one == email)
                };
                Ok(Some(
                    joined
                        .email
                        .as_ref()
                        .is_some_and(|email| is_there(&email.to_lowercase())),
                ))
            }
            When::TrueOrDate => match value() {
                None => Ok(None),
                Some(value) => match boolean_of(&value) {
                    Some(answer) => Ok(Some(answer)),
                    None => Ok(date(&value)?.map(|_| true)),
                },
            },
            When::NotNull => match value() {
                None => Ok(Some(false)),
                Some(value) if boolean_of(&value).is_some() => Err(Problem::new(
                    "not_a_date",
                    format!(
                        "{:?} is a boolean, and `when = \"not-null\"` asks whether there is a value.",
                        text_of(&value)
                    ),
                    "Set `when = \"true\"` in the mapping.",
                )),
                Some(value) => Ok(Some(!is_null_word(&value))),
            },
            When::True => match value() {
                None => Ok(None),
                Some(value) if is_null_word(&value) => Ok(None),
                Some(value) => boolean_of(&value).map(Some).ok_or_else(|| {
                    Problem::new(
                        "not_a_boolean",
                        format!("{:?} is neither true nor false.", text_of(&value)),
                        "Set `when = \"not-null\"` in the mapping if the column holds dates.",
                    )
                }),
            },
            When::InFuture => match value() {
                None => Ok(None),
                Some(value) => Ok(date(&value)?.map(|date| date > self.options.now)),
            },
        }
    }

    fn created(
        &self,
        field: &Created,
        joined: &Joined<'_>,
    ) -> Result<Option<DateTime<Utc>>, Problem> {
        let format = field.date.as_ref().or(self.mapping.format.date.as_ref());
        let zone = field.zone.unwrap_or(self.mapping.format.zone);
        match first(&field.from, joined) {
            Some(value) => date_of(&value, format, zone.0),
            None => Ok(None),
        }
    }

    fn password(&self, joined: &Joined<'_>) -> Part<ImportedHash> {
        let Some(field) = &self.mapping.person.password else {
            return Part::Absent;
        };
        let column = |source: &Option<Source>| source.as_ref().and_then(|from| text(from, joined));
        let Some(hash) = text(&field.from, joined) else {
            return Part::Absent;
        };
        let (salt, algorithm) = (column(&field.salt), column(&field.algorithm));
        let stored = Stored {
            hash: &hash,
            salt: salt.as_deref(),
            algorithm: algorithm.as_deref(),
            pepper: self
                .mapping
                .password
                .pepper
                .as_ref()
                .map(|pepper| &pepper.name),
            project: self.project.as_ref(),
        };
        match translate(field.scheme.as_ref().unwrap_or(&Scheme::Auto), &stored) {
            Ok(Password::Hash(hash)) => Part::Present(hash),
            Ok(Password::None) => Part::Absent,
            Err(refusal) => Part::Refused(refused_password(&refusal)),
        }
    }

    fn memberships(
        &mut self,
        number: u64,
        row: &Row,
        email: Option<&Rc<str>>,
        spool: &Spool,
    ) -> Result<Vec<Membership>, Stop> {
        let Some(section) = &self.mapping.membership else {
            return Ok(Vec::new());
        };
        let mut memberships: Vec<Membership> = Vec::new();
        for joined in self.joins.expand(row, email, &self.membership, spool)?? {
            let organization = text(&section.organization.from, &joined);
            let Some(organization) =
                organization.or_else(|| section.organization.otherwise.clone())
            else {
                continue;
            };
            let role = match &section.role {
                None => Some(Role::Employee),
                Some(field) => {
                    let roles: Vec<String> = all(&field.from, &joined)
                        .iter()
                        .flat_map(roles_of)
                        .collect();
                    match mapped(&roles, field.map.as_ref()) {
                        Ok(role) => role.or(field.otherwise).or(Some(Role::Employee)),
                        Err(unmapped) => {
                            remember(&mut self.unmapped, unmapped, number);
                            None
                        }
                    }
                }
            };
            let Some(role) = role else { continue };
            let manager = section.manager.as_ref().and_then(|field| {
                let value = text(&field.from, &joined)?;
                let folded = field.by.0 == ManagerBy::Email;
                let value = if folded { value.to_lowercase() } else { value };
                Some(Manager {
                    by: field.by.0,
                    value,
                })
            });
            match memberships
                .iter_mut()
                .find(|known| known.organization == organization)
            {
                Some(known) => {
                    known.role = known.role.max(role);
                    known.manager = known.manager.take().or(manager);
                }
                None => memberships.push(Membership {
                    organization,
                    organization_name: section
                        .organization
                        .name
                        .as_ref()
                        .and_then(|name| text(name, &joined)),
                    create: section.organization.create,
                    role,
                    manager,
                }),
            }
        }
        Ok(memberships)
    }

    fn slack(
        &self,
        row: &Row,
        email: Option<&Rc<str>>,
        spool: &Spool,
        notes: &mut Vec<Note>,
    ) -> Result<Vec<Slack>, Stop> {
        let Some(section) = &self.mapping.slack else {
            return Ok(Vec::new());
        };
        let fixed = self
            .options
            .slack_team
            .as_ref()
            .or(section.team.otherwise.as_ref());
        let mut found = Vec::new();
        for joined in self.joins.expand(row, email, &self.slack, spool)?? {
            let Some(user) = text(&section.user.from, &joined) else {
                continue;
            };
            match text(&section.team.from, &joined).or_else(|| fixed.cloned()) {
                Some(team) => {
                    let identity = Slack { team, user };
                    if !found.contains(&identity) {
                        found.push(identity);
                    }
                }
                None => notes.push(Note {
                    code: NoteCode::SlackWithoutTeam,
                    text: "The account at Slack is left out, because its team is not known: --slack-team.".to_owned(),
                }),
            }
        }
        Ok(found)
    }

    fn totp(&self, row: &Row, spool: &Spool, notes: &mut Vec<Note>) -> Result<Part<Vec<u8>>, Stop> {
        let Some(section) = &self.mapping.totp else {
            return Ok(Part::Absent);
        };
        let expanded = self.joins.expand(row, None, &self.totp, spool)??;
        let mut with_secret = expanded
            .iter()
            .filter_map(|joined| Some((text(&section.secret.from, joined)?, joined)));
        let Some((secret, joined)) = with_secret.next() else {
            return Ok(Part::Absent);
        };
        if with_secret.next().is_some() {
            notes.push(several_rows("authenticators"));
        }
        Ok(match self.totp_key(section, &secret, joined) {
            Ok(key) => Part::Present(key),
            Err(problem) => Part::Refused(problem),
        })
    }

    fn totp_key(
        &self,
        section: &Totp,
        secret: &str,
        joined: &Joined<'_>,
    ) -> Result<Vec<u8>, Problem> {
        let column = |field: &Option<TotpParameter>| {
            field.as_ref().and_then(|field| text(&field.from, joined))
        };
        let parameters = Parameters {
            digits: column(&section.digits),
            period: column(&section.period),
            algorithm: column(&section.algorithm),
        };
        parameters.check()?;
        let secret = self.decrypted(secret, section.secret.decrypt.as_ref())?;
        let encoding = match &section.secret.encoding {
            Encoding::Fixed(encoding) => *encoding,
            Encoding::From { from, otherwise } => match text(from, joined) {
                None => *otherwise,
                Some(name) => named_encoding(&name)?,
            },
        };
        key_of(&secret, encoding)
    }

    fn recovery_codes(&self, row: &Row, spool: &Spool) -> Result<Part<Vec<String>>, Stop> {
        let Some(Recovery { codes }) = &self.mapping.recovery else {
            return Ok(Part::Absent);
        };
        let mut found = Vec::new();
        for joined in self.joins.expand(row, None, &self.recovery, spool)?? {
            for value in all(&codes.from, &joined) {
                let value = match &codes.decrypt {
                    None => value,
                    Some(_) => match self.decrypted(&text_of(&value), codes.decrypt.as_ref()) {
                        Ok(text) => Value::String(text),
                        Err(problem) => return Ok(Part::Refused(problem)),
                    },
                };
                found.extend(codes_of(&value));
            }
        }
        Ok(if found.is_empty() {
            Part::Absent
        } else {
            Part::Present(found)
        })
    }

    fn decrypted(&self, text: &str, by: Option<&Decrypt>) -> Result<String, Problem> {
        match by {
            Some(by) => decrypt(
                text,
                by.scheme,
                self.options.peppers.get(&by.name).unwrap_or_default(),
            ),
            None => Ok(text.to_owned()),
        }
    }
}

fn project(mapped: &mapping::Project) -> Project {
    Project {
        signer_key: mapped.signer_key.clone(),
        salt_separator: mapped.salt_separator.clone(),
        rounds: mapped.rounds,
        mem_cost: mapped.mem_cost,
    }
}

fn refused_password(refusal: &Refusal) -> Problem {
    let code = match refusal {
        Refusal::Malformed(_) => "password_malformed",
        Refusal::Unknown => "password_unknown",
        Refusal::TooExpensive { .. } => "password_too_expensive",
        Refusal::TooLittle { .. } => "password_too_little",
        Refusal::Unsupported(_) => "password_unsupported",
        Refusal::Readable => "password_readable",
        Refusal::Undeclared => "password_undeclared",
        Refusal::Ambiguous(_) => "password_ambiguous",
        Refusal::Missing(_) => "password_needs_more",
        Refusal::NoScheme => "password_scheme",
    };
    let sentence = refusal.to_string();
    let (reason, remedy) = sentence.split_once("; ").unwrap_or((&sentence, ""));
    Problem::new(code, reason, remedy)
}

/// Roles of a column that is no role are as many as its rows.
const MAX_UNMAPPED: usize = 1_000;

fn remember(unmapped: &mut BTreeMap<String, (u64, u64)>, role: &str, row: u64) {
    if let Some((_, times)) = unmapped.get_mut(role) {
        *times += 1;
    } else if unmapped.len() < MAX_UNMAPPED {
        unmapped.insert(role.to_owned(), (row, 1));
    }
}

fn named_encoding(name: &str) -> Result<crate::mapping::SecretEncoding, Problem> {
    use crate::mapping::SecretEncoding::{Base32, Hex, Text};

    let known = [("base32", Base32), ("hex", Hex), ("text", Text)];
    let found = known
        .into_iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, encoding)| encoding).ok_or_else(|| {
        Problem::new(
            "totp_encoding",
            format!("{name:?} is no encoding of keys that is known."),
            "Let these people set up their authenticator anew.",
        )
    })
}

/// The name, and what was changed about it.
fn cleaned_name(from: Option<&Source>, joined: &Joined<'_>) -> (Option<String>, Vec<Note>) {
    let paths = from.map_or(&[][..], |source| &source.0);
    for value in paths.iter().flat_map(|path| path.values(joined)) {
        let (name, notes) = name_of(&text_of(&value));
        if name.is_some() {
            return (name, notes);
        }
    }
    (None, Vec::new())
}

fn first(from: &Source, joined: &Joined<'_>) -> Option<Value> {
    from.0
        .iter()
        .find_map(|path| path.values(joined).into_iter().next())
}

/// Of the first path that has any.
fn all(from: &Source, joined: &Joined<'_>) -> Vec<Value> {
    from.0
        .iter()
        .map(|path| path.values(joined))
        .find(|values| !values.is_empty())
        .unwrap_or_default()
}

fn text(from: &Source, joined: &Joined<'_>) -> Option<String> {
    first(from, joined)
        .map(|value| text_of(&value))
        .filter(|text| !text.is_empty())
}

/// In lower case, from a list or a text with several.
fn addresses_of(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(addresses_of).collect(),
        other => {
            let text = text_of(other).to_lowercase();
            let parts = text.split([',', ';', '|', ' ', '\n', '[', ']', '"', '\'', '{', '}']);
            parts
                .filter(|part| part.contains('@'))
                .map(str::to_owned)
                .collect()
        }
    }
}

/// As exports write it.
fn is_null_word(value: &Value) -> bool {
    let text = text_of(value);
    text.starts_with("0000-00-00")
        || ["null", "none", "nil"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word))
}

fn several_rows(of: &str) -> Note {
    Note {
        code: NoteCode::SeveralRows,
        text: format!("There are several {of}; the first counts."),
    }
}

fn no_email() -> Problem {
    Problem::new(
        "no_email",
        "There is neither an address nor an account at Slack.",
        "Add one, or leave such rows out with `skip` in the mapping.",
    )
}

fn no_external_id() -> Problem {
    Problem::new(
        "no_external_id",
        "There is no id.",
        "Correct the row, or see `external_id` in [person] of the mapping.",
    )
}
