//! Whether a code is somebody's second factor now. The one place that looks at codes.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::crypto::keyring::Keyring;
use crate::crypto::recovery_code::RecoveryCode;
use crate::crypto::totp::{Code, Secret};
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{UserId, lifetimes};
use crate::service::mfa::secret::open;
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::one_time_tokens::{self, Purpose};
use crate::store::totp::Totp;
use crate::store::{Tx, audit, recovery_codes, session_tokens, totp, users};

/// So many wrong codes in a row lock, and so many more, and so on. Codes that come while it is locked are
/// not looked at, and count as wrong.
const LOCK_AFTER: i32 = 5;

/// So many wrong codes in a row end the sign-ins that are under way.
const END_AFTER: i32 = 10;

/// A code, and everything a transaction needs to judge it.
pub(in crate::service) struct CodeCheck {
    code: Shown,
    keyring: Arc<Keyring>,
    now: DateTime<Utc>,
    /// For a recovery code, or the lock.
    entry: AuditEntry,
}

/// What somebody typed.
enum Shown {
    Totp(Code),
    Recovery(RecoveryCode),
    Neither,
}

/// A code that did not pass. It must be counted, so the transaction that judged it is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(in crate::service) enum Refused {
    Wrong,
    Locked {
        /// Seconds.
        retry_after: u32,
    },
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Wrong => Self::InvalidCode,
            Refused::Locked { retry_after } => Self::TooManyAttempts { retry_after },
        }
    }
}

impl Services {
    /// `code` is one of an authenticator or a recovery code, as it was typed.
    pub(in crate::service) fn code_check(
        &self,
        context: &RequestContext,
        now: DateTime<Utc>,
        code: &str,
    ) -> CodeCheck {
        let shown = match (Code::parse(code), RecoveryCode::parse(code)) {
            (Some(code), _) => Shown::Totp(code),
            (None, Some(code)) => Shown::Recovery(code),
            (None, None) => Shown::Neither,
        };
        CodeCheck {
            code: shown,
            keyring: self.tokens.keyring(),
            now,
            entry: self.audit(context, now, Action::RecoveryCodeUsed, Outcome::Ok),
        }
    }
}

impl CodeCheck {
    /// Uses the code up, or counts it as wrong. `act` is the audit line of what the code is for: a wrong
    /// code leaves it as refused, and the fifth the lock in its place.
    ///
    /// # Errors
    /// `MfaNotEnrolled`; `Internal` when the secret is under a key that is gone. A code that does not
    /// pass is no error but [`Refused`], because it has to be kept in mind.
    pub fn run(
        &self,
        tx: &mut Tx<'_>,
        user_id: UserId,
        act: &AuditEntry,
    ) -> Result<std::result::Result<(), Refused>> {
        users::lock_account(tx, user_id)?;
        let authenticator = totp::find(tx, user_id)?.ok_or(Error::MfaNotEnrolled)?;
        let secret = authenticator
            .secret
            .as_deref()
            .ok_or(Error::MfaNotEnrolled)?;
        if self.is_locked(&authenticator) {
            return self.count(tx, user_id, &authenticator, act).map(Err);
        }
        let is_right = match &self.code {
            Shown::Totp(code) => match self.step_of(*code, user_id, secret, &authenticator)? {
                // It was right once, so it is nobody's guess, and does not count as one.
                Step::Used => return self.refuse(tx, act).map(Err),
                Step::None => false,
                Step::New(step) => totp::use_step(tx, user_id, step)?,
            },
            Shown::Recovery(code) => self.take(tx, user_id, code, act)?,
            Shown::Neither => false,
        };
        if !is_right {
            return self.count(tx, user_id, &authenticator, act).map(Err);
        }
        totp::set_failures(tx, user_id, 0, None)?;
        Ok(Ok(()))
    }

