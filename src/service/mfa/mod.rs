//! The second factor (RFC 6238): checking codes, and the authenticator's life.
//!
//! Everything that reads or changes somebody's authenticator locks their account first, so that of many requests at once each
//! sees what the one before it did.

pub mod check;
pub mod recovery_codes;
mod remove;
mod renew_recovery_codes;
mod reset;
pub mod secret;
mod status;

use crate::domain::{Change, EmailMessage, SessionId, User, UserId};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Result, one_time};
use crate::store::sessions;

pub use crate::service::sign_in::challenge::MfaChallenge;
pub use crate::service::sign_in::confirm_enrolment::{Confirmed, confirm};
pub use crate::service::sign_in::enrolment_subject::EnrolmentSubject;
pub use crate::service::sign_in::start_enrolment::{Enrolment, enrol};
pub use crate::service::sign_in::verify_second_factor::verify;
pub use recovery_codes::NewCodes;
pub use remove::remove;
pub use renew_recovery_codes::renew_recovery_codes;
pub use reset::reset;
pub use secret::reseal_secrets;
pub use status::{Status, status};

/// Sessions that began before the second factor changed end, and pending sign-ins too; one session goes on.
pub(in crate::service) fn end_other_sessions(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    except: SessionId,
) -> Result<()> {
    one_time::revoke_after_credential_change(unit.tx, user_id)?;
    for session_id in sessions::revoke_all(unit.tx, user_id, Some(except), unit.now)? {
        unit.changed(Change::SessionEnded {
            user_id,
            session_id,
        });
    }
    unit.changed(Change::PersonChanged { user_id });
    Ok(())
}

/// Tells the account's owner, who may not be the one who did it.
pub(in crate::service) fn send_notice(
    unit: &mut UnitOfWork<'_, '_>,
    user: &User,
    enabled: bool,
) -> Result<()> {
    let Some(email) = user.email.clone() else {
        return Ok(());
    };
    let message = EmailMessage::MfaChanged {
        name: user.name.to_string(),
        enabled,
    };
    let email = unit.draft(email, &message);
    unit.queue(&email)?;
    Ok(())
}
