//! Checks codes of the second factor. No other file does.

use chrono::{DateTime, Utc};

use crate::crypto::keyring::Keyring;
use crate::crypto::recovery_code::{ForeignCode, RecoveryCode};
use crate::crypto::totp::{Code, Secret};
use crate::domain::audit::Action;
use crate::domain::{UserId, lifetimes};
use crate::service::mfa::secret::open;
use crate::service::unit_of_work::{Event, UnitOfWork};
use crate::service::{Error, Result};
use crate::store::one_time_tokens::{self, Purpose};
use crate::store::totp::Totp;
use crate::store::{Tx, recovery_codes, session_tokens, totp, users};

/// Every so many wrong codes in a row, the second factor is locked. Codes sent while it is locked are not checked, and
/// count as wrong.
const LOCK_AFTER: i32 = 5;

/// Every so many wrong codes in a row, pending sign-ins end.
const END_AFTER: i32 = 10;

/// For a refusal before anything is hashed; [`CodeCheck::run`] checks it again.
///
/// # Errors
/// `MfaNotEnrolled`.
pub(in crate::service) fn must_be_enrolled(tx: &mut Tx<'_>, user_id: UserId) -> Result<()> {
    if totp::is_enrolled(tx, user_id)? {
        Ok(())
    } else {
        Err(Error::MfaNotEnrolled)
    }
}

/// Whether the user's authenticator cannot be used, because no key opens its secret.
///
/// # Errors
/// When the database fails.
pub(in crate::service) fn is_unusable(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
) -> Result<bool> {
    let secret = totp::find(unit.tx, user_id)?.and_then(|found| found.secret);
    Ok(secret.is_some_and(|secret| open(&secret, user_id, unit.keyring()).is_none()))
}

/// A code as it was typed.
pub(in crate::service) enum CodeCheck {
    Totp(Code),
    Recovery(TypedRecoveryCode),
    Neither,
}

/// What may be a recovery code of ours, or one that came with an imported person.
pub(in crate::service) struct TypedRecoveryCode {
    ours: Option<RecoveryCode>,
    foreign: Option<ForeignCode>,
}

impl TypedRecoveryCode {
    fn parse(text: &str) -> Option<Self> {
        let (ours, foreign) = (RecoveryCode::parse(text), ForeignCode::parse(text));
        (ours.is_some() || foreign.is_some()).then_some(Self { ours, foreign })
    }

    /// All texts that may be stored of it.
    fn hashes(&self, keyring: &Keyring) -> Vec<String> {
        let ours = self.ours.iter().map(|code| code.hash().as_str().to_owned());
        let foreign = self.foreign.iter().flat_map(|code| code.hashes(keyring));
        ours.chain(foreign).collect()
    }
}

/// A code that was not accepted. It is counted or recorded, so the transaction that checked it must be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(in crate::service) enum Refused {
    Wrong,
    Locked {
        /// Seconds.
        retry_after: u32,
    },
    /// No key opens the secret, so only recovery codes can be checked.
    Unusable,
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Wrong => Self::InvalidCode,
            Refused::Locked { retry_after } => Self::TooManyAttempts { retry_after },
            Refused::Unusable => Self::AuthenticatorUnusable,
        }
    }
}

impl CodeCheck {
    /// Parses a code of an authenticator, or a recovery code.
    pub(crate) fn parse(code: &str) -> Self {
        match (Code::parse(code), TypedRecoveryCode::parse(code)) {
            (Some(code), _) => Self::Totp(code),
            (None, Some(code)) => Self::Recovery(code),
            (None, None) => Self::Neither,
        }
    }

    /// Parses a code of an authenticator; a recovery code is as wrong as any other text.
    pub(crate) fn parse_totp(code: &str) -> Self {
        Code::parse(code).map_or(Self::Neither, Self::Totp)
    }

