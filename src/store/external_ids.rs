//! The `external_ids` table: which id a user had elsewhere.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not, select};
use diesel::prelude::*;

use super::bulk::pieces;
use super::schema::{external_ids, known_devices, sessions, users};
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::{ExternalId, ImportId, ImportedUser, UserId};

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

/// The id that a user had where they were imported from last.
pub fn latest_of_user(tx: &mut Tx<'_>, user_id: UserId) -> Result<Option<String>, StoreError> {
    let latest = list_of_user(tx, user_id)?.into_iter().next();
    Ok(latest.map(|it| it.id))
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

/// The condition of an account that an import created, and whose owner has neither signed in nor changed the password
/// since, for a query of `external_ids` with `users`.
macro_rules! untouched {
    ($who:expr) => {
        $who.and(external_ids::run_id.is_not_null())
            .and(users::password_changes.eq(0))
            .and(users::ver.eq(0))
            .and(not(exists(
                sessions::table.filter(sessions::user_id.eq(external_ids::user_id)),
            )))
            .and(not(exists(
                known_devices::table.filter(known_devices::user_id.eq(external_ids::user_id)),
            )))
    };
}

/// Whether an import created the account, and its owner has neither signed in nor changed the password since.
pub fn may_be_undone(tx: &mut Tx<'_>, user_id: UserId) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        external_ids::table
            .inner_join(users::table)
            .filter(untouched!(external_ids::user_id.eq(user_id)))
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

/// A person of a source, as the last import left them.
pub struct KnownPerson {
    pub user_id: UserId,
    pub fingerprint: String,
}

/// The people of a source who have these ids, by id.
pub fn list_known(
    tx: &mut Tx<'_>,
    source: &str,
    ids: &[&str],
) -> Result<Vec<(String, KnownPerson)>, StoreError> {
    let rows: Vec<(String, UserId, String)> = on!(tx, |conn| external_ids::table
        .filter(external_ids::source.eq(source))
        .filter(external_ids::external_id.eq_any(ids))
        .select((
            external_ids::external_id,
            external_ids::user_id,
            external_ids::fingerprint,
        ))
        .load(conn))?;
    let known = |(id, user_id, fingerprint): (String, _, _)| {
        let known = KnownPerson {
            user_id,
            fingerprint,
        };
        (id, known)
    };
    Ok(rows.into_iter().map(known).collect())
}

/// Which of these users came from the source.
pub fn list_from(
    tx: &mut Tx<'_>,
    source: &str,
    user_ids: &[UserId],
) -> Result<Vec<UserId>, StoreError> {
    Ok(on!(tx, |conn| external_ids::table
        .filter(external_ids::user_id.eq_any(user_ids))
        .filter(external_ids::source.eq(source))
        .select(external_ids::user_id)
        .load(conn))?)
}

/// An id of a user elsewhere that was not known.
pub struct NewExternalId {
    pub external_id: String,
    pub user_id: UserId,
    /// The run that created the account; `None` if it was here before.
    pub run_id: Option<ImportId>,
    pub fingerprint: String,
}

pub fn insert_all(
    tx: &mut Tx<'_>,
    source: &str,
    all: &[NewExternalId],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for piece in pieces(all) {
        let row = |new: &NewExternalId| {
            (
                external_ids::source.eq(source.to_owned()),
                external_ids::external_id.eq(new.external_id.clone()),
                external_ids::user_id.eq(new.user_id),
                external_ids::run_id.eq(new.run_id),
                external_ids::imported_at.eq(Timestamp(now)),
                external_ids::fingerprint.eq(new.fingerprint.clone()),
            )
        };
        let rows: Vec<_> = piece.iter().map(row).collect();
        on!(tx, |conn| diesel::insert_into(external_ids::table)
            .values(&rows)
            .execute(conn))?;
    }
    Ok(())
}

/// Notes what was imported last.
pub fn set_fingerprint(
    tx: &mut Tx<'_>,
    source: &str,
    external_id: &str,
    fingerprint: &str,
) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(external_ids::table.find((source, external_id)))
            .set(external_ids::fingerprint.eq(fingerprint))
    )?;
    Ok(())
}

/// At most `limit` people whose accounts a run has created, by external id after `after`.
pub fn list_created_by(
    tx: &mut Tx<'_>,
    (run_id, source): (ImportId, &str),
    after: &str,
    limit: u32,
) -> Result<Vec<(String, UserId)>, StoreError> {
    Ok(on!(tx, |conn| external_ids::table
        .filter(external_ids::source.eq(source))
        .filter(external_ids::external_id.gt(after))
        .filter(external_ids::run_id.eq(run_id))
        .order(external_ids::external_id)
        .select((external_ids::external_id, external_ids::user_id))
        .limit(limit.into())
        .load(conn))?)
}

/// Those of these users whom [`may_be_undone`] names.
pub fn list_untouched(tx: &mut Tx<'_>, user_ids: &[UserId]) -> Result<Vec<UserId>, StoreError> {
    Ok(on!(tx, |conn| external_ids::table
        .inner_join(users::table)
        .filter(untouched!(external_ids::user_id.eq_any(user_ids)))
        .select(external_ids::user_id)
        .load(conn))?)
}

define_sql_function! {
    fn random() -> BigInt;
}

/// Some people whose accounts a run has created, with their external ids.
pub fn sample(
    tx: &mut Tx<'_>,
    (run_id, source): (ImportId, &str),
    count: u32,
) -> Result<Vec<(String, UserId)>, StoreError> {
    Ok(on!(tx, |conn| external_ids::table
        .filter(external_ids::source.eq(source))
        .filter(external_ids::run_id.eq(run_id))
        .order(random())
        .select((external_ids::external_id, external_ids::user_id))
        .limit(count.into())
        .load(conn))?)
}
