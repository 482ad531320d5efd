//! Everything that is kept about a person, as one JSON file that is read page by page.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::domain::account_export::{RowKey, VERSION};
use crate::domain::audit::Action;
use crate::domain::{Email, UserId};
use crate::service::limits::{Group, Key, counted_name, draw_as};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Caller, Error, Result, Services};
use crate::store::users::Account;
use crate::store::{Requester, Tx, account_export as export};

/// Whether the caller may have everything that is kept about them, which a thief of the token must not get.
///
/// # Errors
/// `Forbidden` for a service; `ReauthenticationRequired`.
pub async fn may_export_account(services: &Services, caller: &Caller) -> Result<()> {
    let now = services.now();
    services
        .read_as(caller, move |_, actor| actor.must_be_fresh(now))
        .await
}

/// Begins a file with everything that is kept about the caller.
///
/// # Errors
/// `Forbidden` for a service; `ReauthenticationRequired`; `TooManyRequests`.
pub async fn export_account(services: &Services, caller: &Caller) -> Result<ExportedFile> {
    // First, so that a caller who must reauthenticate uses up nothing.
    may_export_account(services, caller).await?;
    let key = Key::Account(caller.profile.id);
    draw_as(services, caller, Group::Exports, key).await?;
    let requester = Requester::from(caller);
    services
        .write_as(caller, move |unit, actor| {
            actor.must_be_fresh(unit.now)?;
            let file = ExportedFile::begin(unit, &actor.account, requester);
            unit.finish(unit.event(Action::UserExported), file)
        })
        .await
}

/// The file, of which one page at a time is in memory. Each page is a turn of the requester at the database.
pub struct ExportedFile {
    requester: Requester,
    user_id: UserId,
    /// The name under which wrong passwords are counted.
    failures_of: String,
    /// The address, if it is verified: another may be somebody else's.
    mailbox: Option<Email>,
    at: DateTime<Utc>,
    next: Part,
}

/// A part of the file.
#[derive(Clone, Copy)]
enum Part {
    Account,
    Rows(Rows),
}

/// Rows of a list.
#[derive(Clone, Copy)]
struct Rows {
    /// Of the list in [`LISTS`].
    position: usize,
    after: RowKey,
    /// Whether the list has some already.
    follow_others: bool,
}

impl Rows {
    fn of(position: usize) -> Self {
        Self {
            position,
            after: RowKey::START,
            follow_others: false,
        }
    }
}

impl ExportedFile {
    pub(in crate::service) fn begin(
        unit: &UnitOfWork<'_, '_>,
        account: &Account,
        requester: Requester,
    ) -> Self {
        let user = &account.user;
        let is_verified = account.email_verified_at.is_some();
        Self {
            requester,
            user_id: user.id,
            failures_of: counted_name(user, unit.keyring()),
            mailbox: user.email.clone().filter(|_| is_verified),
            at: unit.now,
            next: Part::Account,
        }
    }

    /// When it was begun.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Reads the next part of the text; `None` at its end.
    ///
    /// # Errors
    /// When the database does not answer; `UserNotFound` if the account was deleted meanwhile.
    pub async fn next(&mut self, services: &Services) -> Result<Option<String>> {
        let Part::Rows(rows) = self.next else {
            let text = self.read_account(services).await?;
            self.next = Part::Rows(Rows::of(0));
            return Ok(Some(text));
        };
        let Some((name, list)) = LISTS.get(rows.position) else {
            return Ok(None);
        };
        let page = self.read_page(services, *list, rows.after).await?;
        let mut text = String::new();
        if rows.after == RowKey::START {
            text = format!(",\"{name}\":[");
        }
        if rows.follow_others && !page.rows.is_empty() {
            text.push(',');
        }
        text.push_str(&page.rows.join(","));
        if let Some(after) = page.next {
            self.next = Part::Rows(Rows {
                after,
                follow_others: rows.follow_others || !page.rows.is_empty(),
                ..rows
            });
            return Ok(Some(text));
        }
        text.push(']');
        if rows.position + 1 == LISTS.len() {
            text.push_str("}\n");
        }
        self.next = Part::Rows(Rows::of(rows.position + 1));
        Ok(Some(text))
    }

