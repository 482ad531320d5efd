//! Removes the second factor of a user who has lost the authenticator and the recovery codes, for the operator.

use crate::domain::audit::Action;
use crate::domain::{User, UserId};
use crate::service::mfa::after_change::{MfaNotice, send_notice};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, RequestContext, Result, Services, one_time};
use crate::store::{recovery_codes, totp, users};

/// Deletes the authenticator and the recovery codes, and ends every session. The operator must have verified the
/// user's identity.
///
/// # Errors
/// `UserNotFound`, `MfaNotEnrolled`.
pub async fn reset(services: &Services, context: &RequestContext, user_id: UserId) -> Result<User> {
    services
        .operate(context, move |unit| {
            let account = users::lock_account(unit.tx, user_id)?.ok_or(Error::UserNotFound)?;
            let user = account.user;
            if !totp::is_enrolled(unit.tx, user.id)? {
                return Err(Error::MfaNotEnrolled);
            }
            remove_and_sign_out(unit, &user)?;
            let event = unit.event(Action::MfaDisabled).about(user.id);
            unit.finish(event, user)
        })
        .await
}

/// Deletes the authenticator and the recovery codes, ends every session, and notifies the owner.
pub(in crate::service) fn remove_and_sign_out(
    unit: &mut UnitOfWork<'_, '_>,
    user: &User,
) -> Result<()> {
    totp::delete(unit.tx, user.id)?;
    recovery_codes::delete(unit.tx, user.id)?;
    one_time::revoke_after_credential_change(unit.tx, user.id)?;
    unit.revoke_tokens(user.id)?;
    send_notice(unit, user, MfaNotice::Disabled)
}
