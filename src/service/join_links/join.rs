//! Joins an organization by a link.

use serde_json::json;

use crate::domain::audit::Action;
use crate::service::join_links::open_link::OpenLink;
use crate::service::organizations::switch::{join_and_switch, return_to};
use crate::service::{Caller, Error, Result, Services, SignIn};
use crate::store::{join_links, memberships};

/// Joins with the role of the link, whatever the join policy, except `closed`. The session switches to the
/// organization, or does so once the user has the second factor that it requires. For a member it only switches, and
/// uses nothing up.
///
/// # Errors
/// `InvalidOrExpiredToken`, also for a link that is used up; `OrganizationClosed`, `TooManyOrganizations`; `Forbidden`
/// for a service; `ReauthenticationRequired` where a second factor must be enrolled; `SessionTooOld`.
pub async fn join(services: &Services, caller: &Caller, token: &str) -> Result<SignIn> {
    caller.session_id()?;
    let token = token.to_owned();
    let switch = services
        .write_as(caller, move |unit, actor| {
            let OpenLink { link, organization } = OpenLink::lock(unit.tx, &token, unit.now)?;
            if let Some(membership) = memberships::lock(unit.tx, actor.id(), organization.id)? {
                return return_to(unit, actor, actor.user(), &membership);
            }
            if link.is_used_up() {
                return Err(Error::InvalidOrExpiredToken);
            }
            join_links::count_use(unit.tx, link.id)?;
            let event = unit.event(Action::MemberJoined);
            let event = event.detail(json!({"joinLink": link.id, "role": link.role.as_str()}));
            let place = (organization.id, link.role);
            join_and_switch(unit, actor, actor.user(), place, event)
        })
        .await?;
    Ok(switch.issue(services))
}