    async fn read_account(&self, services: &Services) -> Result<String> {
        let (user_id, failures_of) = (self.user_id, self.failures_of.clone());
        let account = services
            .store
            .search(self.requester, move |tx| {
                export::account(tx, user_id, &failures_of)
            })
            .await?
            .ok_or(Error::UserNotFound)?;
        Ok(format!(
            r#"{{"version":{VERSION},"exportedAt":{},"account":{}"#,
            json(&self.at)?,
            json(&account)?
        ))
    }

    async fn read_page(&self, services: &Services, list: List, after: RowKey) -> Result<Page> {
        let (user_id, mailbox, now) = (self.user_id, self.mailbox.clone(), self.at);
        services
            .store
            .search(self.requester, move |tx| {
                list.read(tx, user_id, mailbox.as_ref(), after, now)
            })
            .await
    }
}

/// The lists of [`AccountExport`](crate::domain::account_export::AccountExport), in its order.
const LISTS: [(&str, List); 14] = [
    ("memberships", List::Memberships),
    ("sessions", List::Sessions),
    ("apiTokens", List::ApiTokens),
    ("identities", List::Identities),
    ("externalIds", List::ExternalIds),
    ("knownAddresses", List::KnownAddresses),
    ("knownDevices", List::KnownDevices),
    ("invitations", List::Invitations),
    ("sentInvitations", List::SentInvitations),
    ("joinLinks", List::JoinLinks),
    ("emails", List::Emails),
    ("oneTimeTokens", List::OneTimeTokens),
    ("actions", List::Actions),
    ("actionsByOthers", List::ActionsByOthers),
];

#[derive(Clone, Copy)]
enum List {
    Memberships,
    Sessions,
    ApiTokens,
    Identities,
    ExternalIds,
    KnownAddresses,
    KnownDevices,
    Invitations,
    SentInvitations,
    JoinLinks,
    Emails,
    OneTimeTokens,
    Actions,
    ActionsByOthers,
}

impl List {
    fn read(
        self,
        tx: &mut Tx<'_>,
        user_id: UserId,
        mailbox: Option<&Email>,
        after: RowKey,
        now: DateTime<Utc>,
    ) -> Result<Page> {
        match self {
            Self::Memberships => Page::of(export::memberships(tx, user_id, after)?, |row| {
                (row.created_at, row.organization_id.0)
            }),
            Self::Sessions => Page::of(export::sessions(tx, user_id, after)?, |row| {
                (row.created_at, row.id.0)
            }),
            Self::ApiTokens => Page::of(export::api_tokens(tx, user_id, after)?, |row| {
                (row.created_at, row.id.0)
            }),
            Self::Identities => Page::only(&export::identities(tx, user_id)?),
            Self::ExternalIds => Page::only(&export::external_ids(tx, user_id)?),
            Self::KnownAddresses => Page::only(&export::known_addresses(tx, user_id)?),
            Self::KnownDevices => Page::only(&export::known_devices(tx, user_id)?),
            Self::Invitations => {
                let rows = match mailbox {
                    Some(email) => export::invitations_to(tx, email, after)?,
                    None => Vec::new(),
                };
                Page::of(rows, |row| (row.created_at, row.id.0))
            }
            Self::SentInvitations => Page::of(export::invitations_by(tx, user_id, after)?, |row| {
                (row.created_at, row.id.0)
            }),
            Self::JoinLinks => Page::of(export::join_links(tx, user_id, after)?, |row| {
                (row.created_at, row.id.0)
            }),
            Self::Emails => Page::of(export::emails(tx, user_id, mailbox, after)?, |row| {
                (row.created_at, row.id.0)
            }),
            Self::OneTimeTokens => Page::only(&export::one_time_tokens(tx, user_id, now)?),
            Self::Actions => Page::of(export::actions(tx, user_id, after)?, |row| {
                (row.at, row.id.0)
            }),
            Self::ActionsByOthers => {
                let rows = export::actions_by_others(tx, user_id, after)?;
                let next = next_key(&rows, |(id, _)| (now, id.0));
                let rows: Vec<_> = rows.into_iter().filter_map(|(_, row)| row).collect();
                Ok(Page {
                    next,
                    ..Page::only(&rows)?
                })
            }
        }
    }
}

/// Some rows of a list as JSON, and where the next ones begin.
struct Page {
    rows: Vec<String>,
    next: Option<RowKey>,
}

impl Page {
    fn of<T: Serialize>(rows: Vec<T>, key: impl Fn(&T) -> (DateTime<Utc>, Uuid)) -> Result<Self> {
        Ok(Self {
            next: next_key(&rows, key),
            ..Self::only(&rows)?
        })
    }

