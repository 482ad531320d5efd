//! The `changes` table: the feed that keeps every instance's memory true.
//!
//! A sequence number is taken before its row is committed, so a reader that has seen 8 could miss a
//! 7 that is committed later. Writers therefore take one advisory lock and hold it until they commit;
//! `append` comes last in a transaction, so that it is held as shortly as can be.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;

use super::schema::changes;
use super::types::Timestamp;
use super::{StoreError, Tx, on};
use crate::domain::change::RecordedChange;
use crate::domain::{Change, OrganizationId, SessionId, UserId};

/// The advisory lock of the feed's writers.
const FEED_LOCK: i64 = 0x6861_6c6c_6665_6564;

/// The channel on which PostgreSQL tells other instances to look.
pub(super) const BELL: &str = "hallpass_changes";

#[derive(Queryable, Selectable)]
#[diesel(table_name = changes)]
struct ChangeRow {
    seq: i64,
    user_id: Option<UserId>,
    session_id: Option<SessionId>,
    min_ver: Option<i32>,
    organization_id: Option<OrganizationId>,
    expires_at: Timestamp,
}

impl TryFrom<ChangeRow> for RecordedChange {
    type Error = StoreError;

    /// The kind is told by which columns are set, as the table's checks demand.
    fn try_from(row: ChangeRow) -> Result<Self, StoreError> {
        let change = match (
            row.user_id,
            row.session_id,
            row.min_ver,
            row.organization_id,
        ) {
            (Some(user_id), Some(session_id), None, None) => Change::SessionEnded {
                user_id,
                session_id,
            },
            (Some(user_id), None, Some(min_ver), None) => Change::TokensRevoked {
                user_id,
                min_token_version: min_ver,
            },
            (Some(user_id), None, None, None) => Change::PersonChanged { user_id },
            (None, None, None, Some(organization_id)) => {
                Change::OrganizationChanged { organization_id }
            }
            _ => {
                let seq = row.seq;
                return Err(StoreError::Failed(format!("change {seq} is of no kind")));
            }
        };
        Ok(Self {
            seq: row.seq,
            change,
            expires_at: row.expires_at.0,
        })
    }
}

/// Writes changes down and rings the bell when they are committed.
pub fn append(
    tx: &mut Tx<'_>,
    new: &[Change],
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    if let Tx::Postgres(connection) = tx {
        sql_query(format!(
            "select pg_advisory_xact_lock({FEED_LOCK}), pg_notify('{BELL}', '')"
        ))
        .execute(*connection)?;
    }
    for change in new {
        let kind = match change {
            Change::SessionEnded { .. } => "session_ended",
            Change::TokensRevoked { .. } => "tokens_called_back",
            Change::PersonChanged { .. } => "person_changed",
            Change::OrganizationChanged { .. } => "organization_changed",
        };
        let (user_id, session_id, min_ver, organization_id) = match *change {
            Change::SessionEnded {
                user_id,
                session_id,
            } => (Some(user_id), Some(session_id), None, None),
            Change::TokensRevoked {
                user_id,
                min_token_version: min_ver,
            } => (Some(user_id), None, Some(min_ver), None),
            Change::PersonChanged { user_id } => (Some(user_id), None, None, None),
            Change::OrganizationChanged { organization_id } => {
                (None, None, None, Some(organization_id))
            }
        };
        let values = (
            changes::kind.eq(kind),
            changes::user_id.eq(user_id),
            changes::session_id.eq(session_id),
            changes::min_ver.eq(min_ver),
            changes::organization_id.eq(organization_id),
            changes::at.eq(Timestamp(now)),
            changes::expires_at.eq(Timestamp(expires_at)),
        );
        on!(tx, |conn| diesel::insert_into(changes::table)
            .values(values)
            .execute(conn))?;
    }
    Ok(())
}

/// The changes after `seq`, oldest first.
pub fn list_after(tx: &mut Tx<'_>, seq: i64) -> Result<Vec<RecordedChange>, StoreError> {
    let rows: Vec<ChangeRow> = on!(tx, |conn| changes::table
        .filter(changes::seq.gt(seq))
        .order(changes::seq)
        .select(ChangeRow::as_select())
        .load(conn))?;
    rows.into_iter().map(RecordedChange::try_from).collect()
}

/// Forgets changes that concern no token any more.
pub fn delete_expired(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(on!(tx, |conn| diesel::delete(
        changes::table.filter(changes::expires_at.le(Timestamp(now)))
    )
    .execute(conn))?)
}
