//! What the operator does for somebody who has lost their authenticator and their recovery codes.

use crate::domain::audit::{Action, Method};
use crate::domain::{Email, User};
use crate::service::mfa::after_change::send_notice;
use crate::service::{Error, RequestContext, Result, Services, one_time};
use crate::store::{recovery_codes, sessions, totp, users};

/// Takes the authenticator and the recovery codes away, and ends every session; `None` when no account has the
/// address. The operator must have made sure that the person is who they say.
///
/// # Errors
/// `MfaNotEnrolled`.
pub async fn reset(
    services: &Services,
    context: &RequestContext,
    email: &Email,
) -> Result<Option<User>> {
    let email = email.clone();
    services
        .write(context, move |unit| {
            let Some(account) = users::lock_account_by_email(unit.tx, &email)? else {
                return unit.unrecorded(None);
            };
            let user = account.user;
            if !totp::is_enrolled(unit.tx, user.id)? {
                return Err(Error::MfaNotEnrolled);
            }
            totp::delete(unit.tx, user.id)?;
            recovery_codes::delete(unit.tx, user.id)?;
            one_time::revoke_after_credential_change(unit.tx, user.id)?;
            unit.revoke_tokens(user.id)?;
            sessions::revoke_all(unit.tx, user.id, None, unit.now)?;
            send_notice(unit, &user, false)?;
            let event = unit.event(Action::MfaDisabled).by(Method::Operator);
            unit.finish(event.about(user.id), Some(user))
        })
        .await
}
