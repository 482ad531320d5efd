//! What the operator does from the command line: organizations and people, without asking anybody.

use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{
    Change, Email, JoinPolicy, Membership, Organization, OrganizationId, OrganizationName,
    PersonName, Role, User, UserId, lifetimes,
};
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::organizations::register::insert_organization;
use crate::service::{Error, RequestContext, Result, Services, limits, record_changes};
use crate::store::{
    Store, StoreError, Tx, api_tokens, audit, memberships, organizations, sessions, users,
};

pub struct CreateUser<'a> {
    pub email: Email,
    pub password: &'a str,
    pub name: PersonName,
    pub organization_id: OrganizationId,
    pub role: Role,
    /// Somebody in the same organization.
    pub manager_id: Option<UserId>,
}

pub async fn create_organization(
    services: &Services,
    context: &RequestContext,
    name: OrganizationName,
) -> Result<Organization> {
    let now = services.now();
    let id = OrganizationId::new(now, services.random());
    let join_policy = services.default_join_policy;
    let entry = AuditEntry {
        organization_id: Some(id),
        ..services.audit(context, now, Action::OrganizationFounded, Outcome::Ok)
    };
    services
        .store
        .write(move |tx| {
            let organization = insert_organization(tx, id, name, join_policy, now)?;
            audit::insert(tx, &entry)?;
            Ok(organization)
        })
        .await
}

/// Every organization, oldest first.
pub async fn list_organizations(services: &Services) -> Result<Vec<Organization>> {
    services
        .store
        .read(|tx| organizations::list(tx).map_err(Error::from))
        .await
}

/// How many organizations anybody may join who knows their id.
///
/// # Errors
/// When the database cannot be read.
pub async fn count_open_organizations(store: &Store) -> Result<i64, StoreError> {
    store
        .read(|tx| organizations::count_with_policy(tx, JoinPolicy::Open))
        .await
}

/// The operator vouches for the address, which counts as verified.
///
/// # Errors
/// `Invalid`, `EmailTaken`, `OrganizationNotFound`.
pub async fn create_user(
    services: &Services,
    context: &RequestContext,
    create: CreateUser<'_>,
) -> Result<User> {
    let user_inputs = [
        create.email.as_str(),
        create.email.local_part(),
        create.name.as_str(),
    ];
    let password = services
        .passwords
        .read_new("password", create.password, &user_inputs)
        .await?;
    let password_hash = services.passwords.hash(password).await?;

    let now = services.now();
    let user = User {
        id: UserId::new(now, services.random()),
        email: Some(create.email),
        name: create.name,
        token_version: 0,
        disabled_at: None,
        created_at: now,
    };
    let membership = Membership {
        user_id: user.id,
        organization_id: create.organization_id,
        role: create.role,
        manager_id: create.manager_id,
    };
    let entry = AuditEntry {
        subject_id: Some(user.id),
        organization_id: Some(create.organization_id),
        ..services.audit(context, now, Action::UserCreated, Outcome::Ok)
    };
    services
        .store
        .write(move |tx| {
            organizations::find(tx, membership.organization_id)?
                .ok_or(Error::OrganizationNotFound)?;
            users::insert(tx, &user, None, Some(password_hash.as_str()))
                .map_err(Error::taken_email)?;
            users::set_email_verified(tx, user.id, now)?;
            memberships::insert(tx, &membership, now)?;
            audit::insert(tx, &entry)?;
            Ok(user)
        })
        .await
}

/// Everybody, or everybody in one organization, with their memberships there, oldest first.
pub async fn list_users(
    services: &Services,
    organization_id: Option<OrganizationId>,
) -> Result<Vec<(User, Vec<Membership>)>> {
    services
        .store
        .read(move |tx| {
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

/// What came of disabling somebody.
pub enum Disabled {
    Done(User),
    /// Nothing: nobody else could administer these.
    LastAdminOf(Vec<Organization>),
    NobodyHasTheAddress,
}

/// Disables an account and ends all its sessions.
///
/// The last admin of an organization is except unless the operator insists, as one must whose only admin was
/// taken over.
pub async fn disable_user(
    services: &Services,
    context: &RequestContext,
    email: &Email,
    even_the_last_admin: bool,
) -> Result<Disabled> {
    let now = services.now();
    let email = email.clone();
    let entry = services.audit(context, now, Action::UserDisabled, Outcome::Ok);
    let (disabled, changes) = services
        .store
        .write(move |tx| {
            let Some(account) = users::find_account_by_email(tx, &email)? else {
                return Ok((Disabled::NobodyHasTheAddress, None));
            };
            let user_id = account.user.id;
            if !even_the_last_admin && account.user.disabled_at.is_none() {
                let left = left_without_admin(tx, user_id)?;
                if !left.is_empty() {
                    return Ok((Disabled::LastAdminOf(left), None));
                }
            }
            users::disable(tx, user_id, now)?;
            let min_token_version = users::raise_token_version(tx, user_id, now)?;
            sessions::revoke_all(tx, user_id, None, now)?;
            api_tokens::revoke_all_of(tx, user_id, now)?;
            audit::insert(
                tx,
                &AuditEntry {
                    subject_id: Some(user_id),
                    ..entry
                },
            )?;
            let changes = [Change::TokensRevoked {
                user_id,
                min_token_version,
            }];
            record_changes(tx, &changes, now)?;
            let user = users::find(tx, user_id)?.unwrap_or(account.user);
            Ok::<_, Error>((Disabled::Done(user), Some(changes)))
        })
        .await?;
    if let Some(changes) = changes {
        services
            .revocations
            .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    }
    Ok(disabled)
}

/// The organizations that nobody but `losing` administers.
fn left_without_admin(tx: &mut Tx<'_>, losing: UserId) -> Result<Vec<Organization>> {
    let mut left = Vec::new();
    for membership in memberships::list_of_user(tx, losing)? {
        let id = membership.organization_id;
        match keep_an_admin(tx, id, losing) {
            Ok(()) => {}
            Err(Error::LastAdmin) => left.extend(organizations::find(tx, id)?),
            Err(error) => return Err(error),
        }
    }
    Ok(left)
}

/// Forgets the wrong passwords that keep an account from signing in; `None` when no account has the address.
pub async fn unlock_user(
    services: &Services,
    context: &RequestContext,
    email: &Email,
) -> Result<Option<User>> {
    let now = services.now();
    let name = services.account_name(email.as_str());
    let email = email.clone();
    let entry = services.audit(context, now, Action::AccountUnlocked, Outcome::Ok);
    services
        .store
        .write(move |tx| {
            let Some(account) = users::find_account_by_email(tx, &email)? else {
                return Ok(None);
            };
            limits::forgive(tx, &name)?;
            audit::insert(
                tx,
                &AuditEntry {
                    subject_id: Some(account.user.id),
                    ..entry
                },
            )?;
            Ok(Some(account.user))
        })
        .await
}
