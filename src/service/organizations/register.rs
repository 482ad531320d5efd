//! Registering an account together with a new organization.

use crate::domain::audit::{Action, Method};
use crate::domain::names::GivenOrFamilyName;
use crate::domain::{
    AllowedDomains, Email, JoinPolicy, LifetimeRule, Membership, Organization, OrganizationId,
    OrganizationName, OwnWords, PersonName, Role, SelfService, Slug, User,
};
use crate::service::accounts::verify_email::send_verification;
use crate::service::limits::{Whose, permit_hashing};
use crate::service::mail::gate;
use crate::service::organizations::change_slug::must_not_be_reserved;
use crate::service::unit_of_work::{UnitOfWork, recent_rows};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::{memberships, organizations, users};

pub struct RegisterOrganization<'a> {
    pub organization_name: OrganizationName,
    pub name: PersonName,
    /// As they were given, if they were given separately.
    pub first_name: Option<GivenOrFamilyName>,
    pub last_name: Option<GivenOrFamilyName>,
    pub email: Email,
    pub password: &'a str,
}

pub struct RegisteredOrganization {
    pub user: User,
    pub organization: Organization,
}

/// Inserts the organization, the user, their membership as `admin` and the verification e-mail in one transaction.
///
/// # Errors
/// `Invalid`, `EmailTaken`; `RegistrationClosed`, `OrganizationCreationClosed` unless strangers may do both.
pub async fn register_organization(
    services: &Services,
    context: &RequestContext,
    found: RegisterOrganization<'_>,
) -> Result<RegisteredOrganization> {
    // The address is not verified, so it counts for nothing.
    if !services.self_service.lets_register(None) {
        return Err(Error::RegistrationClosed);
    }
    may_create_organization(&services.self_service, None)?;
    let slug = Slug::suggested_by(&found.organization_name);
    let names = [found.name.as_str(), found.organization_name.as_str()];
    let names = names.into_iter().chain(slug.as_ref().map(Slug::as_str));
    let own = OwnWords::new(Some(&found.email), names);
    let permit = permit_hashing(services, context, Whose::Typed(found.email.clone())).await?;
    let password = services
        .passwords
        .read_new(&permit, "password", found.password, own)
        .await?;
    let email = found.email.clone();
    // Hashing is expensive, so refuse before hashing where we can.
    services
        .store
        .read(context, move |tx| {
            match users::find_account_by_email(tx, &email)? {
                None => Ok(()),
                Some(_) => Err(Error::EmailTaken),
            }
        })
        .await?;
    let password_hash = services.passwords.hash(&permit, password).await?;

    let join_policy = services.default_join_policy;
    services
        .write(context, move |unit| {
            let now = unit.now;
            let user = User::new(now, unit.random(), Some(found.email.clone()), found.name);
            let names = (found.first_name.as_ref(), found.last_name.as_ref());
            let suggested = slug_for(&found.organization_name);
            unit.tx
                .ahead(|tx| organizations::count_slugs_like(tx, &suggested));
            let created = users::insert(unit.tx, &user, Some(names), Some(password_hash.as_str()))
                .map_err(Error::taken_email)?;
            unit.announce(created);
            let organization = insert_organization(unit, found.organization_name, join_policy)?;
            let membership = Membership {
                user_id: user.id,
                organization_id: organization.id,
                role: Role::Admin,
                manager_id: None,
            };
            unit.tx.ahead(|tx| recent_rows(tx, user.id, now));
            gate::ask_for_registration(unit, &found.email, None)?;
            let added = memberships::insert(unit.tx, &membership, now)?;
            unit.announce(added);
            send_verification(unit, &user, &found.email, None)?;
            let event = unit.event(Action::OrganizationFounded).own(user.id);
            let event = event.within(organization.id).by(Method::Registration);
            unit.finish(event, RegisteredOrganization { user, organization })
        })
        .await
}

/// Inserts an organization with the first free slug for its name.
pub(in crate::service) fn insert_organization(
    unit: &mut UnitOfWork<'_, '_>,
    name: OrganizationName,
    join_policy: JoinPolicy,
) -> Result<Organization> {
    let suggested = slug_for(&name);
    let mut organization = new_organization(unit, name, suggested.clone(), join_policy);
    // Counting first, so that the thousandth organization of a name does not try a thousand slugs.
    let mut choice = organizations::count_slugs_like(unit.tx, &suggested)? + 1;
    loop {
        organization.slug = suggested.choice(choice);
        if !unit.reserved_slugs.contain(&organization.slug)
            && organizations::insert_if_slug_is_free(unit.tx, &organization)?
        {
            return Ok(organization);
        }
        choice += 1;
    }
}

/// The slug that is tried first.
fn slug_for(name: &OrganizationName) -> Slug {
    Slug::suggested_by(name).unwrap_or_else(Slug::nameless)
}

/// Inserts an organization with a chosen slug.
///
/// # Errors
/// `Invalid` for a reserved slug; `SlugTaken`.
pub(in crate::service) fn insert_with_slug(
    unit: &mut UnitOfWork<'_, '_>,
    name: OrganizationName,
    slug: Slug,
    join_policy: JoinPolicy,
) -> Result<Organization> {
    must_not_be_reserved(unit, &slug)?;
    let organization = new_organization(unit, name, slug, join_policy);
    if !organizations::insert_if_slug_is_free(unit.tx, &organization)? {
        return Err(Error::SlugTaken);
    }
    Ok(organization)
}

fn new_organization(
    unit: &mut UnitOfWork<'_, '_>,
    name: OrganizationName,
    slug: Slug,
    join_policy: JoinPolicy,
) -> Organization {
    Organization {
        id: OrganizationId::new(unit.now, unit.random()),
        slug,
        name,
        join_policy,
        allowed_domains: AllowedDomains::default(),
        require_mfa: false,
        lifetimes: LifetimeRule::default(),
        created_at: unit.now,
    }
}

/// Requires that someone may create an organization. `verified` is their address if it is verified.
///
/// # Errors
/// `OrganizationCreationClosed`.
pub(in crate::service) fn may_create_organization(
    rules: &SelfService,
    verified: Option<&Email>,
) -> Result<()> {
    if rules.lets_create_organization(verified) {
        return Ok(());
    }
    Err(Error::OrganizationCreationClosed {
        by_domain: rules.organization_creation == JoinPolicy::Domain,
    })
}
