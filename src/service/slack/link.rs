//! Attaching an identity at Slack to somebody who is signed in.

use crate::service::slack::begin::{Begin, Begun, begin_for};
use crate::service::slack::state::Kind;
use crate::service::{Caller, Result, Services};

/// Whoever comes back from Slack gets attached to the caller. A link that a stranger could be led through
/// would put the stranger's workspace into the caller's hands, so it is bound to the caller's browser, or
/// to the verifier that the caller keeps.
///
/// # Errors
/// As [`begin`](crate::service::slack::begin::begin); `Forbidden` for a service.
pub fn link(services: &Services, caller: &Caller, begin: &Begin<'_>) -> Result<Begun> {
    let kind = Kind::Link {
        user_id: caller.profile.id,
        session_id: caller.session_id()?,
    };
    begin_for(services, begin, kind)
}
