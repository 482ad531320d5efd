//! The `external_ids` table: which id a user had elsewhere.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not, select};
use diesel::prelude::*;

use super::schema::{external_ids, known_devices, sessions, users};
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::{ExternalId, ImportedUser, UserId};

#[derive(Queryable, Selectable)]
#[diesel(table_name = external_ids)]
struct ExternalIdRow {
    source: String,
    external_id: String,
    imported_at: Timestamp,
}

impl From<ExternalIdRow> for ExternalId {
    fn from(row: ExternalIdRow) -> Self {
        Self {
            source: row.source,
            id: row.external_id,
            imported_at: row.imported_at.0,
        }
    }
}

/// The user who had this id at this source.
pub fn find_user(
    tx: &mut Tx<'_>,
    source: &str,
    external_id: &str,
) -> Result<Option<ImportedUser>, StoreError> {
    type Row = (UserId, Timestamp, Option<Timestamp>);
    let row: Option<Row> = on!(tx, |conn| external_ids::table
        .find((source, external_id))
        .select((
            external_ids::user_id,
            external_ids::imported_at,
            external_ids::password_set_at,
        ))
        .get_result(conn)
        .optional())?;
    Ok(row.map(|(id, imported_at, password_set_at)| ImportedUser {
        id,
        imported_at: imported_at.0,
        password_set_at: password_set_at.map(|at| at.0),
    }))
}

/// The ids that a user had elsewhere, one for each source, the latest first: empty for somebody who was not imported.
pub fn list_of_user(tx: &mut Tx<'_>, user_id: UserId) -> Result<Vec<ExternalId>, StoreError> {
    let rows: Vec<ExternalIdRow> = on!(tx, |conn| external_ids::table
        .filter(external_ids::user_id.eq(user_id))
        .order((external_ids::imported_at.desc(), external_ids::source))
        .select(ExternalIdRow::as_select())
        .load(conn))?;
    Ok(rows.into_iter().map(ExternalId::from).collect())
}

/// As [`list_of_user`], of several users.
pub fn list_of_users(
    tx: &mut Tx<'_>,
    user_ids: &[UserId],
) -> Result<Vec<(UserId, ExternalId)>, StoreError> {
    let rows: Vec<(UserId, ExternalIdRow)> = on!(tx, |conn| external_ids::table
        .filter(external_ids::user_id.eq_any(user_ids))
        .order((external_ids::imported_at.desc(), external_ids::source))
        .select((external_ids::user_id, ExternalIdRow::as_select()))
        .load(conn))?;
    let row = |(user_id, row): (UserId, ExternalIdRow)| (user_id, row.into());
    Ok(rows.into_iter().map(row).collect())
}

/// Whether an import created the account, and its owner has neither signed in nor changed the password since.
pub fn may_be_undone(tx: &mut Tx<'_>, user_id: UserId) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        external_ids::table
            .inner_join(users::table)
            .filter(external_ids::user_id.eq(user_id))
            .filter(external_ids::run_id.is_not_null())
            .filter(external_ids::password_set_at.is_null())
            .filter(users::ver.eq(0))
            .filter(not(exists(
                sessions::table.filter(sessions::user_id.eq(user_id))
            )))
            .filter(not(exists(
                known_devices::table.filter(known_devices::user_id.eq(user_id))
            )))
    ))
    .get_result(conn))?)
}

/// Notes that the user has another password than the imported one.
pub fn note_new_password(
    tx: &mut Tx<'_>,
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(external_ids::table.filter(external_ids::user_id.eq(user_id)))
            .set(external_ids::password_set_at.eq(Some(Timestamp(now))))
    )?;
    Ok(())
}
