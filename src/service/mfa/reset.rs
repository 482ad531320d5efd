//! What the operator does for somebody who has lost their authenticator and their recovery codes.

use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Change, Email, User, lifetimes};
use crate::service::mfa::notice;
use crate::service::{Error, RequestContext, Result, Services, one_time, record_changes};
use crate::store::{audit, outbox, recovery_codes, sessions, totp, users};

/// Takes the authenticator and the recovery codes away, and ends every session; `None` when no account has the
/// address. That the person is who they say, somebody else must have made sure of.
///
/// # Errors
/// `MfaNotEnrolled`.
pub async fn reset(
    services: &Services,
    context: &RequestContext,
    email: &Email,
) -> Result<Option<User>> {
    let wanted = email.clone();
    let found = services
        .store
        .read(move |tx| users::find_account_by_email(tx, &wanted))
        .await?;
    let Some(user) = found.map(|account| account.user) else {
        return Ok(None);
    };
    let now = services.now();
    let user_id = user.id;
    let letter = notice(services, now, user.email.clone(), &user.name, false);
    let entry = AuditEntry {
        subject_id: Some(user_id),
        ..services.audit(context, now, Action::MfaDisabled, Outcome::Ok)
    };
    let changes = services
        .store
        .write(move |tx| {
            users::lock_account(tx, user_id)?;
            if !totp::is_enrolled(tx, user_id)? {
                return Err(Error::MfaNotEnrolled);
            }
            totp::delete(tx, user_id)?;
            recovery_codes::delete(tx, user_id)?;
            one_time::revoke_after_credential_change(tx, user_id)?;
            let min_token_version = users::raise_token_version(tx, user_id, now)?;
            sessions::revoke_all(tx, user_id, None, now)?;
            audit::insert(tx, &entry)?;
            if let Some(letter) = &letter {
                outbox::insert(tx, letter)?;
            }
            let changes = [Change::TokensRevoked {
                user_id,
                min_token_version,
            }];
            record_changes(tx, &changes, now)?;
            Ok(changes)
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(Some(user))
}
