//! Lists the users whom the caller may see.

use crate::domain::page::{Page, PageRequest};
use crate::domain::{Scope, UserId};
use crate::service::people::{Person, complete};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::people::{self, Part};

/// The users in the caller's scope, oldest account first; with `text`, those whose name or address contains it.
pub async fn list_people(
    services: &Services,
    caller: &MemberCaller,
    text: Option<String>,
    request: PageRequest<UserId>,
) -> Result<Page<Person, UserId>> {
    let profile = &caller.profile;
    let scope = Scope::of(caller.organization.role, profile.id);
    let organization_id = caller.organization.id;
    let part = Part::ById(request);
    let (judged, locks, now) = (caller.clone(), services.locks(), services.now());
    let people = services
        .store
        .search(caller, move |tx| {
            let rows = people::search(tx, organization_id, scope, text.as_deref(), part)?;
            let mut people: Vec<Person> = rows.into_iter().map(Person::from).collect();
            complete(tx, &judged, &mut people, &locks, now)?;
            Ok::<_, Error>(people)
        })
        .await?;
    Ok(Page::of(people, &request, |person: &Person| person.user.id))
}
