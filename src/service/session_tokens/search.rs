//! Finding people among those the caller may see.

use crate::service::{Caller, Result, Services};
use crate::store::visible_people::{self, Viewer, VisiblePerson, Window};

pub struct Search {
    /// Words of a name or an address; everybody when empty.
    pub query: String,
    /// How many to leave out.
    pub from: u32,
    pub size: u32,
}

pub struct FoundPeople {
    /// How many there are in all.
    pub total: i64,
    /// By name.
    pub people: Vec<VisiblePerson>,
}

/// An employee sees themselves, a manager also those who report to them, directly or not, an admin the whole
/// organization.
pub async fn search(services: &Services, caller: &Caller, search: Search) -> Result<FoundPeople> {
    let viewer = Viewer {
        user_id: caller.profile.id,
        organization_id: caller.profile.organization_id,
        role: caller.profile.role,
    };
    let window = Window {
        from: search.from,
        size: search.size,
    };
    let (total, people) = services
        .store
        .read(move |tx| visible_people::search(tx, viewer, &search.query, window))
        .await?;
    Ok(FoundPeople { total, people })
}
