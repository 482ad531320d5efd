//! The second step of enrolment: a code shows that the authenticator has the secret.

use crate::domain::User;
use crate::domain::audit::Action;
use crate::service::mfa::after_change::{MfaNotice, end_other_sessions, send_notice};
use crate::service::mfa::check::{CodeCheck, Refused};
use crate::service::mfa::recovery_codes::NewCodes;
use crate::service::mfa::secret::seal;
use crate::service::sign_in::enrolment_subject::EnrolmentSubject;
use crate::service::sign_in::entry::{Begun, Carrier, Proof, enter};
use crate::service::sign_in::second_step::resume;
use crate::service::unit_of_work::{Event, UnitOfWork};
use crate::service::{Error, RequestContext, Result, Services, SignedIn};
use crate::store::one_time_tokens::Purpose;
use crate::store::totp;

/// An enrolled authenticator.
pub struct Confirmed {
    /// Not shown again.
    pub recovery_codes: NewCodes,
    /// For users who had to enrol before they could sign in.
    pub signed_in: Option<SignedIn>,
}

/// Enables the second factor, ends other sessions, which began without it, and replaces earlier recovery codes.
///
/// # Errors
/// `InvalidCode`, `TooManyAttempts`; `MfaNotEnrolled` without a secret to confirm; `MfaAlreadyEnabled` for a
/// pending sign-in if the user has an authenticator by now; `InvalidOrExpiredToken`;
/// `ReauthenticationRequired`; `Forbidden` for a service.
pub async fn confirm(
    services: &Services,
    context: &RequestContext,
    who: EnrolmentSubject,
    code: &str,
) -> Result<Confirmed> {
    let check = CodeCheck::parse(code);
    let (recovery_codes, begun): (NewCodes, Option<Begun>) = match who {
        EnrolmentSubject::Caller(caller) => {
            caller.session_id()?;
            services
                .write_as(&caller, move |unit, actor| {
                    actor.must_be_fresh(unit.now)?;
                    let notice = if totp::is_enrolled(unit.tx, actor.id())? {
                        MfaNotice::Replaced
                    } else {
                        MfaNotice::Enabled
                    };
                    let event = unit.event(Action::MfaEnabled);
                    let codes = match enable(unit, &check, actor.user(), event)? {
                        Ok(codes) => codes,
                        Err(refused) => return unit.refused(refused.into()),
                    };
                    send_notice(unit, actor.user(), notice)?;
                    end_other_sessions(unit, actor.id(), actor.session_id()?)?;
                    unit.recorded((codes, None))
                })
                .await?
        }
        EnrolmentSubject::PendingSignIn(token) => {
            services
                .write(context, move |unit| {
                    let resumed = resume(unit, token, Purpose::MfaEnrolment)?;
                    let user = resumed.subject.user.clone();
                    if totp::is_enrolled(unit.tx, user.id)? {
                        return Err(Error::MfaAlreadyEnabled);
                    }
                    let event = resumed.subject.own(unit.event(Action::MfaEnabled));
                    let codes = match enable(unit, &check, &user, event)? {
                        Ok(codes) => codes,
                        Err(refused) => return unit.refused(refused.into()),
                    };
                    let completed = resumed.complete(unit)?;
                    let proof = Proof::SecondStep(completed);
                    let begun = enter(unit, proof, Carrier::Jwt)?.begun()?;
                    send_notice(unit, &user, MfaNotice::Enabled)?;
                    end_other_sessions(unit, user.id, begun.session.id)?;
                    unit.recorded((codes, Some(begun)))
                })
                .await?
        }
    };
    Ok(Confirmed {
        recovery_codes,
        signed_in: begun.map(|begun| begun.issue(services)),
    })
}

fn enable(
    unit: &mut UnitOfWork<'_, '_>,
    check: &CodeCheck,
    user: &User,
    event: Event,
) -> Result<std::result::Result<NewCodes, Refused>> {
    let (secret, step) = match check.run_pending(unit, user.id, &event)? {
        Ok(confirmed) => confirmed,
        Err(refused) => return Ok(Err(refused)),
    };
    let nonce = unit.random();
    let sealed = seal(&secret, user.id, nonce, unit.keyring());
    totp::confirm(unit.tx, user.id, &sealed, step, unit.now)?;
    let codes = NewCodes::store(unit, user.id)?;
    unit.record(event)?;
    Ok(Ok(codes))
}
