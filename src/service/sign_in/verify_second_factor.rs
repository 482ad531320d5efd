//! The second step of a sign-in: verifies the second factor.

use crate::domain::audit::{Action, Method};
use crate::service::mfa::check::CodeCheck;
use crate::service::sign_in::entry::{Carrier, Proof, enter};
use crate::service::sign_in::second_step::resume;
use crate::service::{RequestContext, Result, Services, SignedIn};
use crate::store::one_time_tokens::Purpose;

/// Takes the token of the first step and a code of the authenticator or a recovery code. The token stays valid until
/// the tenth wrong code in a row.
///
/// # Errors
/// `InvalidOrExpiredToken`; `InvalidCode`; `TooManyAttempts` after five wrong codes in a row, no matter which client
/// sent them.
pub async fn verify(
    services: &Services,
    context: &RequestContext,
    token: &str,
    code: &str,
) -> Result<SignedIn> {
    let check = CodeCheck::parse(code);
    let token = token.to_owned();
    let begun = services
        .write(context, move |unit| {
            let resumed = resume(unit, token, Purpose::SecondFactor)?;
            let event = unit.event(Action::Login).by(Method::SecondFactor);
            let event = resumed.subject.own(event);
            if let Err(refused) = check.run(unit, resumed.subject.user.id, &event)? {
                return unit.refused(refused.into());
            }
            let completed = resumed.complete(unit)?;
            let begun = enter(unit, Proof::SecondStep(completed), Carrier::Jwt)?.begun()?;
            unit.recorded(begun)
        })
        .await?;
    Ok(begun.issue(services))
}
