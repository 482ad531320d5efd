//! Ends a session with the link in the e-mail about it.

use serde::{Deserialize, Serialize};

use crate::crypto::opaque::Opaque;
use crate::domain::audit::{Action, Method};
use crate::domain::{SessionId, UserId, lifetimes};
use crate::service::api_tokens::end_with_sessions::end_made_by;
use crate::service::sign_in::known_devices::forget_device;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, RequestContext, Result, Services, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::sessions;

/// The stored form of the link.
#[derive(Serialize, Deserialize)]
struct EndableSession {
    user_id: UserId,
    session_id: SessionId,
}

/// Stores a secret whose holder can end the session.
pub(in crate::service) fn store_link(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    session_id: SessionId,
) -> Result<Opaque> {
    let link = EndableSession {
        user_id,
        session_id,
    };
    let secret = unit.secret();
    let expires_at = unit.now + lifetimes::END_SESSION_LINK;
    let purpose = Purpose::EndSession;
    one_time::issue(unit.tx, &secret, purpose, Some(user_id), &link, expires_at)?;
    Ok(secret)
}

/// Ends only this session, and the API tokens that it made, and forgets its device. If it has already ended, that is
/// not an error.
///
/// # Errors
/// `InvalidOrExpiredToken`.
pub async fn end_session_by_link(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<()> {
    let token = token.to_owned();
    services
        .write(context, move |unit| {
            let now = unit.now;
            let EndableSession {
                user_id,
                session_id,
            } = one_time::redeem(unit.tx, &token, Purpose::EndSession, now)?
                .ok_or(Error::InvalidOrExpiredToken)?;
            let session = sessions::find(unit.tx, session_id)?;
            if let Some(session) = &session {
                forget_device(unit.tx, session)?;
            }
            if !sessions::revoke(unit.tx, user_id, session_id, now)? {
                return unit.unrecorded(());
            }
            end_made_by(unit, user_id, session_id)?;
            unit.sessions_ended(user_id, [session_id]);
            let organization_id = session.and_then(|session| session.organization_id);
            let event = unit.event(Action::SessionEnded).about(user_id);
            unit.finish(event.within(organization_id).by(Method::EmailLink), ())
        })
        .await
}
