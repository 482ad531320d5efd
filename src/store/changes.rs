//! The `changes` table: the feed of changes from which every instance updates its revocation cache.
//!
//! Writers take no lock of their own: [`feed`](super::feed) misses no row, in whatever order transactions end.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::changes;
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::change::RecordedChange;
use crate::domain::{Change, OrganizationId, SessionId, UserId};

/// The channel on which PostgreSQL tells other instances to look.
pub(super) const CHANNEL: &str = "hallpass_changes";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = changes)]
pub(super) struct Facts {
    pub kind: String,
    pub user_id: Option<UserId>,
    pub session_id: Option<SessionId>,
    pub min_ver: Option<i32>,
    pub min_pv: Option<i32>,
    pub organization_id: Option<OrganizationId>,
}

impl Facts {
    fn of(change: Change) -> Self {
        let none = Self {
            kind: String::new(),
            user_id: None,
            session_id: None,
            min_ver: None,
            min_pv: None,
            organization_id: None,
        };
        let (kind, facts) = match change {
            Change::SessionEnded {
                user_id,
                session_id,
            } => (
                "session_ended",
                Self {
                    user_id: Some(user_id),
                    session_id: Some(session_id),
                    ..none
                },
            ),
            Change::TokensRevoked {
                user_id,
                min_token_version,
            } => (
                "tokens_called_back",
                Self {
                    user_id: Some(user_id),
                    min_ver: Some(min_token_version),
                    ..none
                },
            ),
            Change::TokensOutdated { user_id, min_pv } => (
                "tokens_outdated",
                Self {
                    user_id: Some(user_id),
                    min_pv: Some(min_pv),
                    ..none
                },
            ),
            Change::PersonChanged { user_id } => (
                "person_changed",
                Self {
                    user_id: Some(user_id),
                    ..none
                },
            ),
            Change::OrganizationChanged { organization_id } => (
                "organization_changed",
                Self {
                    organization_id: Some(organization_id),
                    ..none
                },
            ),
        };
        Self {
            kind: kind.to_owned(),
            ..facts
        }
    }

    /// Which columns are set tells the kind, as the table's checks demand.
    fn change(self) -> Option<Change> {
        Some(match (&*self.kind, self.user_id, self.organization_id) {
            ("session_ended", Some(user_id), None) => Change::SessionEnded {
                user_id,
                session_id: self.session_id?,
            },
            ("tokens_called_back", Some(user_id), None) => Change::TokensRevoked {
                user_id,
                min_token_version: self.min_ver?,
            },
            ("tokens_outdated", Some(user_id), None) => Change::TokensOutdated {
                user_id,
                min_pv: self.min_pv?,
            },
            ("person_changed", Some(user_id), None) => Change::PersonChanged { user_id },
            ("organization_changed", None, Some(organization_id)) => {
                Change::OrganizationChanged { organization_id }
            }
            _ => return None,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = changes)]
pub(super) struct ChangeRow {
    pub seq: i64,
    #[diesel(embed)]
    pub facts: Facts,
    pub expires_at: Timestamp,
    pub xid: i64,
}

impl TryFrom<ChangeRow> for RecordedChange {
    type Error = StoreError;

    /// The columns that are set determine the kind, as the checks of the table require.
    fn try_from(row: ChangeRow) -> Result<Self, StoreError> {
        let seq = row.seq;
        let change = row.facts.change();
        Ok(Self {
            seq,
            transaction: row.xid,
            change: change
                .ok_or_else(|| StoreError::Failed(format!("change {seq} is of no kind")))?,
            expires_at: row.expires_at.0,
        })
    }
}

/// Writes changes. Call it last in a transaction: in the order of their subjects, so that writers that replace the same
/// rows cause no deadlock.
pub fn append(
    tx: &mut Tx<'_>,
    new: &[Change],
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut new = new.to_vec();
    new.sort_unstable_by_key(|change| change.subject());
    for change in new {
        delete_replaced(tx, change)?;
        let values = (
            Facts::of(change),
            changes::at.eq(Timestamp(now)),
            changes::expires_at.eq(Timestamp(expires_at)),
        );
        later!(tx, diesel::insert_into(changes::table).values(values))?;
    }
    Ok(())
}

/// Deletes the change that a new one of the same kind replaces: an instance that has not read it yet reads the new one.
fn delete_replaced(tx: &mut Tx<'_>, new: Change) -> Result<(), StoreError> {
    let Facts {
        kind,
        user_id,
        session_id: None,
        organization_id,
        ..
    } = Facts::of(new)
    else {
        return Ok(());
    };
    match user_id {
        Some(user_id) => later!(
            tx,
            diesel::delete(
                changes::table
                    .filter(changes::user_id.eq(user_id))
                    .filter(changes::kind.eq(&kind))
                    .filter(changes::session_id.is_null())
            )
        )?,
        None => later!(
            tx,
            diesel::delete(changes::table.filter(changes::organization_id.eq(organization_id)))
        )?,
    }
    Ok(())
}

/// Deletes at most `limit` changes that no longer affect any token; returns how many.
pub fn delete_expired(
    tx: &mut Tx<'_>,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<usize, StoreError> {
    let expired: Vec<i64> = on!(tx, |conn| changes::table
        .filter(changes::expires_at.le(Timestamp(now)))
        .order(changes::expires_at)
        .select(changes::seq)
        .limit(limit.into())
        .load(conn))?;
    Ok(on!(tx, |conn| diesel::delete(
        changes::table.filter(changes::seq.eq_any(&expired))
    )
    .execute(conn))?)
}
