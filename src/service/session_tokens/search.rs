//! Searches the users whom the caller may see, sorted by name.

use crate::domain::Scope;
use crate::service::people::Person;
use crate::service::{MemberCaller, Result, Services};
use crate::store::people::{self, Part};

pub struct Search {
    /// Part of a name or an address; finds all users if missing.
    pub text: Option<String>,
    /// How many to skip.
    pub from: u32,
    pub size: u32,
}

pub struct FoundPeople {
    /// The total number of matches.
    pub total: i64,
    /// By name.
    pub people: Vec<Person>,
}

/// As [`list_people`](crate::service::list_people), in another order.
pub async fn search(
    services: &Services,
    caller: &MemberCaller,
    search: Search,
) -> Result<FoundPeople> {
    let Search { text, from, size } = search;
    let part = Part::ByName { from, size };
    services
        .search_as(caller, move |tx, actor| {
            let scope = Scope::of(actor.role(), actor.id());
            let (organization_id, text) = (actor.organization_id(), text.as_deref());
            let total = people::count(tx, organization_id, scope, text)?;
            let people = people::search(tx, organization_id, scope, text, part)?;
            Ok(FoundPeople {
                total,
                people: people.into_iter().map(Person::from).collect(),
            })
        })
        .await
}