    /// Whether it is a proof of identity by itself once it was checked: a code of the authenticator is. A recovery code
    /// is only where the authenticator cannot be used, because there is no better proof then.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn is_proof(&self, unit: &mut UnitOfWork<'_, '_>, user_id: UserId) -> Result<bool> {
        Ok(matches!(self, Self::Totp(_)) || is_unusable(unit, user_id)?)
    }

    /// Uses the code, or counts it as wrong. `event` is what the code is for: a wrong code is recorded as its refusal,
    /// and the fifth as a lock instead.
    ///
    /// # Errors
    /// `MfaNotEnrolled`. A code that is not accepted is not an error but [`Refused`], because the transaction that counts
    /// it must be committed.
    pub(crate) fn run(
        &self,
        unit: &mut UnitOfWork<'_, '_>,
        user_id: UserId,
        event: &Event,
    ) -> Result<std::result::Result<(), Refused>> {
        users::lock_account(unit.tx, user_id)?;
        let authenticator = totp::find(unit.tx, user_id)?.ok_or(Error::MfaNotEnrolled)?;
        let secret = authenticator
            .secret
            .as_deref()
            .ok_or(Error::MfaNotEnrolled)?;
        if is_locked(&authenticator, unit.now) {
            return count(unit, user_id, &authenticator, event).map(Err);
        }
        let is_right = match self {
            Self::Recovery(code) => take(unit, user_id, code, event)?,
            Self::Totp(_) | Self::Neither => {
                let Some(secret) = open(secret, user_id, unit.keyring()) else {
                    unit.record(event.clone().refused("authenticator_unusable"))?;
                    return Ok(Err(Refused::Unusable));
                };
                match self.step(&secret, &authenticator, unit.now) {
                    // A code that was right before is not a guess, so it is not counted as one.
                    Step::Used => return refuse(unit, event).map(Err),
                    Step::None => false,
                    Step::New(step) => totp::use_step(unit.tx, user_id, step)?,
                }
            }
        };
        if !is_right {
            return count(unit, user_id, &authenticator, event).map(Err);
        }
        totp::set_failures(unit.tx, user_id, 0, None)?;
        Ok(Ok(()))
    }

    /// The secret to be confirmed and the step of its code, if this is one. Wrong codes count together with those of
    /// [`run`](Self::run), because the client may not be the one that got the secret.
    ///
    /// # Errors
    /// `MfaNotEnrolled` if there is no secret to confirm.
    pub(in crate::service) fn run_pending(
        &self,
        unit: &mut UnitOfWork<'_, '_>,
        user_id: UserId,
        event: &Event,
    ) -> Result<std::result::Result<(Secret, i64), Refused>> {
        let authenticator = totp::find(unit.tx, user_id)?.ok_or(Error::MfaNotEnrolled)?;
        let pending = authenticator
            .pending
            .as_deref()
            .ok_or(Error::MfaNotEnrolled)?;
        // If its key was removed, it counts as missing: a new enrolment creates another.
        let secret = open(pending, user_id, unit.keyring()).ok_or(Error::MfaNotEnrolled)?;
        let step = match self {
            Self::Totp(code) if !is_locked(&authenticator, unit.now) => {
                secret.steps(*code, unit.now).next()
            }
            _ => None,
        };
        match step {
            Some(step) => Ok(Ok((secret, step))),
            None => count(unit, user_id, &authenticator, event).map(Err),
        }
    }

    fn step(&self, secret: &Secret, authenticator: &Totp, now: DateTime<Utc>) -> Step {
        let Self::Totp(code) = self else {
            return Step::None;
        };
        let mut used = false;
        for step in secret.steps(*code, now) {
            if Some(step) > authenticator.last_step {
                return Step::New(step);
            }
            used = true;
        }
        if used { Step::Used } else { Step::None }
    }
}

fn is_locked(authenticator: &Totp, now: DateTime<Utc>) -> bool {
    authenticator.locked_until.is_some_and(|until| now < until)
}

fn take(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    code: &TypedRecoveryCode,
    event: &Event,
) -> Result<bool> {
    let hashes = code.hashes(unit.keyring());
    let taken = recovery_codes::take(unit.tx, user_id, &hashes)?;
    if taken {
        unit.record(Event {
            action: Action::RecoveryCodeUsed,
            ..event.clone()
        })?;
    }
    Ok(taken)
}

fn count(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    authenticator: &Totp,
    event: &Event,
) -> Result<Refused> {
    let now = unit.now;
    let was_locked_until = authenticator.locked_until.filter(|until| now < *until);
    let failures = authenticator.failures.saturating_add(1);
    let locks = failures % LOCK_AFTER == 0;
    let locked_until = if locks {
        Some(now + lifetimes::MFA_LOCK)
    } else {
        was_locked_until
    };
    totp::set_failures(unit.tx, user_id, failures, locked_until)?;
    if failures % END_AFTER == 0 {
        let pending = [Purpose::SecondFactor, Purpose::MfaEnrolment];
        one_time_tokens::delete_of_user(unit.tx, user_id, &pending)?;
        session_tokens::end_locked(unit.tx, user_id, now)?;
    }
    match was_locked_until {
        // The lock was recorded when it began. Further attempts must not fill the log.
        Some(until) => Ok(Refused::Locked {
            retry_after: seconds(until - now),
        }),
        None if locks => {
            let lock = Event {
                action: Action::MfaLocked,
                ..event.clone()
            };
            unit.record(lock.refused("wrong_code"))?;
            Ok(Refused::Wrong)
        }
        None => refuse(unit, event),
    }
}

fn refuse(unit: &mut UnitOfWork<'_, '_>, event: &Event) -> Result<Refused> {
    unit.record(event.clone().refused("wrong_code"))?;
    Ok(Refused::Wrong)
}

/// What a code of six digits is.
enum Step {
    None,
    Used,
    New(i64),
}

/// Rounded up, so that this wait is long enough.
fn seconds(wait: chrono::TimeDelta) -> u32 {
    u32::try_from(wait.num_seconds() + 1).unwrap_or(1)
}
