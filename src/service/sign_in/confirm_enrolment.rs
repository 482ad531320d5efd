//! The second step of enrolment: the authenticator shows that it has the secret.

use crate::domain::audit::{Action, Outcome};
use crate::domain::lifetimes;
use crate::service::mfa::recovery_codes::{NewCodes, new_recovery_codes};
use crate::service::mfa::secret::seal;
use crate::service::mfa::{end_what_lacks_it, notice};
use crate::service::sign_in::enrolment_subject::{EnrolmentSubject, Holder};
use crate::service::{Error, RequestContext, Result, Services, SignedIn};
use crate::store::{audit, outbox, totp};

/// An authenticator is in force.
pub struct Confirmed {
    /// Shown this once.
    pub recovery_codes: NewCodes,
    /// For somebody who had to enrol before they could sign in.
    pub signed_in: Option<SignedIn>,
}

/// From now on the person signs in with codes of this authenticator. Their other sessions end, since they
/// were begun without it; earlier recovery codes are void.
///
/// # Errors
/// `InvalidCode`, `TooManyAttempts`; `MfaNotEnrolled` when no secret waits; `MfaAlreadyEnabled` for half a
/// sign-in whose person has an authenticator by now; `InvalidOrExpiredToken`; `Forbidden` for a service.
pub async fn confirm(
    services: &Services,
    context: &RequestContext,
    who: EnrolmentSubject,
    code: &str,
) -> Result<Confirmed> {
    let now = services.now();
    let check = services.code_check(context, now, code);
    let (email, name) = who.addressee(services, now).await?;
    let letter = notice(services, now, email, &name, true);
    let entry = services.audit(context, now, Action::MfaEnabled, Outcome::Ok);
    let (keyring, nonce) = (services.tokens.keyring(), services.random());
    let recovery_codes = new_recovery_codes(services);
    let kept = recovery_codes.clone();
    let holder = Holder::new(services, context, now, who)?;
    let (begun, changes) = services
        .store
        .write(move |tx| {
            let found = holder.lock(tx)?;
            let user_id = found.user.id;
            let entry = found.audit(&entry);
            if matches!(holder, Holder::PendingSignIn(_)) && totp::is_enrolled(tx, user_id)? {
                return Err(Error::MfaAlreadyEnabled);
            }
            let (secret, step) = match check.run_pending(tx, user_id, &entry)? {
                Ok(confirmed) => confirmed,
                Err(refused) => return Ok(Err(refused)),
            };
            let sealed = seal(&secret, user_id, nonce, &keyring);
            totp::confirm(tx, user_id, &sealed, step, now)?;
            kept.keep(tx, user_id)?;
            audit::insert(tx, &entry)?;
            if let Some(letter) = &letter {
                outbox::insert(tx, letter)?;
            }
            let (begun, except) = match holder {
                Holder::Caller { session_id, .. } => (None, session_id),
                Holder::PendingSignIn(resume) => {
                    let begun = resume.complete(tx, &found)?;
                    let except = begun.session.id;
                    (Some(begun), except)
                }
            };
            let changes = end_what_lacks_it(tx, user_id, except, now)?;
            Ok(Ok((begun, changes)))
        })
        .await??;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(Confirmed {
        recovery_codes,
        signed_in: begun.map(|begun| begun.issue(services, now)),
    })
}
