//! Users, created, found and listed by the operator.

use std::collections::HashMap;

use crate::domain::audit::Action;
use crate::domain::{Email, Membership, OrganizationId, OwnWords, PersonName, Role, User, UserId};
use crate::service::limits::{Whose, permit_hashing};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::{Requester, memberships, organizations, users};

/// What names a user. Users who sign in with Slack may have no address.
#[derive(Debug, Clone)]
pub enum Identifier {
    Id(UserId),
    Email(Email),
}

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
/// `UserNotFound`.
pub async fn find_user(services: &Services, identifier: Identifier) -> Result<User> {
    services
        .store
        .read(Requester::OPERATOR, move |tx| {
            let user = match identifier {
                Identifier::Id(id) => users::find(tx, id)?,
                Identifier::Email(email) => {
                    users::find_account_by_email(tx, &email)?.map(|account| account.user)
                }
            };
            user.ok_or(Error::UserNotFound)
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
        .read(Requester::OPERATOR, move |tx| {
            organizations::find(tx, organization_id)
        })
        .await?;
    let own = OwnWords::new(Some(&create.email), [create.name.as_str()]).with(&organization);
    let password = services
        .passwords
        .read_new(&permit, "password", create.password, own)
        .await?;
    let password_hash = services.passwords.hash(&permit, password).await?;

    services
        .operate(context, move |unit| {
            organizations::lock(unit.tx, organization_id)?.ok_or(Error::OrganizationNotFound)?;
            let now = unit.now;
            let user = User::new(now, unit.random(), Some(create.email), create.name);
            let created = users::insert(unit.tx, &user, None, Some(password_hash.as_str()))
                .map_err(Error::taken_email)?;
            unit.announce(created);
            let verified = users::mark_email_verified(unit.tx, user.id, now)?;
            unit.announce(verified);
            let membership = Membership {
                user_id: user.id,
                organization_id,
                role: create.role,
                manager_id: create.manager_id,
            };
            let added = memberships::insert(unit.tx, &membership, now)?;
            unit.announce(added);
            let event = unit.event(Action::UserCreated).about(user.id);
            unit.finish(event.within(organization_id), user)
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
            let places: HashMap<UserId, usize> = people
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
