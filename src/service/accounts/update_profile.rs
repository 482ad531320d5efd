//! A person changes what is theirs to change.

use crate::domain::audit::Action;
use crate::domain::{Change, PersonName, lifetimes};
use crate::service::{Caller, Error, Profile, RequestContext, Result, Services, record_changes};
use crate::store::{audit, users};

pub async fn update_profile(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    name: PersonName,
) -> Result<Profile> {
    caller.session_id()?;
    let now = services.now();
    let user_id = caller.profile.id;
    let entry = services.audit_own(context, now, Action::ProfileUpdated, caller);
    let changes = [Change::PersonChanged { user_id }];
    let profile = Profile {
        name: name.clone(),
        ..caller.profile.clone()
    };
    services
        .store
        .write(move |tx| {
            users::set_name(tx, user_id, &name, now)?;
            audit::insert(tx, &entry)?;
            record_changes(tx, &changes, now)?;
            Ok::<_, Error>(())
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(profile)
}
