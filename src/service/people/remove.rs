//! A person is taken out of the organization.

use chrono::{DateTime, Utc};

use crate::domain::audit::{Action, AuditEntry};
use crate::domain::{Change, Permission, UserId, lifetimes};
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::people::{Person, reach};
use crate::service::{Caller, Error, RequestContext, Result, Services, record_changes};
use crate::store::{Tx, audit, identities, memberships, organizations, sessions, users};

/// The membership ends, and the account with it when it has no other. An account to which an identity at a provider
/// leads stays, without an organization: deleted, its owner would be a stranger at the next sign-in there, and
/// come in again.
///
/// # Errors
/// `UserNotFound`; `Forbidden` below `admin`; `LastAdmin`.
pub async fn remove_person(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    user_id: UserId,
) -> Result<()> {
    let now = services.now();
    let entry = AuditEntry {
        subject_id: Some(user_id),
        ..services.audit_own(context, now, Action::MemberRemoved, caller)
    };
    let caller = caller.clone();
    let changes = services
        .store
        .write(move |tx| {
            let organization_id = caller.profile.organization_id;
            organizations::lock(tx, organization_id)?.ok_or(Error::UserNotFound)?;
            let person = reach(tx, &caller, user_id, &[Permission::Administer])?;
            keep_an_admin(tx, organization_id, user_id)?;
            users::lock_account_exclusively(tx, user_id)?.ok_or(Error::UserNotFound)?;
            memberships::release_reports(tx, user_id, organization_id, now)?;
            memberships::delete(tx, user_id, organization_id)?;
            let (action, changes) = if is_left_without_anything(tx, user_id)? {
                (Action::UserDeleted, delete_account(tx, user_id, now)?)
            } else {
                (Action::MemberRemoved, end_sessions(tx, &person, now)?)
            };
            audit::insert(tx, &AuditEntry { action, ..entry })?;
            record_changes(tx, &changes, now)?;
            Ok::<_, Error>(changes)
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}

/// No other organization, and no identity that would lead back.
fn is_left_without_anything(tx: &mut Tx<'_>, user_id: UserId) -> Result<bool> {
    Ok(memberships::list_of_user(tx, user_id)?.is_empty() && !identities::exists_for(tx, user_id)?)
}

/// The account's tokens are called back before nothing is left to compare them with.
fn delete_account(tx: &mut Tx<'_>, user_id: UserId, now: DateTime<Utc>) -> Result<Vec<Change>> {
    let min_token_version = users::raise_token_version(tx, user_id, now)?;
    users::delete(tx, user_id)?;
    Ok(vec![Change::TokensRevoked {
        user_id,
        min_token_version,
    }])
}

/// Sessions that speak for other organizations go on.
fn end_sessions(tx: &mut Tx<'_>, person: &Person, now: DateTime<Utc>) -> Result<Vec<Change>> {
    let (user_id, organization_id) = (person.user.id, person.membership.organization_id);
    let ended = sessions::revoke_in_organization(tx, user_id, organization_id, now)?;
    let ended = ended.into_iter().map(|session_id| Change::SessionEnded {
        user_id,
        session_id,
    });
    Ok(ended.chain([Change::PersonChanged { user_id }]).collect())
}
