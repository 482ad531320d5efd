//! What the operator does from the command line, without permission checks.

use crate::domain::audit::{Action, Method};
use crate::domain::{
    Email, JoinPolicy, Membership, Organization, OrganizationId, OrganizationName, OwnWords,
    PersonName, Role, User, UserId,
};
use crate::service::limits::{self, Whose, permit_hashing};
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::organizations::register::insert_organization;
use crate::service::people::update::disable_account;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Database, Error, RequestContext, Result, Services};
use crate::store::{Requester, StoreError, memberships, organizations, users};

pub struct CreateUser<'a> {
    pub email: Email,
    pub password: &'a str,
    pub name: PersonName,
    pub organization_id: OrganizationId,
    pub role: Role,
    /// Must be in the same organization.
    pub manager_id: Option<UserId>,
}

/// # Errors
/// When the database fails.
pub async fn create_organization(
    services: &Services,
    context: &RequestContext,
    name: OrganizationName,
) -> Result<Organization> {
    let join_policy = services.default_join_policy;
    services
        .write(context, move |unit| {
            let organization = insert_organization(unit, name, join_policy)?;
            let event = unit.event(Action::OrganizationFounded).by(Method::Operator);
            unit.finish(event.within(organization.id), organization)
        })
        .await
}

/// Every organization, oldest first.
pub async fn list_organizations(services: &Services) -> Result<Vec<Organization>> {
    services
        .store
        .read(Requester::OPERATOR, |tx| {
            organizations::list(tx).map_err(Error::from)
        })
        .await
}

/// How many organizations anyone who knows the id may join.
///
/// # Errors
/// When the database cannot be read.
pub async fn count_open_organizations(store: &Database) -> Result<i64, StoreError> {
    store
        .read(Requester::OPERATOR, |tx| {
            organizations::count_with_policy(tx, JoinPolicy::Open)
        })
        .await
}

/// The address counts as verified, because the operator vouches for it.
///
/// # Errors
/// `Invalid`, `EmailTaken`, `OrganizationNotFound`.
pub async fn create_user(
    services: &Services,
    context: &RequestContext,
    create: CreateUser<'_>,
) -> Result<User> {
    let whose = Whose::Typed(create.email.clone());
    let permit = permit_hashing(services, context, whose).await?;
    let organization_id = create.organization_id;
    let organization = services
        .store
        .read(context, move |tx| organizations::find(tx, organization_id))
        .await?;
    let own = OwnWords::new(Some(&create.email), [create.name.as_str()]).with(&organization);
    let password = services
        .passwords
        .read_new(&permit, "password", create.password, own)
        .await?;
    let password_hash = services.passwords.hash(&permit, password).await?;

    services
        .write(context, move |unit| {
            organizations::find(unit.tx, organization_id)?.ok_or(Error::OrganizationNotFound)?;
            let now = unit.now;
            let user = User::new(now, unit.random(), Some(create.email), create.name);
            users::insert(unit.tx, &user, None, Some(password_hash.as_str()))
                .map_err(Error::taken_email)?;
            users::mark_email_verified(unit.tx, user.id, now)?;
            let membership = Membership {
                user_id: user.id,
                organization_id,
                role: create.role,
                manager_id: create.manager_id,
            };
            memberships::insert(unit.tx, &membership, now)?;
            let event = unit.event(Action::UserCreated).about(user.id);
            unit.finish(event.within(organization_id).by(Method::Operator), user)
        })
        .await
}

/// All users, or those of one organization, with their memberships there, oldest first.
pub async fn list_users(
    services: &Services,
    organization_id: Option<OrganizationId>,
) -> Result<Vec<(User, Vec<Membership>)>> {
    services
        .store
        .read(Requester::OPERATOR, move |tx| {
            let mut people: Vec<(User, Vec<Membership>)> = users::list(tx)?
                .into_iter()
                .map(|user| (user, Vec::new()))
                .collect();
            let places: std::collections::HashMap<UserId, usize> = people
                .iter()
                .enumerate()
                .map(|(place, (user, _))| (user.id, place))
                .collect();
            for membership in memberships::list(tx, organization_id)? {
                if let Some((_, theirs)) = places
                    .get(&membership.user_id)
                    .and_then(|place| people.get_mut(*place))
                {
                    theirs.push(membership);
                }
            }
            people.retain(|(_, theirs)| organization_id.is_none() || !theirs.is_empty());
            Ok(people)
        })
        .await
}

/// The result of disabling a user.
pub enum Disabled {
    Done(User),
    /// Not disabled, because these organizations would have no admin.
    LastAdminOf(Vec<Organization>),
    UnknownEmail,
}

/// Disables an account and ends all its sessions.
///
/// The last admin of an organization is not disabled unless the operator insists, for example because the account was
/// taken over.
pub async fn disable_user(
    services: &Services,
    context: &RequestContext,
    email: &Email,
    even_the_last_admin: bool,
) -> Result<Disabled> {
    let email = email.clone();
    services
        .write(context, move |unit| {
            // Organizations before accounts, as everywhere.
            if let Some(account) = users::find_account_by_email(unit.tx, &email)? {
                let mut places = memberships::list_of_user(unit.tx, account.user.id)?;
                places.sort_unstable_by_key(|membership| membership.organization_id);
                for membership in places {
                    organizations::lock(unit.tx, membership.organization_id)?;
                }
            }
            let Some(account) = users::lock_account_by_email(unit.tx, &email)? else {
                return unit.unrecorded(Disabled::UnknownEmail);
            };
            let user_id = account.user.id;
            if !even_the_last_admin && account.user.disabled_at.is_none() {
                let left = left_without_admin(unit, user_id)?;
                if !left.is_empty() {
                    return unit.unrecorded(Disabled::LastAdminOf(left));
                }
            }
            disable_account(unit, user_id)?;
            let user = users::find(unit.tx, user_id)?.unwrap_or(account.user);
            let event = unit.event(Action::UserDisabled).about(user_id);
            unit.finish(event.by(Method::Operator), Disabled::Done(user))
        })
        .await
}

/// The organizations whose only admin is `losing`.
fn left_without_admin(unit: &mut UnitOfWork<'_, '_>, losing: UserId) -> Result<Vec<Organization>> {
    let mut left = Vec::new();
    for membership in memberships::list_of_user(unit.tx, losing)? {
        let id = membership.organization_id;
        match keep_an_admin(unit.tx, id, losing) {
            Ok(()) => {}
            Err(Error::LastAdmin) => left.extend(organizations::find(unit.tx, id)?),
            Err(error) => return Err(error),
        }
    }
    Ok(left)
}

/// Deletes the failures that lock an account; `None` if no account has the address.
pub async fn unlock_user(
    services: &Services,
    context: &RequestContext,
    email: &Email,
) -> Result<Option<User>> {
    let email = email.clone();
    services
        .write(context, move |unit| {
            let Some(account) = users::find_account_by_email(unit.tx, &email)? else {
                return unit.unrecorded(None);
            };
            limits::unlock_account(unit, &account.user)?;
            let event = unit.event(Action::AccountUnlocked).about(account.user.id);
            unit.finish(event.by(Method::Operator), Some(account.user))
        })
        .await
}
