//! The example data of `hallpass dev`: an organization with users of every role.

use super::BuildError;
use crate::domain::violation::ValidationError;
use crate::domain::{Email, OrganizationId, OrganizationName, PersonName, Role, User, UserId};
use crate::service::operations::operator::{
    CreateUser, create_organization, create_user, list_organizations, list_users,
};
use crate::service::{Error, RequestContext, Services};

const PASSWORD: &str = "correct horse battery staple";

const ORGANIZATION: &str = "Analytical Engines";

/// Name, address, role and manager. The admin comes first, and managers before their reports.
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

/// The example data in the database after seeding.
#[derive(Debug, Clone)]
pub struct Seeded {
    pub organization_id: OrganizationId,
    pub organization_name: OrganizationName,
    /// The admin first.
    pub people: Vec<SeededPerson>,
    /// The password of all users.
    pub password: &'static str,
}

#[derive(Debug, Clone)]
pub struct SeededPerson {
    pub name: PersonName,
    pub email: Email,
    pub role: Role,
    pub reports_to: Option<Email>,
}

/// Creates the missing users; a second call changes nothing.
///
/// # Errors
/// `NotASeededDatabase` if the database has organizations, but not the example one.
pub async fn seed(services: &Services) -> Result<Seeded, BuildError> {
    let context = RequestContext::command_line(services);
    let organization_name = OrganizationName::parse(ORGANIZATION).map_err(invalid)?;
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
    let mut existing: Vec<User> = list_users(services, Some(organization_id))
        .await?
        .into_iter()
        .map(|(user, _)| user)
        .collect();
    let mut people = Vec::new();
    for (name, email, role, reports_to) in PEOPLE {
        let person = SeededPerson {
            name: PersonName::parse(name).map_err(invalid)?,
            email: Email::parse(email).map_err(invalid)?,
            role,
            reports_to: reports_to.map(Email::parse).transpose().map_err(invalid)?,
        };
        if find(&existing, &person.email).is_none() {
            let user = CreateUser {
                email: person.email.clone(),
                password: PASSWORD,
                name: person.name.clone(),
                organization_id,
                role,
                manager_id: person
                    .reports_to
                    .as_ref()
                    .and_then(|it| find(&existing, it)),
            };
            existing.push(create_user(services, &context, user).await?);
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

fn find(users: &[User], email: &Email) -> Option<UserId> {
    users
        .iter()
        .find(|user| user.email.as_ref() == Some(email))
        .map(|user| user.id)
}

fn invalid(error: ValidationError) -> Error {
    error.of("seed").into()
}
