//! The first step of enrolment: a secret for the authenticator.

use crate::crypto::totp::Secret;
use crate::domain::audit::{Action, Outcome};
use crate::service::mfa::secret::seal;
use crate::service::sign_in::enrolment_subject::{EnrolmentSubject, Holder};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::totp;

/// Whose codes an authenticator shows, as it tells people.
const ISSUER: &str = "Hallpass";

/// What the authenticator is to be told.
pub struct Enrolment {
    /// In base32, for those who cannot scan.
    pub secret: String,
    /// `otpauth://totp/…`, for a QR code.
    pub uri: String,
}

/// A new secret, which counts once a code of it was confirmed; asking again makes another one. Whoever has an
/// authenticator shows a `code` of it, or a recovery code, and goes on with the old one until the new one
/// is confirmed.
///
/// # Errors
/// `MfaAlreadyEnabled` for somebody who has one and shows no code; `InvalidCode`, `TooManyAttempts`;
/// `InvalidOrExpiredToken`; `Forbidden` for a service.
pub async fn enrol(
    services: &Services,
    context: &RequestContext,
    who: EnrolmentSubject,
    code: Option<&str>,
) -> Result<Enrolment> {
    let now = services.now();
    let secret = Secret::new(services.random());
    let (keyring, nonce) = (services.tokens.keyring(), services.random());
    let check = code.map(|code| services.code_check(context, now, code));
    let entry = services.audit(context, now, Action::MfaEnabled, Outcome::Ok);
    let holder = Holder::new(services, context, now, who)?;
    let (base32, kept) = (secret.base32(), secret.clone());
    let user = services
        .store
        .write(move |tx| {
            let found = holder.lock(tx)?;
            let user = &found.user;
            if totp::is_enrolled(tx, user.id)? {
                let (Holder::Caller { .. }, Some(check)) = (&holder, check) else {
                    return Err(Error::MfaAlreadyEnabled);
                };
                if let Err(refused) = check.run(tx, user.id, &found.audit(&entry))? {
                    return Ok(Err(refused));
                }
            }
            let sealed = seal(&kept, user.id, nonce, &keyring);
            totp::set_pending(tx, user.id, &sealed.text, now)?;
            Ok(Ok(found.user))
        })
        .await??;
    let account = match &user.email {
        Some(email) => email.as_str(),
        None => user.name.as_str(),
    };
    Ok(Enrolment {
        uri: secret.uri(ISSUER, account),
        secret: base32,
    })
}
