//! What every table has about one person, in pages; secrets and their hashes are not read.
//!
//! Each query finds its rows by an index that begins with the person, whatever others have. Where there is none in the
//! order of the rows, they are ordered by a time, because PostgreSQL would rather walk the ids of a whole table than
//! sort.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, max, min, not, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use serde_json::Value;

use super::schema::{
    active_organizations, api_tokens, audit, detached_identities, external_ids, failed_attempts,
    failures_in_a_row, identities, invitations, join_links, known_addresses, known_devices,
    memberships, one_time_tokens, organizations, outbox, removed_identities, sessions, totp, users,
};
use super::sessions::{SessionRow, current_version, unrevoked};
use super::types::{Id, Timestamp};
use super::{StoreError, Tx, on, parsed, recovery_codes};
use crate::domain::account_export::{
    ExportedAccount, ExportedAction, ExportedActionByOthers, ExportedAddress, ExportedApiToken,
    ExportedDevice, ExportedEmail, ExportedExternalId, ExportedIdentity, ExportedInvitation,
    ExportedJoinLink, ExportedMembership, ExportedOneTimeToken, ExportedSecondFactor,
    ExportedSentInvitation, ExportedSession, ExportedWrongPasswords, RowKey,
};
use crate::domain::ids::{AuditId, EmailId};
use crate::domain::{
    ApiTokenId, Email, InvitationId, JoinLinkId, OrganizationId, SessionId, UserId,
};

/// The most rows of a page.
pub const PAGE: u16 = 300;

/// The rows after a key, by time and id.
macro_rules! after {
    ($key:expr, $at:expr, $id:expr, $id_type:path) => {
        $at.ge(Timestamp($key.at))
            .and($at.gt(Timestamp($key.at)).or($id.gt($id_type($key.id))))
    };
}

fn time(at: Option<Timestamp>) -> Option<DateTime<Utc>> {
    at.map(|at| at.0)
}

