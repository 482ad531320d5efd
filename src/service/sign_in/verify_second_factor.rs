//! The second step of a sign-in.

use crate::domain::audit::{Action, Method};
use crate::service::mfa::check::CodeCheck;
use crate::service::sign_in::entry::{Carrier, Proof, enter};
use crate::service::sign_in::second_step::resume;
use crate::service::{RequestContext, Result, Services, SignedIn};
use crate::store::one_time_tokens::Purpose;

/// The token of the first step and a code: of the authenticator, or one of the recovery codes. A wrong
/// code uses the token up only when it is the tenth in a row.
///
/// # Errors
/// `InvalidOrExpiredToken`; `InvalidCode`; `TooManyAttempts` after five wrong codes in a row, no matter who tried them.
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
