//! The `legacy_sessions` table: sessions that an earlier system stored; and what an exchange of its sessions asks about
//! the people who were imported from it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::{external_ids, legacy_sessions};
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::UserId;

/// A person whom an import brought from a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportedPerson {
    pub user_id: UserId,
    pub imported_at: DateTime<Utc>,
    /// Since when their sessions there count no more.
    pub sessions_ended_at: Option<DateTime<Utc>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = external_ids)]
struct PersonRow {
    user_id: UserId,
    imported_at: Timestamp,
    sessions_ended_at: Option<Timestamp>,
}

impl From<PersonRow> for ImportedPerson {
    fn from(row: PersonRow) -> Self {
        Self {
            user_id: row.user_id,
            imported_at: row.imported_at.0,
            sessions_ended_at: row.sessions_ended_at.map(|at| at.0),
        }
    }
}

/// The person whom the system knows by this id.
pub fn find_person(
    tx: &mut Tx<'_>,
    source: &str,
    external_id: &str,
) -> Result<Option<ImportedPerson>, StoreError> {
    let row: Option<PersonRow> = on!(tx, |conn| external_ids::table
        .find((source, external_id))
        .select(PersonRow::as_select())
        .get_result(conn)
        .optional())?;
    Ok(row.map(ImportedPerson::from))
}

/// The session that the system stored under a token of this hash: whose it is, and its end.
pub fn find(
    tx: &mut Tx<'_>,
    source: &str,
    token_hash: &str,
) -> Result<Option<(ImportedPerson, DateTime<Utc>)>, StoreError> {
    let of_same = external_ids::source
        .eq(legacy_sessions::source)
        .and(external_ids::user_id.eq(legacy_sessions::user_id));
    let row: Option<(PersonRow, Timestamp)> = on!(tx, |conn| legacy_sessions::table
        .inner_join(external_ids::table.on(of_same))
        .filter(legacy_sessions::source.eq(source))
        .filter(legacy_sessions::token_hash.eq(token_hash))
        .select((PersonRow::as_select(), legacy_sessions::expires_at))
        .get_result(conn)
        .optional())?;
    Ok(row.map(|(person, expires_at)| (person.into(), expires_at.0)))
}

/// Keeps a session of the user under source and hash of its token, unless it is kept already.
pub fn insert(
    tx: &mut Tx<'_>,
    (source, token_hash): (&str, &str),
    user_id: UserId,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values = (
        legacy_sessions::source.eq(source),
        legacy_sessions::token_hash.eq(token_hash),
        legacy_sessions::user_id.eq(user_id),
        legacy_sessions::expires_at.eq(Timestamp(expires_at)),
    );
    later!(
        tx,
        diesel::insert_into(legacy_sessions::table)
            .values(values)
            .on_conflict_do_nothing()
    )?;
    Ok(())
}

/// Ends the sessions that the person has in the systems that they were imported from: no token of these is exchanged
/// any more.
pub fn end_all_of(tx: &mut Tx<'_>, user_id: UserId, now: DateTime<Utc>) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(
            external_ids::table
                .filter(external_ids::user_id.eq(user_id))
                .filter(external_ids::sessions_ended_at.is_null())
        )
        .set(external_ids::sessions_ended_at.eq(Some(Timestamp(now))))
    )?;
    Ok(())
}
