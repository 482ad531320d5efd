//! The `audit` table.

use diesel::prelude::*;

use super::schema::audit;
use super::types::At;
use super::{StoreError, Tx, on};
use crate::domain::audit::AuditEntry;

pub fn insert(tx: &mut Tx<'_>, entry: &AuditEntry) -> Result<(), StoreError> {
    let values = (
        audit::id.eq(entry.id),
        audit::at.eq(At(entry.at)),
        audit::action.eq(entry.action.as_str()),
        audit::outcome.eq(entry.outcome.as_str()),
        audit::actor_id.eq(entry.actor_id),
        audit::subject_id.eq(entry.subject_id),
        audit::organization_id.eq(entry.organization_id),
        audit::address.eq(entry.address.map(|address| address.to_string())),
        audit::request_id.eq(&entry.request_id),
    );
    on!(tx, |conn| diesel::insert_into(audit::table)
        .values(&values)
        .execute(conn))?;
    Ok(())
}
