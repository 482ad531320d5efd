//! Registration that founds an organization.

use chrono::{DateTime, Utc};

use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::names::GivenOrFamilyName;
use crate::domain::{
    AllowedDomains, Email, JoinPolicy, Membership, Organization, OrganizationId, OrganizationName,
    PersonName, Role, Slug, User, UserId,
};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::{Tx, audit, memberships, organizations, users};

pub struct RegisterOrganization<'a> {
    pub organization_name: OrganizationName,
    pub first_name: GivenOrFamilyName,
    pub last_name: GivenOrFamilyName,
    pub email: Email,
    pub password: &'a str,
}

pub struct RegisteredOrganization {
    pub user: User,
    pub organization: Organization,
}

/// Organization, user, the membership that makes the founder `admin` and the letter that asks to prove the
/// address, in one transaction.
///
/// # Errors
/// `Invalid`, `EmailTaken`.
pub async fn register_organization(
    services: &Services,
    context: &RequestContext,
    found: RegisterOrganization<'_>,
) -> Result<RegisteredOrganization> {
    let user_inputs = [
        found.email.as_str(),
        found.email.local_part(),
        found.first_name.as_str(),
        found.last_name.as_str(),
        found.organization_name.as_str(),
    ];
    let password = services
        .passwords
        .read_new("password", found.password, &user_inputs)
        .await?;
    let email = found.email.clone();
    // Hashing is dear, so whoever can be refused without it is.
    services
        .store
        .read(move |tx| match users::find_account_by_email(tx, &email)? {
            None => Ok(()),
            Some(_) => Err(Error::EmailTaken),
        })
        .await?;
    let password_hash = services.passwords.hash(password).await?;

    let now = services.now();
    let email = found.email;
    let user = User {
        id: UserId::new(now, services.random()),
        email: Some(email.clone()),
        name: PersonName::join(&found.first_name, &found.last_name),
        token_version: 0,
        disabled_at: None,
        created_at: now,
    };
    let verification = services.verification(now, &user, &email);
    let organization_id = OrganizationId::new(now, services.random());
    let join_policy = services.default_join_policy;
    let entry = AuditEntry {
        actor_id: Some(user.id),
        subject_id: Some(user.id),
        organization_id: Some(organization_id),
        ..services.audit(context, now, Action::OrganizationFounded, Outcome::Ok)
    };
    let names = (found.first_name, found.last_name);
    let organization_name = found.organization_name;
    services
        .store
        .write(move |tx| {
            users::insert(
                tx,
                &user,
                Some((&names.0, &names.1)),
                Some(password_hash.as_str()),
            )
            .map_err(Error::taken_email)?;
            let organization =
                insert_organization(tx, organization_id, organization_name, join_policy, now)?;
            let membership = Membership {
                user_id: user.id,
                organization_id,
                role: Role::Admin,
                manager_id: None,
            };
            memberships::insert(tx, &membership, now)?;
            verification.send(tx, now)?;
            audit::insert(tx, &entry)?;
            Ok(RegisteredOrganization { user, organization })
        })
        .await
}

/// Inserts an organization under the first slug of its name that is free.
pub(in crate::service) fn insert_organization(
    tx: &mut Tx<'_>,
    id: OrganizationId,
    name: OrganizationName,
    join_policy: JoinPolicy,
    now: DateTime<Utc>,
) -> Result<Organization> {
    let suggested = Slug::suggested_by(&name);
    let mut organization = Organization {
        id,
        slug: suggested.clone(),
        name,
        join_policy,
        allowed_domains: AllowedDomains::default(),
        require_mfa: false,
        created_at: now,
    };
    // Counting first keeps the thousandth namesake from trying a thousand slugs.
    let mut choice = organizations::count_slugs_like(tx, &suggested)? + 1;
    loop {
        organization.slug = suggested.choice(choice);
        if organizations::insert_if_slug_is_free(tx, &organization)? {
            return Ok(organization);
        }
        choice += 1;
    }
}
