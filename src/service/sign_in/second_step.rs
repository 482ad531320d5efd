//! Resumes a sign-in that was challenged, and completes it.

use crate::service::sign_in::challenge::PendingSignIn;
use crate::service::sign_in::subject::Subject;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, Result, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::users;

/// A challenged sign-in and its user, whose account is locked.
pub(in crate::service) struct Resumed {
    pub subject: Subject,
    token: String,
    purpose: Purpose,
}

/// A challenge that was answered with the right code, which permits a session.
pub(in crate::service) struct CompletedChallenge {
    subject: Subject,
}

impl CompletedChallenge {
    pub(crate) fn into_subject(self) -> Subject {
        self.subject
    }
}

/// # Errors
/// `InvalidOrExpiredToken`, also if the user may no longer sign in.
pub(in crate::service) fn resume(
    unit: &mut UnitOfWork<'_, '_>,
    token: String,
    purpose: Purpose,
) -> Result<Resumed> {
    let pending = peek(unit, &token, purpose)?;
    let user = users::lock_enabled_account(unit.tx, pending.user_id)?
        .ok_or(Error::InvalidOrExpiredToken)?
        .user;
    // Another request may have redeemed the token while this one waited for the lock.
    peek(unit, &token, purpose)?;
    let subject =
        Subject::in_organization(unit.tx, user, pending.organization_id).map_err(|error| {
            match error {
                Error::OrganizationNotFound => Error::InvalidOrExpiredToken,
                other => other,
            }
        })?;
    Ok(Resumed {
        subject,
        token,
        purpose,
    })
}

fn peek(unit: &mut UnitOfWork<'_, '_>, token: &str, purpose: Purpose) -> Result<PendingSignIn> {
    let now = unit.now;
    one_time::find(unit.tx, token, purpose, now)?.ok_or(Error::InvalidOrExpiredToken)
}

impl Resumed {
    /// Redeems the token. Call it only after the second factor was verified.
    ///
    /// # Errors
    /// `InvalidOrExpiredToken` if the token was redeemed meanwhile.
    pub(crate) fn complete(self, unit: &mut UnitOfWork<'_, '_>) -> Result<CompletedChallenge> {
        let now = unit.now;
        one_time::redeem::<PendingSignIn>(unit.tx, &self.token, self.purpose, now)?
            .ok_or(Error::InvalidOrExpiredToken)?;
        Ok(CompletedChallenge {
            subject: self.subject,
        })
    }
}