fn detail(text: Option<String>) -> Option<Value> {
    text.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct AccountRow {
    id: UserId,
    email: Option<String>,
    email_verified_at: Option<Timestamp>,
    name: String,
    first_name: Option<String>,
    last_name: Option<String>,
    password_hash: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    disabled_at: Option<Timestamp>,
}

/// The account; `failures_of` is the name under which its wrong passwords are counted. `None` if it does not exist.
pub fn account(
    tx: &mut Tx<'_>,
    id: UserId,
    failures_of: &str,
) -> Result<Option<ExportedAccount>, StoreError> {
    let row: Option<AccountRow> = on!(tx, |conn| users::table
        .find(id)
        .select(AccountRow::as_select())
        .get_result(conn)
        .optional())?;
    let Some(row) = row else {
        return Ok(None);
    };
    let last_organization_id = on!(tx, |conn| active_organizations::table
        .find(id)
        .select(active_organizations::organization_id)
        .get_result(conn)
        .optional())?;
    Ok(Some(ExportedAccount {
        id: row.id,
        email: row.email,
        email_verified_at: time(row.email_verified_at),
        name: row.name,
        first_name: row.first_name,
        last_name: row.last_name,
        created_at: row.created_at.0,
        updated_at: row.updated_at.0,
        disabled_at: time(row.disabled_at),
        has_password: row.password_hash.is_some(),
        last_organization_id,
        second_factor: second_factor(tx, id)?,
        wrong_passwords: wrong_passwords(tx, failures_of)?,
    }))
}

fn second_factor(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> Result<Option<ExportedSecondFactor>, StoreError> {
    type Row = (Timestamp, Option<Timestamp>, i32, Option<Timestamp>);
    let row: Option<Row> = on!(tx, |conn| totp::table
        .find(user_id)
        .select((
            totp::created_at,
            totp::confirmed_at,
            totp::failures,
            totp::locked_until
        ))
        .get_result(conn)
        .optional())?;
    let Some((created_at, confirmed_at, wrong_codes, locked_until)) = row else {
        return Ok(None);
    };
    Ok(Some(ExportedSecondFactor {
        created_at: created_at.0,
        confirmed_at: time(confirmed_at),
        wrong_codes,
        locked_until: time(locked_until),
        recovery_codes_left: recovery_codes::count(tx, user_id)?,
    }))
}

fn wrong_passwords(tx: &mut Tx<'_>, account: &str) -> Result<ExportedWrongPasswords, StoreError> {
    // With a count among them, PostgreSQL does not walk the times of everybody for the first and the last.
    let (recent, since, last): (i64, Option<Timestamp>, Option<Timestamp>) =
        on!(tx, |conn| failed_attempts::table
            .filter(failed_attempts::account.eq(account))
            .select((
                count_star(),
                min(failed_attempts::at),
                max(failed_attempts::at)
            ))
            .get_result(conn))?;
    let in_a_row: Option<(i32, Timestamp)> = on!(tx, |conn| failures_in_a_row::table
        .find(account)
        .select((failures_in_a_row::failures, failures_in_a_row::last_at))
        .get_result(conn)
        .optional())?;
    let last_in_a_row = in_a_row.map(|(_, at)| at.0);
    Ok(ExportedWrongPasswords {
        recent,
        recent_since: time(since),
        in_a_row: in_a_row.map_or(0, |(failures, _)| failures),
        last_at: time(last).max(last_in_a_row),
    })
}

pub fn memberships(
    tx: &mut Tx<'_>,
    user_id: UserId,
    key: RowKey,
) -> Result<Vec<ExportedMembership>, StoreError> {
    type Row = (
        OrganizationId,
        String,
        String,
        String,
        Option<UserId>,
        Timestamp,
        Timestamp,
    );
    let (at, id) = (memberships::created_at, memberships::organization_id);
    let rows: Vec<Row> = on!(tx, |conn| memberships::table
        .inner_join(organizations::table)
        .filter(memberships::user_id.eq(user_id))
        .filter(after!(key, at, id, OrganizationId))
        .order((at, id))
        .limit(PAGE.into())
        .select((
            id,
            organizations::name,
            organizations::slug,
            memberships::role,
            memberships::manager_id,
            at,
            memberships::updated_at,
        ))
        .load(conn))?;
    rows.into_iter()
        .map(
            |(organization_id, name, slug, role, manager_id, created_at, updated_at)| {
                Ok(ExportedMembership {
                    organization_id,
                    organization_name: name,
                    organization_slug: slug,
                    role: parsed(&role)?,
                    manager_id,
                    created_at: created_at.0,
                    updated_at: updated_at.0,
                })
            },
        )
        .collect()
}

pub fn sessions(
    tx: &mut Tx<'_>,
    user_id: UserId,
    key: RowKey,
) -> Result<Vec<ExportedSession>, StoreError> {
    let rows: Vec<(SessionRow, bool, bool, Option<Timestamp>)> = on!(tx, |conn| sessions::table
        .filter(sessions::user_id.eq(user_id))
        .filter(after!(key, sessions::created_at, sessions::id, SessionId))
        .order((sessions::created_at, sessions::id))
        .limit(PAGE.into())
        .select((
            SessionRow::as_select(),
            not(unrevoked!(user_id)),
            sessions::locked,
            sessions::revoked_at
        ))
        .load(conn))?;
    rows.into_iter()
        .map(|(row, ended, locked, revoked_at)| {
            let session = row.session(ended)?;
            Ok(ExportedSession {
                id: session.id,
                kind: session.kind,
                organization_id: session.organization_id,
                device: session.device,
                address: session.address.map(|address| address.to_string()),
                created_at: session.created_at,
                last_used_at: session.last_used_at,
                expires_at: session.expires_at,
                proven_at: session.proven_at,
                locked,
                ended,
                ended_at: time(revoked_at),
            })
        })
        .collect()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
struct ApiTokenRow {
    id: ApiTokenId,
    name: String,
    prefix: String,
    organization_id: OrganizationId,
    role: String,
    session_id: Option<SessionId>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

pub fn api_tokens(
    tx: &mut Tx<'_>,
    user_id: UserId,
    key: RowKey,
) -> Result<Vec<ExportedApiToken>, StoreError> {
    let rows: Vec<ApiTokenRow> = on!(tx, |conn| api_tokens::table
        .filter(api_tokens::creator_id.eq(user_id))
        .filter(after!(
            key,
            api_tokens::created_at,
            api_tokens::id,
            ApiTokenId
        ))
        .order((api_tokens::created_at, api_tokens::id))
        .limit(PAGE.into())
        .select(ApiTokenRow::as_select())
        .load(conn))?;
    rows.into_iter()
        .map(|row| {
            Ok(ExportedApiToken {
                id: row.id,
                name: row.name,
                prefix: row.prefix,
                organization_id: row.organization_id,
                role: parsed(&row.role)?,
                session_id: row.session_id,
                created_at: row.created_at.0,
                expires_at: time(row.expires_at),
                last_used_at: time(row.last_used_at),
                revoked_at: time(row.revoked_at),
            })
        })
        .collect()
}

/// All of them: there is one for each workspace.
pub fn identities(tx: &mut Tx<'_>, user_id: UserId) -> Result<Vec<ExportedIdentity>, StoreError> {
    let linked: Vec<(String, String, String, Timestamp, bool)> = on!(tx, |conn| identities::table
        .filter(identities::user_id.eq(user_id))
        .order((
            identities::created_at,
            identities::team_id,
            identities::external_id
        ))
        .select((
            identities::provider,
            identities::team_id,
            identities::external_id,
            identities::created_at,
            identities::is_workspace_admin,
        ))
        .load(conn))?;
    let detached: Vec<(String, String, String, Timestamp)> =
        on!(tx, |conn| detached_identities::table
            .filter(detached_identities::user_id.eq(user_id))
            .order((
                detached_identities::detached_at,
                detached_identities::team_id,
                detached_identities::external_id
            ))
            .select((
                detached_identities::provider,
                detached_identities::team_id,
                detached_identities::external_id,
                detached_identities::detached_at,
            ))
            .load(conn))?;
    let linked = linked
        .into_iter()
        .map(
            |(provider, team, account_id, at, is_workspace_admin)| ExportedIdentity {
                provider,
                team,
                account_id,
                linked_at: Some(at.0),
                is_workspace_admin,
                detached_at: None,
                removed_at: None,
            },
        );
    let detached = detached
        .into_iter()
        .map(|(provider, team, account_id, at)| ExportedIdentity {
            provider,
            team,
            account_id,
            linked_at: None,
            is_workspace_admin: false,
            detached_at: Some(at.0),
            removed_at: None,
        });
    let mut all: Vec<ExportedIdentity> = linked.chain(detached).collect();
    for identity in &mut all {
        let key = (&identity.provider, &identity.team, &identity.account_id);
        let removed_at: Option<Timestamp> = on!(tx, |conn| removed_identities::table
            .find(key)
            .select(removed_identities::removed_at)
            .get_result(conn)
            .optional())?;
        identity.removed_at = time(removed_at);
    }
    Ok(all)
}

/// All of them: there is one for each source.
pub fn external_ids(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> Result<Vec<ExportedExternalId>, StoreError> {
    let rows: Vec<(String, String, Timestamp)> = on!(tx, |conn| external_ids::table
        .filter(external_ids::user_id.eq(user_id))
        .order((external_ids::imported_at, external_ids::source))
        .select((
            external_ids::source,
            external_ids::external_id,
            external_ids::imported_at
        ))
        .load(conn))?;
    let row = |(source, id, imported_at): (_, _, Timestamp)| ExportedExternalId {
        source,
        id,
        imported_at: imported_at.0,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// All of them: only the latest are kept.
pub fn known_addresses(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> Result<Vec<ExportedAddress>, StoreError> {
    let rows: Vec<(String, Timestamp)> = on!(tx, |conn| known_addresses::table
        .filter(known_addresses::user_id.eq(user_id))
        .order((known_addresses::last_at, known_addresses::block))
        .select((known_addresses::block, known_addresses::last_at))
        .load(conn))?;
    let address = |(address, last_at): (_, Timestamp)| ExportedAddress {
        address,
        last_at: last_at.0,
    };
    Ok(rows.into_iter().map(address).collect())
}

/// All of them: only the latest are kept.
pub fn known_devices(tx: &mut Tx<'_>, user_id: UserId) -> Result<Vec<ExportedDevice>, StoreError> {
    let rows: Vec<(String, String, Timestamp)> = on!(tx, |conn| known_devices::table
        .filter(known_devices::user_id.eq(user_id))
        .order((
            known_devices::last_at,
            known_devices::device,
            known_devices::network
        ))
        .select((
            known_devices::device,
            known_devices::network,
            known_devices::last_at
        ))
        .load(conn))?;
    let device = |(device, network, last_at): (_, _, Timestamp)| ExportedDevice {
        device,
        network,
        last_at: last_at.0,
    };
    Ok(rows.into_iter().map(device).collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = join_links)]
struct JoinLinkRow {
    id: JoinLinkId,
    organization_id: OrganizationId,
    role: String,
    uses: Option<i32>,
    used: i32,
    created_at: Timestamp,
    expires_at: Timestamp,
}

pub fn join_links(
    tx: &mut Tx<'_>,
    user_id: UserId,
    key: RowKey,
) -> Result<Vec<ExportedJoinLink>, StoreError> {
    let rows: Vec<JoinLinkRow> = on!(tx, |conn| join_links::table
        .filter(join_links::maker_id.eq(user_id))
        .filter(after!(
            key,
            join_links::created_at,
            join_links::id,
            JoinLinkId
        ))
        .order((join_links::created_at, join_links::id))
        .limit(PAGE.into())
        .select(JoinLinkRow::as_select())
        .load(conn))?;
    rows.into_iter()
        .map(|row| {
            Ok(ExportedJoinLink {
                id: row.id,
                organization_id: row.organization_id,
                role: parsed(&row.role)?,
                uses: row.uses,
                used: row.used,
                created_at: row.created_at.0,
                expires_at: row.expires_at.0,
            })
        })
        .collect()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = invitations)]
struct InvitationRow {
    id: InvitationId,
    organization_id: OrganizationId,
    role: String,
    created_at: Timestamp,
    expires_at: Timestamp,
    accepted_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

pub fn invitations_to(
    tx: &mut Tx<'_>,
    email: &Email,
    key: RowKey,
) -> Result<Vec<ExportedInvitation>, StoreError> {
    let rows: Vec<(InvitationRow, String)> = on!(tx, |conn| invitations::table
        .inner_join(organizations::table)
        .filter(invitations::email.eq(email.as_str()))
        .filter(after!(
            key,
            invitations::created_at,
            invitations::id,
            InvitationId
        ))
        .order((invitations::created_at, invitations::id))
        .limit(PAGE.into())
        .select((InvitationRow::as_select(), organizations::name))
        .load(conn))?;
    rows.into_iter()
        .map(|(row, organization_name)| {
            Ok(ExportedInvitation {
                id: row.id,
                organization_id: row.organization_id,
                organization_name,
                role: parsed(&row.role)?,
                created_at: row.created_at.0,
                expires_at: row.expires_at.0,
                accepted_at: time(row.accepted_at),
                revoked_at: time(row.revoked_at),
            })
        })
        .collect()
}

pub fn invitations_by(
    tx: &mut Tx<'_>,
    user_id: UserId,
    key: RowKey,
) -> Result<Vec<ExportedSentInvitation>, StoreError> {
    let rows: Vec<InvitationRow> = on!(tx, |conn| invitations::table
        .filter(invitations::invited_by.eq(user_id))
        .filter(after!(
            key,
            invitations::created_at,
            invitations::id,
            InvitationId
        ))
        .order((invitations::created_at, invitations::id))
        .limit(PAGE.into())
        .select(InvitationRow::as_select())
        .load(conn))?;
    rows.into_iter()
        .map(|row| {
            Ok(ExportedSentInvitation {
                id: row.id,
                organization_id: row.organization_id,
                role: parsed(&row.role)?,
                created_at: row.created_at.0,
                expires_at: row.expires_at.0,
                accepted_at: time(row.accepted_at),
                revoked_at: time(row.revoked_at),
            })
        })
        .collect()
}

/// E-mails about an account, and those to `mailbox`.
pub fn emails(
    tx: &mut Tx<'_>,
    user_id: UserId,
    mailbox: Option<&Email>,
    key: RowKey,
) -> Result<Vec<ExportedEmail>, StoreError> {
    type Row = (
        EmailId,
        String,
        Timestamp,
        i32,
        Option<Timestamp>,
        Option<Timestamp>,
    );
    let mailbox = mailbox.map(Email::as_str);
    let rows: Vec<Row> = on!(tx, |conn| outbox::table
        .filter(
            outbox::user_id
                .eq(user_id)
                .or(outbox::recipient.nullable().eq(mailbox))
        )
        .filter(after!(key, outbox::created_at, outbox::id, EmailId))
        .order((outbox::created_at, outbox::id))
        .limit(PAGE.into())
        .select((
            outbox::id,
            outbox::kind,
            outbox::created_at,
            outbox::attempts,
            outbox::sent_at,
            outbox::given_up_at,
        ))
        .load(conn))?;
    let email = |(id, kind, created_at, attempts, sent_at, given_up_at): Row| ExportedEmail {
        id,
        kind,
        created_at: created_at.0,
        attempts,
        sent_at: time(sent_at),
        given_up_at: time(given_up_at),
    };
    Ok(rows.into_iter().map(email).collect())
}

/// All of them: they expire, and a new one of the same purpose replaces the last.
pub fn one_time_tokens(
    tx: &mut Tx<'_>,
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<ExportedOneTimeToken>, StoreError> {
    let rows: Vec<(String, Timestamp)> = on!(tx, |conn| one_time_tokens::table
        .filter(one_time_tokens::user_id.eq(user_id))
        .filter(one_time_tokens::expires_at.gt(Timestamp(now)))
        .order((one_time_tokens::expires_at, one_time_tokens::hash))
        .select((one_time_tokens::purpose, one_time_tokens::expires_at))
        .load(conn))?;
    let token = |(purpose, expires_at): (_, Timestamp)| ExportedOneTimeToken {
        purpose,
        expires_at: expires_at.0,
    };
    Ok(rows.into_iter().map(token).collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit)]
struct AuditRow {
    id: AuditId,
    at: Timestamp,
    action: String,
    outcome: String,
    actor_id: Option<UserId>,
    subject_id: Option<UserId>,
    organization_id: Option<OrganizationId>,
    address: Option<String>,
    request_id: String,
    method: Option<String>,
    reason: Option<String>,
    device: Option<String>,
    detail: Option<String>,
}

/// The rows with a user in a column after a key. Only the index of the column has this order; with `=`, PostgreSQL would
/// find it in the primary key too, and walk the rows of everybody for a user who has many.
macro_rules! audit_rows {
    ($tx:expr, $column:ident, $user_id:expr, $key:expr) => {{
        let rows: Vec<AuditRow> = on!($tx, |conn| audit::table
            .filter(
                sql::<Bool>(concat!("(", stringify!($column), ", id) > ("))
                    .bind::<Id, _>($user_id)
                    .sql(", ")
                    .bind::<Id, _>(AuditId($key.id))
                    .sql(")")
            )
            .filter(audit::$column.le($user_id))
            .order((audit::$column, audit::id))
            .limit(PAGE.into())
            .select(AuditRow::as_select())
            .load(conn))?;
        rows
    }};
}

/// What a user did.
pub fn actions(
    tx: &mut Tx<'_>,
    user_id: UserId,
    key: RowKey,
) -> Result<Vec<ExportedAction>, StoreError> {
    let rows = audit_rows!(tx, actor_id, user_id, key);
    let action = |row: AuditRow| {
        let to_another_person = row.subject_id.is_some_and(|id| id != user_id);
        ExportedAction {
            id: row.id,
            at: row.at.0,
            action: row.action,
            outcome: row.outcome,
            organization_id: row.organization_id,
            method: row.method,
            reason: row.reason,
            address: row.address,
            device: row.device,
            request_id: row.request_id,
            to_another_person,
            detail: detail(row.detail.filter(|_| !to_another_person)),
        }
    };
    Ok(rows.into_iter().map(action).collect())
}

/// What was done to a user: the id of every row, and the row if it was done by others.
pub fn actions_by_others(
    tx: &mut Tx<'_>,
    user_id: UserId,
    key: RowKey,
) -> Result<Vec<(AuditId, Option<ExportedActionByOthers>)>, StoreError> {
    let rows = audit_rows!(tx, subject_id, user_id, key);
    let action = |row: AuditRow| {
        let by_others = (row.actor_id != Some(user_id)).then(|| ExportedActionByOthers {
            id: row.id,
            at: row.at.0,
            action: row.action,
            outcome: row.outcome,
            organization_id: row.organization_id,
            method: row.method,
            reason: row.reason,
            detail: detail(row.detail),
        });
        (row.id, by_others)
    };
    Ok(rows.into_iter().map(action).collect())
}
