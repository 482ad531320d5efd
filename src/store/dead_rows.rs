//! Rows that are no longer needed, of all tables, and their deletion in small steps.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{RunQueryDsl as _, sql_query};

use super::types::{Id, Instant, Timestamp};
use super::{StoreError, Tx, changes};
use crate::domain::ids::AuditId;

/// A kind of rows that are no longer needed from some time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadRows {
    FailedAttempts,
    FailuresInARow,
    KnownAddresses,
    KnownDevices,
    SlackStates,
    OneTimeTokens,
    LegacySessions,
    JoinLinks,
    RevokedApiTokens,
    ExpiredApiTokens,
    /// See [`insert_decoy`](super::outbox::insert_decoy).
    Decoys,
    SentEmails,
    GivenUpEmails,
    /// E-mails that wait: for a mail server that is not set up, for example.
    UnsentEmails,
    DeliveredEvents,
    UndeliveredEvents,
    Invitations,
    Sessions,
    Audit,
    Changes,
}

impl DeadRows {
    /// Table, primary key, the column that says since when a row is not needed, and what else is true of such a row.
    /// An index begins with the column, and has the condition if there is one.
    const fn parts(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::FailedAttempts => ("failed_attempts", "seq", "at", ""),
            Self::FailuresInARow => ("failures_in_a_row", "account", "last_at", ""),
            Self::KnownAddresses => ("known_addresses", "(user_id, block)", "last_at", ""),
            Self::KnownDevices => ("known_devices", "(user_id, device, network)", "last_at", ""),
            Self::SlackStates => ("slack_states", "id", "expires_at", ""),
            Self::OneTimeTokens => ("one_time_tokens", "hash", "expires_at", ""),
            Self::LegacySessions => ("legacy_sessions", "(source, token_hash)", "expires_at", ""),
            Self::JoinLinks => ("join_links", "id", "expires_at", ""),
            Self::RevokedApiTokens => (
                "api_tokens",
                "id",
                "revoked_at",
                "and revoked_at is not null",
            ),
            Self::ExpiredApiTokens => (
                "api_tokens",
                "id",
                "expires_at",
                "and expires_at is not null",
            ),
            Self::Decoys => ("outbox", "id", "created_at", "and kind = 'blank'"),
            Self::SentEmails => ("outbox", "id", "sent_at", "and sent_at is not null"),
            Self::GivenUpEmails => ("outbox", "id", "given_up_at", "and given_up_at is not null"),
            Self::UnsentEmails => (
                "outbox",
                "id",
                "created_at",
                "and next_attempt_at is not null",
            ),
            Self::DeliveredEvents => (
                "webhook_deliveries",
                "(webhook_id, id)",
                "delivered_at",
                "and delivered_at is not null",
            ),
            Self::UndeliveredEvents => (
                "webhook_deliveries",
                "(webhook_id, id)",
                "given_up_at",
                "and given_up_at is not null",
            ),
            Self::Invitations => (
                "invitations",
                "id",
                "coalesce(accepted_at, revoked_at, expires_at)",
                "",
            ),
            Self::Sessions => ("sessions", "id", "revoked_at", "and revoked_at is not null"),
            // An id begins with the millisecond of its row, so the primary key finds old rows.
            Self::Audit => ("audit", "id", "at", "and id < $2"),
            Self::Changes => ("changes", "seq", "expires_at", ""),
        }
    }

    pub const fn table(self) -> &'static str {
        self.parts().0
    }
}

/// Deletes at most `limit` rows that have not been needed since `since` or longer; returns how many.
pub fn delete_some(
    tx: &mut Tx<'_>,
    rows: DeadRows,
    since: DateTime<Utc>,
    limit: u32,
) -> Result<usize, StoreError> {
    if rows == DeadRows::Changes {
        return changes::delete_expired(tx, since, limit);
    }
    let (table, key, column, condition) = rows.parts();
    let order = if rows == DeadRows::Audit { key } else { column };
    let found =
        format!("from {table} where {column} <= $1 {condition} order by {order} limit {limit}");
    let statement = match tx {
        Tx::Sqlite(_) => {
            let columns = key.trim_matches(['(', ')']);
            format!("delete from {table} where {key} in (select {columns} {found})")
        }
        // Rows that a request or another instance holds are left for the next time.
        Tx::Postgres(_) => format!(
            "delete from {table} where ctid = any (array(select ctid {found} for update skip locked))"
        ),
    };
    let query = sql_query(statement).bind::<Instant, _>(Timestamp(since));
    Ok(if rows == DeadRows::Audit {
        let newer = AuditId::new(since + TimeDelta::milliseconds(1), [0; 10]);
        let query = query.bind::<Id, _>(newer);
        match tx {
            Tx::Sqlite(connection) => query.execute(*connection),
            Tx::Postgres(connection) => query.execute(*connection),
        }
    } else {
        match tx {
            Tx::Sqlite(connection) => query.execute(*connection),
            Tx::Postgres(connection) => query.execute(*connection),
        }
    }?)
}
