//! The `services` and `service_keys` tables: other services, and their keys as hashes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::{service_keys, services};
use super::types::Timestamp;
use super::{StoreError, Tx, on};
use crate::domain::service_account::{ServiceAccount, ServiceKey, ServiceName};
use crate::domain::{ServiceId, ServiceKeyId};

#[derive(Queryable, Selectable)]
#[diesel(table_name = services)]
struct ServiceRow {
    id: ServiceId,
    name: String,
    created_at: Timestamp,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = service_keys)]
struct KeyRow {
    id: ServiceKeyId,
    prefix: String,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

impl From<KeyRow> for ServiceKey {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            prefix: row.prefix,
            created_at: row.created_at.0,
            last_used_at: row.last_used_at.map(|at| at.0),
        }
    }
}

/// Inserts a service, unless one has its name, and locks its row until the transaction ends; returns its id.
pub fn find_or_insert(
    tx: &mut Tx<'_>,
    id: ServiceId,
    name: &ServiceName,
    now: DateTime<Utc>,
) -> Result<ServiceId, StoreError> {
    let values = (
        services::id.eq(id),
        services::name.eq(name.as_str()),
        services::created_at.eq(Timestamp(now)),
    );
    Ok(on!(tx, |conn| diesel::insert_into(services::table)
        .values(values)
        .on_conflict(services::name)
        .do_update()
        .set(services::name.eq(name.as_str()))
        .returning(services::id)
        .get_result(conn))?)
}

/// The id of the service with this name.
pub fn find_by_name(tx: &mut Tx<'_>, name: &ServiceName) -> Result<Option<ServiceId>, StoreError> {
    Ok(on!(tx, |conn| services::table
        .filter(services::name.eq(name.as_str()))
        .select(services::id)
        .get_result(conn)
        .optional())?)
}

/// Every service, by name, with its keys.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<ServiceAccount>, StoreError> {
    let rows: Vec<(ServiceRow, Option<KeyRow>)> = on!(tx, |conn| services::table
        .left_join(service_keys::table)
        .order((services::name, service_keys::created_at, service_keys::id))
        .select((ServiceRow::as_select(), Option::<KeyRow>::as_select()))
        .load(conn))?;
    let mut listed: Vec<ServiceAccount> = Vec::new();
    for (service, key) in rows {
        let key = key.map(ServiceKey::from);
        match listed.last_mut().filter(|last| last.id == service.id) {
            Some(last) => last.keys.extend(key),
            None => listed.push(ServiceAccount {
                id: service.id,
                name: ServiceName::from_stored(service.name),
                created_at: service.created_at.0,
                keys: key.into_iter().collect(),
            }),
        }
    }
    Ok(listed)
}

/// The keys of a service, the oldest first.
pub fn list_keys(tx: &mut Tx<'_>, id: ServiceId) -> Result<Vec<ServiceKey>, StoreError> {
    let rows: Vec<KeyRow> = on!(tx, |conn| service_keys::table
        .filter(service_keys::service_id.eq(id))
        .order((service_keys::created_at, service_keys::id))
        .select(KeyRow::as_select())
        .load(conn))?;
    Ok(rows.into_iter().map(ServiceKey::from).collect())
}

pub fn insert_key(
    tx: &mut Tx<'_>,
    service_id: ServiceId,
    key: &ServiceKey,
    hash: &str,
) -> Result<(), StoreError> {
    let values = (
        service_keys::id.eq(key.id),
        service_keys::service_id.eq(service_id),
        service_keys::hash.eq(hash),
        service_keys::prefix.eq(&key.prefix),
        service_keys::created_at.eq(Timestamp(key.created_at)),
    );
    on!(tx, |conn| diesel::insert_into(service_keys::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}

/// The service whose key has this hash, and the key.
pub fn find_by_hash(
    tx: &mut Tx<'_>,
    hash: &str,
) -> Result<Option<(ServiceId, ServiceName, ServiceKey)>, StoreError> {
    let row: Option<(ServiceId, String, KeyRow)> = on!(tx, |conn| service_keys::table
        .inner_join(services::table)
        .filter(service_keys::hash.eq(hash))
        .select((services::id, services::name, KeyRow::as_select()))
        .get_result(conn)
        .optional())?;
    Ok(row.map(|(id, name, key)| (id, ServiceName::from_stored(name), key.into())))
}

/// The ids of all keys.
pub fn list_key_ids(tx: &mut Tx<'_>) -> Result<Vec<ServiceKeyId>, StoreError> {
    Ok(on!(tx, |conn| service_keys::table
        .select(service_keys::id)
        .load(conn))?)
}

/// Records a use of a key, unless one since `earlier` is recorded already.
pub fn touch_key(
    tx: &mut Tx<'_>,
    id: ServiceKeyId,
    earlier: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(
        service_keys::table.find(id).filter(
            service_keys::last_used_at
                .is_null()
                .or(service_keys::last_used_at.le(Some(Timestamp(earlier))))
        )
    )
    .set(service_keys::last_used_at.eq(Some(Timestamp(now))))
    .execute(conn))?;
    Ok(())
}

pub fn delete_key(tx: &mut Tx<'_>, id: ServiceKeyId) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::delete(service_keys::table.find(id))
        .execute(conn))?;
    Ok(())
}

/// Deletes a service with its keys.
pub fn delete(tx: &mut Tx<'_>, id: ServiceId) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::delete(services::table.find(id))
        .execute(conn))?;
    Ok(())
}
