//! What came of an import, for people and as JSON.

use serde::Serialize;
use serde_json::json;

use crate::cli::{Failure, output};
use crate::domain::ImportId;
use crate::service::operations::import::{Ending, Group, Summary};

/// How many passwords of one form are named by it.
const NAMED_FORMS: usize = 8;

/// A run or a rehearsal that has ended.
pub(super) struct Done {
    /// `None` for a rehearsal.
    pub id: Option<ImportId>,
    /// What was read.
    pub input: String,
    pub trusts_emails: bool,
    pub summary: Summary,
    pub ending: Ending,
    pub seconds: f64,
    pub bcrypt_cost: u32,
}

impl Done {
    /// # Errors
    /// Unless everything was imported, or would be.
    pub(super) fn outcome(&self) -> Result<(), Failure> {
        let refused: u64 = self
            .summary
            .groups
            .iter()
            .filter(|group| group.is_refusal)
            .map(|group| group.count)
            .sum();
        match (self.id, self.ending) {
            (Some(id), Ending::Stopped) => Err(Failure::Stopped(format!(
                "stopped. Whatever is written stays; go on with `hallpass import resume {id}`"
            ))),
            _ if self.summary.is_complete() => Ok(()),
            (None, _) => Err(Failure::WouldRefuse(format!(
                "nothing was imported; {refused} rows or parts of them would be refused"
            ))),
            (Some(_), Ending::Finished) => Err(Failure::InvalidInput(format!(
                "{refused} rows or parts of them were refused, and everything else was imported"
            ))),
        }
    }
}

pub(super) fn print(done: &Done, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return output::print_json(&json(done));
    }
    output::print(&text(done))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FirstSignIns {
    /// In those with a bcrypt of the cost that is set.
    cost: f64,
    /// Bytes that one of them needs at most.
    memory: u64,
}

fn json(done: &Done) -> serde_json::Value {
    let first = done.summary.first_sign_ins(done.bcrypt_cost);
    let first = first.map(|(cost, memory)| FirstSignIns { cost, memory });
    json!({
        "id": done.id,
        "dryRun": done.id.is_none(),
        "stopped": done.ending == Ending::Stopped,
        "input": done.input,
        "trustEmails": done.trusts_emails,
        "seconds": done.seconds,
        "firstSignIns": first,
        "summary": done.summary,
    })
}

fn text(done: &Done) -> String {
    let summary = &done.summary;
    let counts = summary.counts;
    let mut lines = vec![done.input.clone()];
    let would = if done.id.is_some() { "" } else { "would be " };
    lines.push(format!(
        "{would}created {} · updated {} · unchanged {} · refused {} · left out {}",
        counts.created, counts.updated, counts.unchanged, counts.refused, summary.skipped
    ));
    if summary.organizations > 0 {
        lines.push(format!(
            "organizations {would}created: {}",
            summary.organizations
        ));
    }
    lines.push(passwords(summary));
    if let Some((cost, memory)) = summary.first_sign_ins(done.bcrypt_cost) {
        let memory = match memory >> 20 {
            0 => String::new(),
            megabytes => format!(", up to {megabytes} MiB each"),
        };
        lines.push(format!(
            "first sign-ins: {cost:.1} × one with BCRYPT_COST={}{memory}",
            done.bcrypt_cost
        ));
    }
    if done.trusts_emails {
        lines.push("every address counts as verified, because of --trust-emails".to_owned());
    }
    lines.extend(summary.groups.iter().map(group));
    match done.id {
        Some(id) => lines.push(format!("import {id}, {:.1} s", done.seconds)),
        None => lines.push(format!(
            "an import takes about {:.0} s",
            done.seconds.ceil()
        )),
    }
    lines.join("\n")
}

fn passwords(summary: &Summary) -> String {
    let count: u64 = summary.passwords.values().sum();
    let mut forms: Vec<(&String, &u64)> = summary.passwords.iter().collect();
    forms.sort_by(|one, other| other.1.cmp(one.1));
    let mut named: Vec<String> = forms
        .iter()
        .take(NAMED_FORMS)
        .map(|(form, count)| format!("{count} {form}"))
        .collect();
    if forms.len() > NAMED_FORMS {
        named.push("others".to_owned());
    }
    let forms = if named.is_empty() {
        String::new()
    } else {
        format!(" ({})", named.join(", "))
    };
    format!(
        "passwords: {count}{forms} · without one: {}, who can ask for a link by e-mail",
        summary.without_password
    )
}

fn group(group: &Group) -> String {
    let rows: Vec<String> = group.rows.iter().map(u64::to_string).collect();
    let more = if group.count > rows.len() as u64 {
        ", …"
    } else {
        ""
    };
    let word = if group.count == 1 { "row" } else { "rows" };
    let kind = if group.is_refusal { "refused" } else { "note" };
    format!(
        "\n{kind}: {} × {} ({word} {}{more})\n  {}\n  {}",
        group.count,
        group.code,
        rows.join(", "),
        group.reason,
        group.remedy
    )
}
