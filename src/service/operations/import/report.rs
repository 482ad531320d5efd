//! What came of each row, and of all of them in groups.

use std::borrow::Cow;
use std::collections::BTreeMap;

use people_files::Problem;
use serde::Serialize;

use super::password_form::PasswordForm;
use crate::domain::UserId;
use crate::domain::import::Counts;

/// How many rows of a group are named.
const NAMED_ROWS: usize = 20;

/// How many forms of passwords are counted apart, so that a summary stays small whatever the source holds.
const NAMED_FORMS: usize = 50;

/// Why a row, or a part of it, is not as it was in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub code: Cow<'static, str>,
    pub reason: String,
    pub remedy: String,
    /// Whether something was refused, so that the run is not complete.
    pub is_refusal: bool,
}

impl Reason {
    fn refused(code: &'static str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            reason: reason.into(),
            remedy: remedy.into(),
            is_refusal: true,
        }
    }

    fn noted(code: &'static str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            is_refusal: false,
            ..Self::refused(code, reason, remedy)
        }
    }

    pub(super) fn unusable_email() -> Self {
        Self::refused(
            "unusable_email",
            "The address is none that Hallpass accepts.",
            "Correct it in the source. Before the @ only ASCII is accepted.",
        )
    }

    pub(super) fn no_way_in() -> Self {
        Self::refused(
            "no_way_in",
            "There is neither an address nor an account at Slack, so nobody could sign in.",
            "Add one of them in the source, or map the column that has it.",
        )
    }

    pub(super) fn no_external_id() -> Self {
        Self::refused(
            "no_external_id",
            "There is neither an id nor an address by which a later run would know the person.",
            "Map the column that has the id: external_id in [person].",
        )
    }

    pub(super) fn long_external_id() -> Self {
        Self::refused(
            "long_external_id",
            "The id has more than 255 bytes.",
            "Map a shorter one: external_id in [person].",
        )
    }

    pub(super) fn email_taken() -> Self {
        Self::refused(
            "email_taken",
            "The address belongs to an account here that did not come from this source.",
            "If it is the same person, run again with --on-conflict update; else correct the address.",
        )
    }

    pub(super) fn email_not_verified() -> Self {
        Self::refused(
            "email_not_verified",
            "The address belongs to an account here, and is not verified on both sides, so it proves nothing.",
            "Have the owner verify the address, or correct it in the source.",
        )
    }

    pub(super) fn email_twice() -> Self {
        Self::refused(
            "email_twice",
            "Another person of this source has the address. Two people are never merged.",
            "Decide in the source which of them keeps it.",
        )
    }

    pub(super) fn slack_taken() -> Self {
        Self::refused(
            "slack_taken",
            "The account at Slack leads to somebody else here, and there is no address.",
            "Unlink it with `hallpass user unlink`, or add an address in the source.",
        )
    }

    pub(super) fn unknown_organization() -> Self {
        Self::refused(
            "unknown_organization",
            "There is no such organization.",
            "Create it with `hallpass org create`, or set create = true in the mapping.",
        )
    }

    pub(super) fn unusable_organization() -> Self {
        Self::refused(
            "unusable_organization",
            "The name of the organization is none that Hallpass accepts: 2 to 255 characters.",
            "Correct it in the source.",
        )
    }

    pub(super) fn no_admin() -> Self {
        Self::refused(
            "organization_without_admin",
            "The organization would have no admin who can sign in.",
            "Map a role to admin, or create the organization with `hallpass org create` and give it one.",
        )
    }

    pub(super) fn skipped(because: &str) -> Self {
        Self::noted(
            "skipped",
            format!("The mapping leaves it out: {because}."),
            "Nothing, or change skip in the mapping.",
        )
    }

    pub(super) fn created_in_the_future() -> Self {
        Self::noted(
            "created_in_the_future",
            "The account was created in the future; it counts as created now.",
            "Check date and zone in the mapping.",
        )
    }

    pub(super) fn nameless() -> Self {
        Self::noted(
            "nameless",
            "There is no name; what stands before the @ is taken.",
            "Map the column that has it: name in [person].",
        )
    }

    pub(super) fn no_slack_account(team: &str, user: &str) -> Self {
        Self::refused(
            "no_slack_account",
            format!("{team:?} and {user:?} are no workspace and account of Slack."),
            "Correct them in the source; ids begin with T and U.",
        )
    }

    pub(super) fn linked_to_somebody_else() -> Self {
        Self::refused(
            "slack_taken",
            "The account at Slack leads to somebody else here, and stays theirs.",
            "Unlink it with `hallpass user unlink`, and run again.",
        )
    }

    pub(super) fn refused_secret(bytes: usize) -> Self {
        Self::refused(
            "refused_second_factor",
            format!("The secret of an authenticator has {bytes} bytes; 10 to 64 are accepted."),
            "The person enrols again.",
        )
    }

    pub(super) fn refused_codes(count: usize) -> Self {
        Self::refused(
            "refused_recovery_codes",
            format!(
                "{count} recovery codes are too short, too long, or look like those of an authenticator."
            ),
            "The person makes new ones.",
        )
    }

    pub(super) fn unknown_manager() -> Self {
        Self::refused(
            "unknown_manager",
            "The manager is no member of the organization; the person has none.",
            "Import the manager as well, or correct it in the source.",
        )
    }

    pub(super) fn too_deep() -> Self {
        Self::refused(
            "too_many_managers",
            "There would be more than 64 levels of managers; the person has none.",
            "Check the managers in the source.",
        )
    }

    pub(super) fn circle() -> Self {
        Self::refused(
            "manager_circle",
            "The manager reports to the person; the person has none.",
            "Decide in the source who reports to whom.",
        )
    }

    pub(super) fn last_admin() -> Self {
        Self::refused(
            "last_admin",
            "The organization would be left without an admin; the person stays one.",
            "Make somebody else an admin, and run again.",
        )
    }

    pub(super) fn kept(part: &'static str) -> Self {
        Self {
            code: format!("kept_{part}").into(),
            ..Self::noted(
                "",
                format!("Here and in the source, the {part} has changed; what is here stays."),
                "Nothing, unless the source is right: change it here.",
            )
        }
    }
}

