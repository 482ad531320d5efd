//! Which paths a mapping reads, and for what.

use super::{Encoding, Mapping, Source};
use crate::path::Path;

/// Each reads its own rows of further tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Person,
    Membership,
    Slack,
    Totp,
    Recovery,
}

/// A path, and what it is read for.
#[derive(Debug, Clone)]
pub(crate) struct Use<'a> {
    pub section: Section,
    /// `person.email`
    pub key: &'static str,
    pub path: &'a Path,
    /// Whether the column may be missing.
    pub optional: bool,
}

impl Mapping {
    pub(crate) fn uses(&self) -> Vec<Use<'_>> {
        let mut uses = Uses(Vec::new());
        self.add_person(&mut uses);
        if let Some(membership) = &self.membership {
            let section = Section::Membership;
            let organization = &membership.organization;
            uses.add(
                section,
                "membership.organization",
                &organization.from,
                organization.optional,
            );
            if let Some(name) = &organization.name {
                uses.add(
                    section,
                    "membership.organization",
                    name,
                    organization.optional,
                );
            }
            if let Some(role) = &membership.role {
                uses.add(section, "membership.role", &role.from, role.optional);
            }
            if let Some(manager) = &membership.manager {
                uses.add(
                    section,
                    "membership.manager",
                    &manager.from,
                    manager.optional,
                );
            }
        }
        if let Some(slack) = &self.slack {
            uses.add(
                Section::Slack,
                "slack.user",
                &slack.user.from,
                slack.user.optional,
            );
            uses.add(
                Section::Slack,
                "slack.team",
                &slack.team.from,
                slack.team.optional,
            );
        }
        if let Some(totp) = &self.totp {
            let section = Section::Totp;
            uses.add(
                section,
                "totp.secret",
                &totp.secret.from,
                totp.secret.optional,
            );
            if let Encoding::From { from, .. } = &totp.secret.encoding {
                uses.add(section, "totp.secret.encoding", from, totp.secret.optional);
            }
            for (key, parameter) in [
                ("totp.digits", &totp.digits),
                ("totp.period", &totp.period),
                ("totp.algorithm", &totp.algorithm),
            ] {
                if let Some(parameter) = parameter {
                    uses.add(section, key, &parameter.from, parameter.optional);
                }
            }
        }
        if let Some(recovery) = &self.recovery {
            uses.add(
                Section::Recovery,
                "recovery.codes",
                &recovery.codes.from,
                recovery.codes.optional,
            );
        }
        uses.0
    }

    fn add_person<'a>(&'a self, uses: &mut Uses<'a>) {
        let person = &self.person;
        let mut add = |key, from, optional| uses.add(Section::Person, key, from, optional);
        if let Some(field) = &person.external_id {
            add("person.external_id", &field.from, field.optional);
        }
        if let Some(field) = &person.email {
            add("person.email", &field.from, field.optional);
        }
        if let Some(field) = &person.verified {
            add("person.verified", &field.from, field.optional);
        }
        if let Some(field) = &person.name {
            add("person.name", &field.from, field.optional);
        }
        if let Some(field) = &person.first_name {
            add("person.first_name", &field.from, field.optional);
        }
        if let Some(field) = &person.last_name {
            add("person.last_name", &field.from, field.optional);
        }
        if let Some(field) = &person.created {
            add("person.created", &field.from, field.optional);
        }
        if let Some(field) = &person.disabled {
            add("person.disabled", &field.from, field.optional);
        }
        if let Some(field) = &person.password {
            add("person.password", &field.from, field.optional);
            for (key, source) in [
                ("person.password.salt", &field.salt),
                ("person.password.algorithm", &field.algorithm),
            ] {
                if let Some(source) = source {
                    add(key, source, field.optional);
                }
            }
        }
    }
}

struct Uses<'a>(Vec<Use<'a>>);

impl<'a> Uses<'a> {
    fn add(&mut self, section: Section, key: &'static str, from: &'a Source, optional: bool) {
        self.0.extend(from.0.iter().map(|path| Use {
            section,
            key,
            path,
            optional,
        }));
    }
}
