//! The people whom the caller may see, a numbered part of them by name.

use crate::domain::Scope;
use crate::service::people::Person;
use crate::service::{Caller, Result, Services};
use crate::store::StoreError;
use crate::store::people::{self, Part};

pub struct Search {
    /// Part of a name or an address; everybody when missing.
    pub text: Option<String>,
    /// How many to leave out.
    pub from: u32,
    pub size: u32,
}

pub struct FoundPeople {
    /// How many there are in all.
    pub total: i64,
    /// By name.
    pub people: Vec<Person>,
}

/// As [`list_people`](crate::service::list_people), in another order.
pub async fn search(services: &Services, caller: &Caller, search: Search) -> Result<FoundPeople> {
    let profile = &caller.profile;
    let scope = Scope::of(profile.role, profile.id);
    let organization_id = profile.organization_id;
    let Search { text, from, size } = search;
    let part = Part::ByName { from, size };
    let (total, people) = services
        .store
        .read(move |tx| {
            let text = text.as_deref();
            let total = people::count(tx, organization_id, scope, text)?;
            let people = people::search(tx, organization_id, scope, text, part)?;
            Ok::<_, StoreError>((total, people))
        })
        .await?;
    Ok(FoundPeople {
        total,
        people: people.into_iter().map(Person::from).collect(),
    })
}