impl From<Problem> for Reason {
    fn from(problem: Problem) -> Self {
        Self {
            code: problem.code.into(),
            reason: problem.reason,
            remedy: problem.remedy,
            is_refusal: true,
        }
    }
}

impl From<people_files::Note> for Reason {
    fn from(note: people_files::Note) -> Self {
        Self {
            code: note.code.as_str().into(),
            ..Self::noted("", note.text, "Nothing, or correct it in the source.")
        }
    }
}

/// What came of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Created,
    Updated,
    /// Nothing of it was written.
    Unchanged,
    Refused,
    /// The mapping or the operator leaves it out.
    Skipped,
}

/// A row, without anything about the person but ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowReport {
    pub row: u64,
    pub external_id: Option<String>,
    pub id: Option<UserId>,
    pub outcome: Outcome,
    /// Of the refusal, or of the notes with commas between them.
    pub code: Option<String>,
    #[serde(skip)]
    pub reasons: Vec<Reason>,
    /// The form of the password, if there is one.
    #[serde(skip)]
    pub password: Option<PasswordForm>,
}

impl RowReport {
    pub(super) fn new(
        row: u64,
        external_id: Option<String>,
        id: Option<UserId>,
        outcome: Outcome,
        reasons: Vec<Reason>,
    ) -> Self {
        let codes: Vec<&str> = reasons.iter().map(|reason| &*reason.code).collect();
        Self {
            row,
            external_id,
            id,
            outcome,
            code: (!codes.is_empty()).then(|| codes.join(",")),
            reasons,
            password: None,
        }
    }

    pub(super) fn refused(row: u64, external_id: Option<String>, reason: Reason) -> Self {
        Self::new(row, external_id, None, Outcome::Refused, vec![reason])
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts {
            done: 1,
            ..Counts::default()
        };
        match self.outcome {
            Outcome::Created => counts.created = 1,
            Outcome::Updated => counts.updated = 1,
            Outcome::Unchanged | Outcome::Skipped => counts.unchanged = 1,
            Outcome::Refused => counts.refused = 1,
        }
        counts
    }
}

/// Rows of which the same is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    pub code: String,
    pub count: u64,
    /// The first ones.
    pub rows: Vec<u64>,
    /// That of the first row.
    pub reason: String,
    pub remedy: String,
    /// Whether something was refused.
    #[serde(rename = "refused")]
    pub is_refusal: bool,
}

/// What came of a run, or of a rehearsal of it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    #[serde(flatten)]
    pub counts: Counts,
    /// Rows that the mapping or the operator leaves out.
    pub skipped: u64,
    pub groups: Vec<Group>,
    /// How many passwords of people who were created or updated there are in each form.
    pub passwords: BTreeMap<String, u64>,
    pub without_password: u64,
    /// Organizations that were created.
    pub organizations: u64,
    /// Of all first sign-ins, in iterations of bcrypt.
    #[serde(skip)]
    work: u64,
    /// The most bytes that one of them needs.
    #[serde(skip)]
    memory: u64,
    #[serde(skip)]
    by_code: BTreeMap<(bool, String), usize>,
}

impl Summary {
    /// Adds a row.
    pub(super) fn add(&mut self, row: &RowReport) {
        if row.outcome == Outcome::Skipped {
            self.skipped += 1;
            self.counts.done += 1;
        } else {
            self.counts += row.counts();
        }
        if matches!(row.outcome, Outcome::Created | Outcome::Updated) {
            match &row.password {
                Some(form) => {
                    let is_known = self.passwords.contains_key(&form.name);
                    let name = match is_known || self.passwords.len() < NAMED_FORMS {
                        true => form.name.clone(),
                        false => "others".to_owned(),
                    };
                    *self.passwords.entry(name).or_default() += 1;
                    self.work += form.cost.work;
                    self.memory = self.memory.max(form.cost.memory);
                }
                None => self.without_password += 1,
            }
        }
        for reason in &row.reasons {
            self.group(row.row, reason);
        }
    }

    fn group(&mut self, row: u64, reason: &Reason) {
        let key = (!reason.is_refusal, reason.code.to_string());
        let next = self.groups.len();
        let place = *self.by_code.entry(key).or_insert(next);
        if place == next {
            self.groups.push(Group {
                code: reason.code.to_string(),
                count: 0,
                rows: Vec::new(),
                reason: reason.reason.clone(),
                remedy: reason.remedy.clone(),
                is_refusal: reason.is_refusal,
            });
        }
        if let Some(group) = self.groups.get_mut(place) {
            group.count += 1;
            if group.rows.len() < NAMED_ROWS {
                group.rows.push(row);
            }
        }
    }

    /// Whether everything of the source is here.
    pub fn is_complete(&self) -> bool {
        self.groups.iter().all(|group| !group.is_refusal)
    }

    /// How many times as much as with a bcrypt of this cost a first sign-in computes on average, and the most bytes that
    /// one needs; `None` without passwords.
    pub fn first_sign_ins(&self, bcrypt_cost: u32) -> Option<(f64, u64)> {
        let count: u64 = self.passwords.values().sum();
        let one = 1_u64.checked_shl(bcrypt_cost)?;
        (count > 0).then(|| (self.work as f64 / count as f64 / one as f64, self.memory))
    }
}
