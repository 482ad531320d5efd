//! The first step of enrolment: a secret for the authenticator.

use crate::crypto::totp::Secret;
use crate::domain::User;
use crate::domain::audit::Action;
use crate::service::mfa::check::{CodeCheck, is_unusable};
use crate::service::mfa::secret::seal;
use crate::service::sign_in::enrolment_subject::EnrolmentSubject;
use crate::service::sign_in::second_step::resume;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::one_time_tokens::Purpose;
use crate::store::{sessions, totp};

/// The issuer that the authenticator shows.
const ISSUER: &str = "Hallpass";

/// What the authenticator needs.
pub struct Enrolment {
    /// In base32, to type instead of scanning.
    pub secret: String,
    /// `otpauth://totp/…`, for a QR code.
    pub uri: String,
}

/// Creates a secret, which takes effect once a code of it is confirmed; another call replaces it. Users who have an
/// authenticator must send a `code` of it or a recovery code, and use the old one until the new one is confirmed. All
/// but a code of the authenticator require a fresh session. If that cannot be used, a recovery code is enough, and so is
/// a fresh session, which then began with one: it may have been the last.
///
/// # Errors
/// `MfaAlreadyEnabled` for users who have one and send no code; `InvalidCode`, `TooManyAttempts`,
/// `AuthenticatorUnusable`;
/// `InvalidOrExpiredToken`; `ReauthenticationRequired`; `Forbidden` for a service.
pub async fn enrol(
    services: &Services,
    context: &RequestContext,
    who: EnrolmentSubject,
    code: Option<&str>,
) -> Result<Enrolment> {
    let check = code.map(CodeCheck::parse);
    let (user, secret) = match who {
        EnrolmentSubject::Caller(caller) => {
            caller.session_id()?;
            services
                .write_as(&caller, move |unit, actor| {
                    if !totp::is_enrolled(unit.tx, actor.id())? {
                        actor.must_be_fresh(unit.now)?;
                    } else if let Some(check) = check {
                        let is_proof = check.is_proof(unit, actor.id())?;
                        if !is_proof {
                            actor.must_be_fresh(unit.now)?;
                        }
                        let event = unit.event(Action::MfaEnabled);
                        if let Err(refused) = check.run(unit, actor.id(), &event)? {
                            return unit.refused(refused.into());
                        }
                        // It is also the proof for the confirmation.
                        if is_proof {
                            sessions::set_proven(unit.tx, actor.session_id()?, unit.now)?;
                        }
                    } else if !(actor.session()?.is_fresh(unit.now)
                        && is_unusable(unit, actor.id())?)
                    {
                        return Err(Error::MfaAlreadyEnabled);
                    }
                    let secret = store_pending(unit, actor.user())?;
                    unit.unrecorded((actor.user().clone(), secret))
                })
                .await?
        }
        EnrolmentSubject::PendingSignIn(token) => {
            services
                .write(context, move |unit| {
                    let user = resume(unit, token, Purpose::MfaEnrolment)?.subject.user;
                    if totp::is_enrolled(unit.tx, user.id)? {
                        return Err(Error::MfaAlreadyEnabled);
                    }
                    let secret = store_pending(unit, &user)?;
                    unit.unrecorded((user, secret))
                })
                .await?
        }
    };
    let account = match &user.email {
        Some(email) => email.as_str(),
        None => user.name.as_str(),
    };
    Ok(Enrolment {
        uri: secret.uri(ISSUER, account),
        secret: secret.base32(),
    })
}

fn store_pending(unit: &mut UnitOfWork<'_, '_>, user: &User) -> Result<Secret> {
    let secret = Secret::new(unit.random());
    let nonce = unit.random();
    let sealed = seal(&secret, user.id, nonce, unit.keyring());
    totp::set_pending(unit.tx, user.id, &sealed.text, unit.now)?;
    Ok(secret)
}