    /// The secret that waits to be confirmed, and the step of its code, if this is one. Others are counted with
    /// those of [`run`](Self::run): whoever tries need not be the one who was told the secret.
    ///
    /// # Errors
    /// `MfaNotEnrolled` when no secret waits.
    pub(in crate::service) fn run_pending(
        &self,
        tx: &mut Tx<'_>,
        user_id: UserId,
        act: &AuditEntry,
    ) -> Result<std::result::Result<(Secret, i64), Refused>> {
        let authenticator = totp::find(tx, user_id)?.ok_or(Error::MfaNotEnrolled)?;
        let pending = authenticator
            .pending
            .as_deref()
            .ok_or(Error::MfaNotEnrolled)?;
        // Under a key that is gone, it is as if there were none: beginning again makes another.
        let secret = open(pending, user_id, &self.keyring).map_err(|_| Error::MfaNotEnrolled)?;
        let step = match &self.code {
            Shown::Totp(code) if !self.is_locked(&authenticator) => {
                secret.steps(*code, self.now).next()
            }
            _ => None,
        };
        match step {
            Some(step) => Ok(Ok((secret, step))),
            None => self.count(tx, user_id, &authenticator, act).map(Err),
        }
    }

    fn is_locked(&self, authenticator: &Totp) -> bool {
        authenticator
            .locked_until
            .is_some_and(|until| self.now < until)
    }

    fn step_of(
        &self,
        code: Code,
        user_id: UserId,
        sealed: &str,
        authenticator: &Totp,
    ) -> Result<Step> {
        let secret = open(sealed, user_id, &self.keyring)?;
        let mut used = false;
        for step in secret.steps(code, self.now) {
            if Some(step) > authenticator.last_step {
                return Ok(Step::New(step));
            }
            used = true;
        }
        Ok(if used { Step::Used } else { Step::None })
    }

    fn take(
        &self,
        tx: &mut Tx<'_>,
        user_id: UserId,
        code: &RecoveryCode,
        act: &AuditEntry,
    ) -> Result<bool> {
        let taken = recovery_codes::take(tx, user_id, code.hash().as_str())?;
        if taken {
            audit::insert(tx, &self.beside(act, Action::RecoveryCodeUsed, Outcome::Ok))?;
        }
        Ok(taken)
    }

    fn count(
        &self,
        tx: &mut Tx<'_>,
        user_id: UserId,
        authenticator: &Totp,
        act: &AuditEntry,
    ) -> Result<Refused> {
        let was_locked_until = authenticator.locked_until.filter(|until| self.now < *until);
        let failures = authenticator.failures.saturating_add(1);
        let locks = failures % LOCK_AFTER == 0;
        let locked_until = if locks {
            Some(self.now + lifetimes::MFA_LOCK)
        } else {
            was_locked_until
        };
        totp::set_failures(tx, user_id, failures, locked_until)?;
        if failures % END_AFTER == 0 {
            let under_way = [Purpose::SecondFactor, Purpose::MfaEnrolment];
            one_time_tokens::delete_of_user(tx, user_id, &under_way)?;
            session_tokens::end_locked(tx, user_id, self.now)?;
        }
        match was_locked_until {
            // Written down when it began: whoever knocks on is not to fill the log.
            Some(until) => Ok(Refused::Locked {
                retry_after: seconds(until - self.now),
            }),
            None if locks => {
                audit::insert(tx, &self.beside(act, Action::MfaLocked, Outcome::Refused))?;
                Ok(Refused::Wrong)
            }
            None => self.refuse(tx, act),
        }
    }

    fn refuse(&self, tx: &mut Tx<'_>, act: &AuditEntry) -> Result<Refused> {
        audit::insert(
            tx,
            &AuditEntry {
                outcome: Outcome::Refused,
                ..act.clone()
            },
        )?;
        Ok(Refused::Wrong)
    }

    /// A line about the same people as that of the act.
    fn beside(&self, act: &AuditEntry, action: Action, outcome: Outcome) -> AuditEntry {
        AuditEntry {
            id: self.entry.id,
            action,
            outcome,
            ..act.clone()
        }
    }
}

/// What a code of six digits is.
enum Step {
    None,
    Used,
    New(i64),
}

/// Rounded up, so that whoever waits so long has waited long enough.
fn seconds(wait: chrono::TimeDelta) -> u32 {
    u32::try_from(wait.num_seconds() + 1).unwrap_or(1)
}
