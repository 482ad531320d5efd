//! Whom the caller may see.

use crate::domain::page::{Page, PageRequest};
use crate::domain::{Scope, UserId};
use crate::service::people::Person;
use crate::service::{Caller, Error, Result, Services};
use crate::store::people::{self, Listed};

/// Everybody in the caller's scope, oldest account first; with `text`, those whose name or address holds it.
pub async fn list_people(
    services: &Services,
    caller: &Caller,
    text: Option<String>,
    request: PageRequest<UserId>,
) -> Result<Page<Person, UserId>> {
    let (me, organization_id) = (caller.profile.id, caller.profile.organization_id);
    let listed = match Scope::of(caller.profile.role) {
        Scope::Oneself => Listed::One(me),
        Scope::Reports => Listed::Below(me),
        Scope::Organization => Listed::Everybody,
    };
    let rows = services
        .store
        .read(move |tx| {
            people::page(tx, organization_id, listed, text.as_deref(), &request)
                .map_err(Error::from)
        })
        .await?;
    let people = rows.into_iter().map(Person::from).collect();
    Ok(Page::of(people, &request, |person: &Person| person.user.id))
}
