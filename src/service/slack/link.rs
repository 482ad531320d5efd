//! Attaching an identity at Slack to somebody who is signed in.

use crate::service::slack::begin::{Begin, Begun, begin_for};
use crate::service::slack::state::Kind;
use crate::service::{Caller, Result, Services};

/// The identity of whoever comes back from Slack is linked to the caller. If an attacker could lead the caller through
/// a link, the attacker's workspace would become theirs; so it is bound to the caller's browser, or
/// to the verifier that the caller keeps.
///
/// # Errors
/// As [`begin`](crate::service::slack::begin::begin); `Forbidden` for a service.
pub async fn link(services: &Services, caller: &Caller, begin: &Begin<'_>) -> Result<Begun> {
    caller.session_id()?;
    let kind = services
        .read_as(caller, |_, actor| {
            Ok(Kind::Link {
                user_id: actor.id(),
                session_id: actor.session_id()?,
            })
        })
        .await?;
    begin_for(services, begin, kind)
}
