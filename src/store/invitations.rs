//! The `invitations` table.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::invitations;
use super::types::Timestamp;
use super::{StoreError, Tx, later, on, parsed};
use crate::domain::page::PageRequest;
use crate::domain::{Email, Invitation, InvitationId, OrganizationId, UserId};

#[derive(Queryable, Selectable)]
#[diesel(table_name = invitations)]
struct InvitationRow {
    id: InvitationId,
    organization_id: OrganizationId,
    email: String,
    role: String,
    invited_by: Option<UserId>,
    letter: i32,
    created_at: Timestamp,
    expires_at: Timestamp,
    by_operator: bool,
}

impl TryFrom<InvitationRow> for Invitation {
    type Error = StoreError;

    fn try_from(row: InvitationRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            email: Email::from_stored(row.email),
            role: parsed(&row.role)?,
            invited_by: row.invited_by,
            by_operator: row.by_operator,
            email_number: row.letter,
            created_at: row.created_at.0,
            expires_at: row.expires_at.0,
        })
    }
}

pub fn insert(tx: &mut Tx<'_>, invitation: &Invitation) -> Result<(), StoreError> {
    let values = (
        invitations::id.eq(invitation.id),
        invitations::organization_id.eq(invitation.organization_id),
        invitations::email.eq(invitation.email.as_str()),
        invitations::role.eq(invitation.role.as_str()),
        invitations::invited_by.eq(invitation.invited_by),
        invitations::by_operator.eq(invitation.by_operator),
        invitations::letter.eq(invitation.email_number),
        invitations::created_at.eq(Timestamp(invitation.created_at)),
        invitations::expires_at.eq(Timestamp(invitation.expires_at)),
    );
    later!(tx, diesel::insert_into(invitations::table).values(values))?;
    Ok(())
}

/// Updates what a repeated invitation changes: role, inviter and expiry.
pub fn renew(tx: &mut Tx<'_>, invitation: &Invitation) -> Result<(), StoreError> {
    let values = (
        invitations::role.eq(invitation.role.as_str()),
        invitations::invited_by.eq(invitation.invited_by),
        invitations::by_operator.eq(invitation.by_operator),
        invitations::expires_at.eq(Timestamp(invitation.expires_at)),
    );
    later!(
        tx,
        diesel::update(invitations::table.find(invitation.id)).set(values)
    )?;
    Ok(())
}

/// Counts one more e-mail. From now on, only the link in that e-mail is valid.
pub fn count_email(tx: &mut Tx<'_>, id: InvitationId) -> Result<i32, StoreError> {
    Ok(on!(tx, |conn| diesel::update(invitations::table.find(id))
        .set(invitations::letter.eq(invitations::letter + 1))
        .returning(invitations::letter)
        .get_result(conn))?)
}

/// The invitation of an address that is neither accepted nor revoked; it may have expired.
pub fn find_unanswered(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    email: &Email,
) -> Result<Option<Invitation>, StoreError> {
    let row: Option<InvitationRow> = on!(tx, |conn| invitations::table
        .filter(invitations::organization_id.eq(organization_id))
        .filter(invitations::email.eq(email.as_str()))
        .filter(invitations::accepted_at.is_null())
        .filter(invitations::revoked_at.is_null())
        .select(InvitationRow::as_select())
        .get_result(conn)
        .optional())?;
    row.map(Invitation::try_from).transpose()
}

/// An invitation that can be accepted.
pub fn find_open(
    tx: &mut Tx<'_>,
    id: InvitationId,
    now: DateTime<Utc>,
) -> Result<Option<Invitation>, StoreError> {
    let row: Option<InvitationRow> = on!(tx, |conn| invitations::table
        .find(id)
        .filter(invitations::accepted_at.is_null())
        .filter(invitations::revoked_at.is_null())
        .filter(invitations::expires_at.gt(Timestamp(now)))
        .select(InvitationRow::as_select())
        .get_result(conn)
        .optional())?;
    row.map(Invitation::try_from).transpose()
}

/// The invitations of an organization that can be accepted, newest first.
pub fn page(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    request: &PageRequest<InvitationId>,
    now: DateTime<Utc>,
) -> Result<Vec<Invitation>, StoreError> {
    let rows: Vec<InvitationRow> = on!(tx, |conn| {
        let mut query = invitations::table
            .filter(invitations::organization_id.eq(organization_id))
            .filter(invitations::accepted_at.is_null())
            .filter(invitations::revoked_at.is_null())
            .filter(invitations::expires_at.gt(Timestamp(now)))
            .order(invitations::id.desc())
            .limit(request.rows())
            .select(InvitationRow::as_select())
            .into_boxed();
        if let Some(before) = request.after {
            query = query.filter(invitations::id.lt(before));
        }
        query.load(conn)
    })?;
    rows.into_iter().map(Invitation::try_from).collect()
}

