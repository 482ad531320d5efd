//! The people of `hallpass dev`: one organization with everybody needed to try the roles.

use super::BuildError;
use crate::domain::violation::ValidationError;
use crate::domain::{Email, OrganizationId, OrganizationName, PersonName, Role, User, UserId};
use crate::service::operations::operator::{
    CreateUser, create_organization, create_user, list_organizations, list_users,
};
use crate::service::{Error, RequestContext, Services};

const PASSWORD: &str = "correct horse battery staple";

const ORGANIZATION: &str = "Analytical Engines";

/// Name, address, role, and who they report to. The admin first; a manager before their reports.
const PEOPLE: [(&str, &str, Role, Option<&str>); 4] = [
    ("Ada Lovelace", "ada@example.com", Role::Admin, None),
    (
        "Grace Hopper",
        "grace@example.com",
        Role::Manager,
        Some("ada@example.com"),
    ),
    (
        "Alan Turing",
        "alan@example.com",
        Role::Employee,
        Some("grace@example.com"),
    ),
    (
        "Emmy Noether",
        "emmy@example.com",
        Role::Employee,
        Some("ada@example.com"),
    ),
];

/// Whom the database holds after seeding.
#[derive(Debug, Clone)]
pub struct Seeded {
    pub organization_id: OrganizationId,
    pub organization_name: OrganizationName,
    /// The admin first.
    pub people: Vec<SeededPerson>,
    /// Everybody's.
    pub password: &'static str,
}

#[derive(Debug, Clone)]
pub struct SeededPerson {
    pub name: PersonName,
    pub email: Email,
    pub role: Role,
    pub reports_to: Option<Email>,
}

/// Creates whoever is missing; a second call finds everybody there.
///
/// # Errors
/// `NotASeededDatabase` for a database with organizations, none of them the seeded one.
pub async fn seed(services: &Services) -> Result<Seeded, BuildError> {
    let context = RequestContext::command_line(services);
    let organization_name = OrganizationName::parse(ORGANIZATION).map_err(refused)?;
    let organizations = list_organizations(services).await?;
    let seeded = organizations
        .iter()
        .find(|organization| organization.name == organization_name);
    let organization_id = match seeded {
        Some(organization) => organization.id,
        None if organizations.is_empty() => {
            create_organization(services, &context, organization_name.clone())
                .await?
                .id
        }
        None => return Err(BuildError::NotASeededDatabase),
    };
    let mut there: Vec<User> = list_users(services, Some(organization_id))
        .await?
        .into_iter()
        .map(|(user, _)| user)
        .collect();
    let mut people = Vec::new();
    for (name, email, role, reports_to) in PEOPLE {
        let person = SeededPerson {
            name: PersonName::parse(name).map_err(refused)?,
            email: Email::parse(email).map_err(refused)?,
            role,
            reports_to: reports_to.map(Email::parse).transpose().map_err(refused)?,
        };
        if find(&there, &person.email).is_none() {
            let user = CreateUser {
                email: person.email.clone(),
                password: PASSWORD,
                name: person.name.clone(),
                organization_id,
                role,
                manager_id: person.reports_to.as_ref().and_then(|it| find(&there, it)),
            };
            there.push(create_user(services, &context, user).await?);
        }
        people.push(person);
    }
    Ok(Seeded {
        organization_id,
        organization_name,
        people,
        password: PASSWORD,
    })
}

fn find(there: &[User], email: &Email) -> Option<UserId> {
    there
        .iter()
        .find(|user| user.email.as_ref() == Some(email))
        .map(|user| user.id)
}

fn refused(refusal: ValidationError) -> Error {
    refusal.of("seed").into()
}
