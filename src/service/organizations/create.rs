//! Creates an organization for a user who is signed in.

use std::sync::Arc;

use crate::domain::audit::Action;
use crate::domain::{
    AddressBlock, Change, Membership, Organization, OrganizationName, Role, Slug, Violation,
};
use crate::service::limits::{Group, Key, draw_as};
use crate::service::organizations::register::{
    insert_organization, insert_with_slug, may_create_organization,
};
use crate::service::organizations::switch::must_not_exceed_limit;
use crate::service::{Caller, Result, Services};
use crate::store::{memberships, users};

pub struct CreateOrganization {
    pub name: OrganizationName,
    /// The one that the name suggests if missing.
    pub slug: Option<Slug>,
}

/// The caller becomes its admin; their session stays in the organization that it is in.
///
/// # Errors
/// `Forbidden` for a service; `OrganizationCreationClosed`; `Invalid` for a reserved slug, and without one for a name
/// that suggests none; `SlugTaken`; `TooManyOrganizations`; `TooManyRequests` by address and by account, as for a registration.
pub async fn create_organization(
    services: &Services,
    caller: &Caller,
    create: CreateOrganization,
) -> Result<Organization> {
    caller.session_id()?;
    if create.slug.is_none() && Slug::suggested_by(&create.name).is_none() {
        let why =
            "This name has no spelling in Latin letters. Please choose a slug, such as acme-works.";
        return Err(Violation::new("slug", "required", why).into());
    }
    let address = Key::Address(caller.address().map(AddressBlock::from));
    draw_as(services, caller, Group::Register, address).await?;
    let account = Key::Account(caller.profile.id);
    draw_as(services, caller, Group::Register, account).await?;
    let (join_policy, rules) = (
        services.default_join_policy,
        Arc::clone(&services.self_service),
    );
    services
        .write_as(caller, move |unit, actor| {
            actor.session()?;
            let user_id = actor.id();
            let verified = users::find_verified_email(unit.tx, user_id)?;
            may_create_organization(&rules, verified.as_ref())?;
            let organization = match create.slug {
                Some(slug) => insert_with_slug(unit, create.name, slug, join_policy)?,
                None => insert_organization(unit, create.name, join_policy)?,
            };
            let membership = Membership {
                user_id,
                organization_id: organization.id,
                role: Role::Admin,
                manager_id: None,
            };
            let added = memberships::insert(unit.tx, &membership, unit.now)?;
            unit.announce(added);
            must_not_exceed_limit(unit.tx, user_id)?;
            unit.changed(Change::PersonChanged { user_id });
            let event = unit.event(Action::OrganizationFounded);
            unit.finish(event.within(organization.id), organization)
        })
        .await
}