    /// The whole list.
    fn only<T: Serialize>(rows: &[T]) -> Result<Self> {
        Ok(Self {
            rows: rows.iter().map(json).collect::<Result<_>>()?,
            next: None,
        })
    }
}

/// The key of the last row of a full page.
fn next_key<T>(rows: &[T], key: impl Fn(&T) -> (DateTime<Utc>, Uuid)) -> Option<RowKey> {
    let last = rows
        .last()
        .filter(|_| rows.len() == usize::from(export::PAGE))?;
    let (at, id) = key(last);
    Some(RowKey { at, id })
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::Internal(format!("a row of an export: {error}")))
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema as _;

    use super::*;
    use crate::domain::account_export::AccountExport;

    const SCHEMA: &str = include_str!("../../store/schema.rs");
    const QUERIES: &str = concat!(
        include_str!("../../store/account_export.rs"),
        include_str!("../../store/sessions.rs")
    );

    /// Each table and where the file has what it keeps about the person.
    const EXPORTED: [(&str, &str); 21] = [
        ("users", "account"),
        ("active_organizations", "account"),
        ("totp", "account"),
        ("recovery_codes", "account"),
        ("failed_attempts", "account"),
        ("failures_in_a_row", "account"),
        ("memberships", "memberships"),
        ("organizations", "memberships"),
        ("sessions", "sessions"),
        ("api_tokens", "apiTokens"),
        ("identities", "identities"),
        ("detached_identities", "identities"),
        ("removed_identities", "identities"),
        ("external_ids", "externalIds"),
        ("known_addresses", "knownAddresses"),
        ("known_devices", "knownDevices"),
        ("join_links", "joinLinks"),
        ("invitations", "invitations"),
        ("outbox", "emails"),
        ("one_time_tokens", "oneTimeTokens"),
        ("audit", "actions"),
    ];

    /// Tables and columns that are left out, and why.
    const LEFT_OUT: [(&str, &str); 67] = [
        (
            "changes",
            "ids and versions for other instances, for a week",
        ),
        (
            "reporting_lines",
            "follows from the memberships; the rest is about others",
        ),
        (
            "searchable_people",
            "the name and the address once more, for searches",
        ),
        ("slack_states", "names no person"),
        (
            "webhooks",
            "belong to an organization; the log has who made them",
        ),
        (
            "webhook_deliveries",
            "the name and the address once more, until an organization is told",
        ),
        ("imports", "is about a run of the operator's"),
        ("external_organizations", "is about an organization"),
        (
            "external_ids.password_set_at",
            "the log has when a password was set",
        ),
        ("external_ids.run_id", "names a run of the operator's"),
        (
            "external_ids.sessions_ended_at",
            "the log has when sessions were ended",
        ),
        (
            "legacy_sessions",
            "hashes of tokens that another system issued, until these expire",
        ),
        (
            "external_ids.fingerprint",
            "digests of what the account itself has",
        ),
        ("signing_keys", "names no person"),
        ("services", "names no person"),
        ("service_keys", "names no person"),
        ("workspaces", "is about an organization"),
        ("slug_aliases", "is about an organization"),
        ("organizations.token_lifetime", "is about the organization"),
        (
            "organizations.session_lifetime",
            "is about the organization",
        ),
        ("organizations.session_idle", "is about the organization"),
        ("identities.id", "names it in a call"),
        (
            "invitations.accepted_by",
            "the person, or somebody else, who is not named",
        ),
        ("join_links.hash", "a hash of a secret"),
        ("users.ver", "a counter of the service"),
        ("users.pv", "a counter of the service"),
        ("users.session_ver", "a counter of the service"),
        ("users.password_changes", "a counter of the service"),
        (
            "users.sessions_checked_until",
            "a note of the service to itself",
        ),
        ("users.deleted_at", "nobody reads it: the account is gone"),
        ("organizations.join_policy", "is about the organization"),
        ("organizations.allowed_domains", "is about the organization"),
        ("organizations.require_mfa", "is about the organization"),
        ("sessions.token_hash", "a hash of a secret"),
        ("sessions.ver", "a counter of the service"),
        ("api_tokens.hash", "a hash of a secret"),
        ("totp.secret", "a secret"),
        ("totp.pending", "a secret"),
        ("totp.kid", "names a key of the service"),
        ("totp.last_step", "belongs to the check of codes"),
        ("recovery_codes.hash", "a hash of a secret"),
        ("failed_attempts.seq", "a number of the table"),
        ("failed_attempts.address", "of whoever tried"),
        ("invitations.letter", "a counter of the service"),
        ("invitations.by_operator", "who invited is not said"),
        (
            "outbox.letter",
            "a sealed e-mail with links that are secrets",
        ),
        ("outbox.next_attempt_at", "a plan of the service"),
        (
            "outbox.last_error",
            "of the mail server; it may name others",
        ),
        (
            "outbox.counter",
            "may name an organization or account of others",
        ),
        ("outbox.priority", "a plan of the service"),
        ("one_time_tokens.hash", "a hash of a secret"),
        (
            "one_time_tokens.payload",
            "may hold the address of somebody else",
        ),
        (
            "outbox.recipient",
            "may be somebody else's, if it was mistyped",
        ),
        (
            "invitations.email",
            "the person's own, or that of somebody they invited",
        ),
        (
            "audit.actor_id",
            "the person, or somebody else, who is not named",
        ),
        ("organizations.id", "that of the membership"),
        ("organizations.created_at", "is about the organization"),
        ("organizations.updated_at", "is about the organization"),
        ("removed_identities.provider", "that of the identity"),
        ("removed_identities.team_id", "that of the identity"),
        ("removed_identities.external_id", "that of the identity"),
        (
            "removed_identities.organization_id",
            "that of the identity's workspace",
        ),
        ("totp.user_id", "the person"),
        ("recovery_codes.user_id", "the person"),
        ("active_organizations.user_id", "the person"),
        ("failures_in_a_row.account", "a keyed hash of the address"),
        ("failed_attempts.account", "a keyed hash of the address"),
    ];

    /// The tables and their columns.
    fn tables() -> Vec<(&'static str, Vec<&'static str>)> {
        let mut tables: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in SCHEMA.lines().map(str::trim) {
            if let Some((name, rest)) = line.split_once(" (")
                && rest.ends_with(") {")
            {
                tables.push((name, Vec::new()));
            } else if let (Some((column, _)), Some(table)) =
                (line.split_once(" -> "), tables.last_mut())
                && !line.contains('!')
            {
                table.1.push(column);
            }
        }
        tables
    }

    /// The struct that reads rows of the table, if there is one.
    fn row_of(table: &str) -> &'static str {
        let after = QUERIES.split_once(&format!("table_name = {table})]"));
        let row = after.and_then(|(_, rest)| rest.split("\n}").next());
        row.unwrap_or_default()
    }

    fn why_left_out(what: &str) -> Option<&'static str> {
        let found = LEFT_OUT.iter().find(|(left_out, _)| *left_out == what);
        found.map(|(_, why)| *why)
    }

    #[test]
    fn every_table_is_exported_or_left_out_for_a_reason() {
        let tables = tables();
        assert!(tables.len() > 20, "{tables:?}");
        for (table, columns) in &tables {
            let place = EXPORTED.iter().find(|(exported, _)| exported == table);
            assert_ne!(place.is_some(), why_left_out(table).is_some(), "{table}");
            if place.is_some() {
                for column in columns {
                    let is_read = QUERIES.contains(&format!("{table}::{column}"))
                        || row_of(table).contains(&format!(" {column}: "));
                    let name = format!("{table}.{column}");
                    assert!(is_read || why_left_out(&name).is_some(), "{name}");
                }
            }
        }
        let known = |what: &str| match what.split_once('.') {
            Some((table, column)) => tables
                .iter()
                .any(|(name, columns)| *name == table && columns.contains(&column)),
            None => tables.iter().any(|(name, _)| *name == what),
        };
        let named = LEFT_OUT.iter().chain(&EXPORTED).map(|(what, _)| what);
        let unknown: Vec<_> = named.filter(|what| !known(what)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn the_lists_are_those_of_the_documented_file() {
        let schema = serde_json::to_value(AccountExport::schema()).unwrap();
        let documented: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        let head = ["version", "exportedAt", "account"];
        let lists = LISTS.iter().map(|(name, _)| *name);
        let written: Vec<_> = head.into_iter().chain(lists).collect();
        assert_eq!(documented, written);
        for (table, place) in EXPORTED {
            assert!(written.contains(&place), "{table}");
        }
    }
}
