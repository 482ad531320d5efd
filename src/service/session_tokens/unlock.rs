//! Verifies the second factor of a locked session.

use crate::domain::audit::{Action, Method};
use crate::service::limits::remember_place;
use crate::service::mfa::check::CodeCheck;
use crate::service::session_tokens::LockedSession;
use crate::service::session_tokens::view::View;
use crate::service::sessions::end_many::end_excess;
use crate::service::sign_in::subject::Subject;
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::{session_tokens, sessions, users};

/// `code` is a code of the authenticator or a recovery code.
///
/// # Errors
/// `InvalidCode`; `TooManyAttempts` after five wrong codes in a row, no matter which client sent them; `MfaNotEnrolled`
/// for users without an authenticator; `TokenRevoked` if the session has ended, as it does after ten wrong codes.
pub async fn unlock(
    services: &Services,
    context: &RequestContext,
    session: LockedSession,
    code: &str,
) -> Result<View> {
    let check = CodeCheck::parse(code);
    services
        .write(context, move |unit| {
            let (user_id, organization_id) = (session.user_id, session.organization_id);
            let user = users::lock_enabled_account(unit.tx, user_id)?
                .ok_or(Error::TokenRevoked)?
                .user;
            let open = sessions::find(unit.tx, session.session_id)?.ok_or(Error::TokenRevoked)?;
            open.must_be_live(unit.now)
                .map_err(|_| Error::TokenRevoked)?;
            let event = unit.event(Action::Login).own(user_id);
            let event = event.within(organization_id).by(Method::SecondFactor);
            if let Err(refused) = check.run(unit, user_id, &event)? {
                return unit.refused(refused.into());
            }
            if !session_tokens::unlock(unit.tx, session.session_id, unit.now)? {
                return Err(Error::TokenRevoked);
            }
            end_excess(unit, user_id, None, 1)?;
            remember_place(unit, &user)?;
            let subject = Subject::of_session(unit.tx, user, &open)?;
            let view = View::of(unit.tx, subject.profile())?;
            unit.finish(event, view)
        })
        .await
}
