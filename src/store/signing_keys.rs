//! The `signing_keys` table: which keys a database has been used with, by their ids.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::{outbox, sessions, signing_keys, totp, users, webhooks};
use super::types::Timestamp;
use super::{StoreError, Tx, on};
use crate::domain::SessionKind;
use crate::domain::ids::EmailId;

/// A key that an instance has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldKey {
    pub kid: String,
    /// `HS256` or `ES256`.
    pub alg: &'static str,
    /// Whether it signs new access tokens.
    pub signs: bool,
    /// Whether it seals what only a server reads.
    pub seals: bool,
}

/// A key that an instance has had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedKey {
    pub kid: String,
    pub since: DateTime<Utc>,
    pub signed_at: Option<DateTime<Utc>>,
    pub sealed_at: Option<DateTime<Utc>>,
}

/// Notes the keys of an instance, and what each is used for now.
pub fn note(tx: &mut Tx<'_>, keys: &[HeldKey], now: DateTime<Utc>) -> Result<(), StoreError> {
    let now = Timestamp(now);
    for key in keys {
        let signed_at = key.signs.then_some(now);
        let sealed_at = key.seals.then_some(now);
        on!(tx, |conn| diesel::insert_into(signing_keys::table)
            .values((
                signing_keys::kid.eq(&key.kid),
                signing_keys::alg.eq(key.alg),
                signing_keys::since.eq(now),
            ))
            .on_conflict_do_nothing()
            .execute(conn))?;
        let noted = signing_keys::table.find(&key.kid);
        if signed_at.is_some() {
            on!(tx, |conn| diesel::update(noted)
                .set(signing_keys::signed_at.eq(signed_at))
                .execute(conn))?;
        }
        if sealed_at.is_some() {
            on!(tx, |conn| diesel::update(noted)
                .set(signing_keys::sealed_at.eq(sealed_at))
                .execute(conn))?;
        }
    }
    Ok(())
}

pub fn list(tx: &mut Tx<'_>) -> Result<Vec<NotedKey>, StoreError> {
    type Row = (String, Timestamp, Option<Timestamp>, Option<Timestamp>);
    let rows: Vec<Row> = on!(tx, |conn| signing_keys::table
        .order(signing_keys::since)
        .select((
            signing_keys::kid,
            signing_keys::since,
            signing_keys::signed_at,
            signing_keys::sealed_at,
        ))
        .load(conn))?;
    let key = |(kid, since, signed_at, sealed_at): Row| NotedKey {
        kid,
        since: since.0,
        signed_at: signed_at.map(|at| at.0),
        sealed_at: sealed_at.map(|at| at.0),
    };
    Ok(rows.into_iter().map(key).collect())
}

/// How many authenticators are sealed with each key.
pub fn authenticators(tx: &mut Tx<'_>) -> Result<Vec<(Option<String>, i64)>, StoreError> {
    Ok(on!(tx, |conn| totp::table
        .filter(totp::secret.is_not_null())
        .group_by(totp::kid)
        .select((totp::kid, diesel::dsl::count_star()))
        .load(conn))?)
}

/// How many webhooks have a secret that is sealed with each key.
pub fn webhooks(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(on!(tx, |conn| webhooks::table
        .group_by(webhooks::kid)
        .select((webhooks::kid, diesel::dsl::count_star()))
        .load(conn))?)
}

/// How many sessions that began until then are alive and carried by access tokens.
pub fn live_sessions(
    tx: &mut Tx<'_>,
    begun_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<i64, StoreError> {
    Ok(on!(tx, |conn| sessions::table
        .inner_join(users::table.on(sessions::user_id.eq(users::id)))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::ver.eq(users::session_ver))
        .filter(users::deleted_at.is_null())
        .filter(sessions::kind.eq(SessionKind::Jwt.as_str()))
        .filter(sessions::expires_at.gt(Timestamp(now)))
        .filter(sessions::created_at.le(Timestamp(begun_until)))
        .count()
        .get_result(conn))?)
}

/// How many e-mails that wait were written within a time.
pub fn waiting_since(
    tx: &mut Tx<'_>,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<i64, StoreError> {
    Ok(on!(tx, |conn| outbox::table
        .filter(outbox::next_attempt_at.is_not_null())
        .filter(outbox::letter.is_not_null())
        .filter(outbox::created_at.between(Timestamp(since), Timestamp(until)))
        .count()
        .get_result(conn))?)
}

/// At most `limit` e-mails that wait and come after `after`, sealed, in the order of their ids.
pub fn waiting_emails(
    tx: &mut Tx<'_>,
    after: EmailId,
    limit: u32,
) -> Result<Vec<(EmailId, String)>, StoreError> {
    let rows: Vec<(EmailId, Option<String>)> = on!(tx, |conn| outbox::table
        .filter(outbox::next_attempt_at.is_not_null())
        .filter(outbox::letter.is_not_null())
        .filter(outbox::id.gt(after))
        .order(outbox::id)
        .limit(limit.into())
        .select((outbox::id, outbox::letter))
        .load(conn))?;
    let whole = |(id, letter): (EmailId, Option<String>)| Some((id, letter?));
    Ok(rows.into_iter().filter_map(whole).collect())
}