/// The newest invitations of an address that can be accepted.
pub fn list_open_of(
    tx: &mut Tx<'_>,
    email: &Email,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Invitation>, StoreError> {
    let rows: Vec<InvitationRow> = on!(tx, |conn| invitations::table
        .filter(invitations::email.eq(email.as_str()))
        .filter(invitations::accepted_at.is_null())
        .filter(invitations::revoked_at.is_null())
        .filter(invitations::expires_at.gt(Timestamp(now)))
        .order(invitations::id.desc())
        .limit(limit)
        .select(InvitationRow::as_select())
        .load(conn))?;
    rows.into_iter().map(Invitation::try_from).collect()
}

/// An accepted invitation, and who accepted it, if known.
pub fn find_accepted(
    tx: &mut Tx<'_>,
    id: InvitationId,
) -> Result<Option<(Invitation, Option<UserId>)>, StoreError> {
    let row: Option<(InvitationRow, Option<UserId>)> = on!(tx, |conn| invitations::table
        .find(id)
        .filter(invitations::accepted_at.is_not_null())
        .select((InvitationRow::as_select(), invitations::accepted_by))
        .get_result(conn)
        .optional())?;
    row.map(|(row, by)| Ok((row.try_into()?, by))).transpose()
}

/// Accepts an open invitation by the link in its newest e-mail. Of concurrent attempts to accept or revoke, one
/// succeeds.
pub fn accept(
    tx: &mut Tx<'_>,
    id: InvitationId,
    email_number: i32,
    by: UserId,
    now: DateTime<Utc>,
) -> Result<Option<Invitation>, StoreError> {
    let row: Option<InvitationRow> = on!(tx, |conn| diesel::update(
        invitations::table
            .find(id)
            .filter(invitations::letter.eq(email_number))
            .filter(invitations::accepted_at.is_null())
            .filter(invitations::revoked_at.is_null())
            .filter(invitations::expires_at.gt(Timestamp(now)))
    )
    .set((
        invitations::accepted_at.eq(Timestamp(now)),
        invitations::accepted_by.eq(Some(by))
    ))
    .returning(InvitationRow::as_returning())
    .get_result(conn)
    .optional())?;
    row.map(Invitation::try_from).transpose()
}

/// Revokes an invitation; returns whether it was still open.
pub fn revoke(tx: &mut Tx<'_>, id: InvitationId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let revoked = on!(tx, |conn| diesel::update(
        invitations::table
            .find(id)
            .filter(invitations::accepted_at.is_null())
            .filter(invitations::revoked_at.is_null())
            .filter(invitations::expires_at.gt(Timestamp(now)))
    )
    .set(invitations::revoked_at.eq(Timestamp(now)))
    .execute(conn))?;
    Ok(revoked == 1)
}

/// Revokes all invitations that a user sent and that are still open.
pub fn revoke_all_by(
    tx: &mut Tx<'_>,
    invited_by: UserId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(
            invitations::table
                .filter(invitations::invited_by.eq(invited_by))
                .filter(invitations::accepted_at.is_null())
                .filter(invitations::revoked_at.is_null())
        )
        .set(invitations::revoked_at.eq(Timestamp(now)))
    )?;
    Ok(())
}

/// Deletes all invitations to an address, answered or not.
pub fn delete_to(tx: &mut Tx<'_>, email: &Email) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::delete(invitations::table.filter(invitations::email.eq(email.as_str())))
    )?;
    Ok(())
}

/// Deletes all invitations to an organization.
pub fn delete_all_of(tx: &mut Tx<'_>, organization_id: OrganizationId) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::delete(invitations::table.filter(invitations::organization_id.eq(organization_id)))
    )?;
    Ok(())
}

/// The addresses of the invitations that a user has accepted, which were theirs.
pub fn list_accepted_addresses(tx: &mut Tx<'_>, user_id: UserId) -> Result<Vec<Email>, StoreError> {
    let addresses: Vec<String> = on!(tx, |conn| invitations::table
        .filter(invitations::accepted_by.eq(user_id))
        .select(invitations::email)
        .distinct()
        .load(conn))?;
    Ok(addresses.into_iter().map(Email::from_stored).collect())
}
