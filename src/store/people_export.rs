//! All people with everything that another system needs of them, in pages.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::{identities, memberships, organizations, recovery_codes, totp, users};
use super::types::Timestamp;
use super::{StoreError, Tx, external_ids, on, parsed};
use crate::domain::exported_person::{
    ExportedExternalId, ExportedPerson, ExportedPlace, ExportedSecrets, ExportedSlack,
};
use crate::domain::{OrganizationId, UserId};

/// People of a page.
const PAGE: i64 = 500;

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct Row {
    id: UserId,
    email: Option<String>,
    email_verified_at: Option<Timestamp>,
    name: String,
    first_name: Option<String>,
    last_name: Option<String>,
    password_hash: Option<String>,
    created_at: Timestamp,
    disabled_at: Option<Timestamp>,
}

/// The people after one, in the order of their ids; empty after the last. The secrets of their authenticators are still
/// sealed.
pub fn page(
    tx: &mut Tx<'_>,
    after: UserId,
    with_secrets: bool,
) -> Result<Vec<ExportedPerson>, StoreError> {
    let rows: Vec<Row> = on!(tx, |conn| users::table
        .filter(users::id.gt(after))
        .filter(users::deleted_at.is_null())
        .order(users::id)
        .limit(PAGE)
        .select(Row::as_select())
        .load(conn))?;
    let ids: Vec<UserId> = rows.iter().map(|row| row.id).collect();
    let mut places = places(tx, &ids)?;
    let mut slack = slack(tx, &ids)?;
    let mut elsewhere = elsewhere(tx, &ids)?;
    let mut secrets = if with_secrets {
        Some((totp(tx, &ids)?, codes(tx, &ids)?))
    } else {
        None
    };
    let time = |at: Option<Timestamp>| -> Option<DateTime<Utc>> { at.map(|at| at.0) };
    let person = |row: Row| ExportedPerson {
        id: row.id,
        external_ids: elsewhere.remove(&row.id).unwrap_or_default(),
        email: row.email,
        email_verified_at: time(row.email_verified_at),
        name: row.name,
        first_name: row.first_name,
        last_name: row.last_name,
        created_at: row.created_at.0,
        disabled_at: time(row.disabled_at),
        memberships: places.remove(&row.id).unwrap_or_default(),
        slack: slack.remove(&row.id).unwrap_or_default(),
        secrets: secrets.as_mut().map(|(totp, codes)| ExportedSecrets {
            password_hash: row.password_hash,
            totp: totp.remove(&row.id),
            recovery_code_hashes: codes.remove(&row.id).unwrap_or_default(),
        }),
    };
    Ok(rows.into_iter().map(person).collect())
}

fn by_user<T>(rows: impl IntoIterator<Item = (UserId, T)>) -> HashMap<UserId, Vec<T>> {
    let mut found: HashMap<UserId, Vec<T>> = HashMap::new();
    for (id, row) in rows {
        found.entry(id).or_default().push(row);
    }
    found
}

fn places(
    tx: &mut Tx<'_>,
    ids: &[UserId],
) -> Result<HashMap<UserId, Vec<ExportedPlace>>, StoreError> {
    type Row = (
        UserId,
        OrganizationId,
        String,
        String,
        String,
        Option<UserId>,
        Timestamp,
    );
    let rows: Vec<Row> = on!(tx, |conn| memberships::table
        .inner_join(organizations::table)
        .filter(memberships::user_id.eq_any(ids))
        .order((memberships::created_at, memberships::organization_id))
        .select((
            memberships::user_id,
            organizations::id,
            organizations::slug,
            organizations::name,
            memberships::role,
            memberships::manager_id,
            memberships::created_at,
        ))
        .load(conn))?;
    let place = |(id, organization_id, slug, name, role, manager, created_at): Row| {
        let place = ExportedPlace {
            organization: slug,
            organization_id,
            organization_name: name,
            role: parsed(&role)?,
            manager,
            created_at: created_at.0,
        };
        Ok::<_, StoreError>((id, place))
    };
    let rows: Vec<_> = rows.into_iter().map(place).collect::<Result<_, _>>()?;
    Ok(by_user(rows))
}

fn slack(
    tx: &mut Tx<'_>,
    ids: &[UserId],
) -> Result<HashMap<UserId, Vec<ExportedSlack>>, StoreError> {
    let rows: Vec<(UserId, String, String)> = on!(tx, |conn| identities::table
        .filter(identities::user_id.eq_any(ids))
        .order((identities::created_at, identities::id))
        .select((
            identities::user_id,
            identities::team_id,
            identities::external_id
        ))
        .load(conn))?;
    let account = |(id, team, user)| (id, ExportedSlack { team, user });
    Ok(by_user(rows.into_iter().map(account)))
}

fn elsewhere(
    tx: &mut Tx<'_>,
    ids: &[UserId],
) -> Result<HashMap<UserId, Vec<ExportedExternalId>>, StoreError> {
    let rows = external_ids::list_of_users(tx, ids)?;
    Ok(by_user(rows.into_iter().map(|(user_id, found)| {
        let id = ExportedExternalId {
            source: found.source,
            external_id: found.id,
        };
        (user_id, id)
    })))
}

fn totp(tx: &mut Tx<'_>, ids: &[UserId]) -> Result<HashMap<UserId, String>, StoreError> {
    let rows: Vec<(UserId, Option<String>)> = on!(tx, |conn| totp::table
        .filter(totp::user_id.eq_any(ids))
        .filter(totp::confirmed_at.is_not_null())
        .select((totp::user_id, totp::secret))
        .load(conn))?;
    let whole = |(id, secret): (UserId, Option<String>)| Some((id, secret?));
    Ok(rows.into_iter().filter_map(whole).collect())
}

fn codes(tx: &mut Tx<'_>, ids: &[UserId]) -> Result<HashMap<UserId, Vec<String>>, StoreError> {
    let rows: Vec<(UserId, String)> = on!(tx, |conn| recovery_codes::table
        .filter(recovery_codes::user_id.eq_any(ids))
        .order(recovery_codes::hash)
        .select((recovery_codes::user_id, recovery_codes::hash))
        .load(conn))?;
    Ok(by_user(rows))
}
