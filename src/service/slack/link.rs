//! Links an identity at Slack to a signed-in user.

use crate::service::slack::begin::{Begin, Begun, begin_for};
use crate::service::slack::state::Kind;
use crate::service::{Caller, Result, Services};

/// Begins linking the identity that signs in at Slack to the caller. Otherwise an attacker could make the caller link
/// the attacker's identity, so this is bound to the caller's browser, or to a verifier that only the caller has.
///
/// # Errors
/// As [`begin`](crate::service::slack::begin::begin); `Forbidden` for a service; `ReauthenticationRequired`.
pub async fn link(services: &Services, caller: &Caller, begin: &Begin<'_>) -> Result<Begun> {
    caller.session_id()?;
    let now = services.now();
    let kind = services
        .read_as(caller, move |_, actor| {
            actor.must_be_fresh(now)?;
            Ok(Kind::Link {
                user_id: actor.id(),
                session_id: actor.session_id()?,
            })
        })
        .await?;
    begin_for(services, begin, kind)
}
