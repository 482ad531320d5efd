//! Organizations, created, listed and changed by the operator.

use crate::domain::audit::Action;
use crate::domain::{JoinPolicy, Organization, OrganizationId, OrganizationName, Slug};
use crate::service::organizations::delete::{BATCH, delete_step, must_be_named};
use crate::service::organizations::register::insert_organization;
use crate::service::organizations::update::change_organization;
use crate::service::{Database, Error, RequestContext, Result, Services, UpdateOrganization};
use crate::store::{Requester, StoreError, memberships, organizations, users};

/// # Errors
/// When the database fails.
pub async fn create_organization(
    services: &Services,
    context: &RequestContext,
    name: OrganizationName,
) -> Result<Organization> {
    let join_policy = services.default_join_policy;
    services
        .operate(context, move |unit| {
            let organization = insert_organization(unit, name, join_policy)?;
            let event = unit.event(Action::OrganizationFounded);
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

/// The organization with this slug, former slug or id.
///
/// # Errors
/// `OrganizationNotFound`.
pub async fn find_organization(services: &Services, slug_or_id: &str) -> Result<Organization> {
    let slug = Slug::typed(slug_or_id);
    services
        .store
        .read(Requester::OPERATOR, move |tx| {
            let by_id = match slug.as_str().parse::<OrganizationId>() {
                Ok(id) => organizations::find(tx, id)?,
                Err(_) => None,
            };
            let found = match by_id {
                None => organizations::find_by_slug(tx, &slug)?,
                found => found,
            };
            found.ok_or(Error::OrganizationNotFound)
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

/// Deletes an organization with all that belongs to it. Its members keep their accounts.
///
/// # Errors
/// `OrganizationNotFound`; `Invalid` unless `name` is its name.
pub async fn delete_organization(
    services: &Services,
    context: &RequestContext,
    id: OrganizationId,
    name: OrganizationName,
) -> Result<()> {
    loop {
        let name = name.clone();
        let members = services
            .store
            .read(Requester::OPERATOR, move |tx| {
                memberships::list_some(tx, id, None, BATCH)
            })
            .await?;
        let step = services
            .operate(context, move |unit| {
                organizations::lock(unit.tx, id)?.ok_or(Error::OrganizationNotFound)?;
                must_be_named(unit, id, &name)?;
                users::lock_accounts(unit.tx, &members)?;
                let is_deleted = delete_step(unit, id, &members, None)?;
                unit.recorded(is_deleted)
            })
            .await;
        match step {
            Ok(true) => return Ok(()),
            // Somebody joined before the organization was closed.
            Ok(false) | Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Changes an organization's rules. A second factor may be required even if no admin has one: they enrol at their next
/// sign-in.
///
/// # Errors
/// `OrganizationNotFound`.
pub async fn set_policy(
    services: &Services,
    context: &RequestContext,
    id: OrganizationId,
    update: UpdateOrganization,
) -> Result<Organization> {
    loop {
        let update = update.clone();
        let updated = services
            .operate(context, move |unit| {
                unit.within(id);
                let was = organizations::lock(unit.tx, id)?.ok_or(Error::OrganizationNotFound)?;
                change_organization(unit, &was, update)
            })
            .await?;
        if let Some(updated) = updated {
            return Ok(updated);
        }
    }
}
