//! Users change their own name.

use crate::domain::audit::Action;
use crate::domain::{Change, PersonName};
use crate::service::{Caller, Profile, Result, Services};
use crate::store::users;

/// The same name again changes nothing and is not recorded.
///
/// # Errors
/// `Forbidden` for a service.
pub async fn update_profile(
    services: &Services,
    caller: &Caller,
    name: PersonName,
) -> Result<Profile> {
    caller.session_id()?;
    services
        .write_as(caller, move |unit, actor| {
            let user_id = actor.id();
            if actor.user().name == name {
                return unit.unrecorded(actor.profile());
            }
            let renamed = users::set_name(unit.tx, user_id, &name, unit.now)?;
            unit.announce(renamed);
            unit.changed(Change::PersonChanged { user_id });
            let profile = Profile {
                name,
                ..actor.profile()
            };
            let event = unit.event(Action::ProfileUpdated);
            unit.finish(event, profile)
        })
        .await
}
