//! The second step of a sign-in.

use crate::service::sign_in::second_step::Resume;
use crate::service::{RequestContext, Result, Services, SignedIn};
use crate::store::one_time_tokens::Purpose;

/// The token of the first step and a code: of the authenticator, or one of the recovery codes. A wrong
/// code uses the token up only when it is the tenth in a row.
///
/// # Errors
/// `InvalidOrExpiredToken`; `InvalidCode`; `TooManyAttempts` after five wrong codes in a row, whoever tried
/// them.
pub async fn verify(
    services: &Services,
    context: &RequestContext,
    token: &str,
    code: &str,
) -> Result<SignedIn> {
    let now = services.now();
    let check = services.code_check(context, now, code);
    let resume = Resume::new(services, context, now, token, Purpose::SecondFactor);
    let begun = services
        .store
        .write(move |tx| {
            let found = resume.find(tx)?;
            match check.run(tx, found.user.id, &resume.audit(&found))? {
                Ok(()) => resume.complete(tx, &found).map(Ok),
                Err(refused) => Ok(Err(refused)),
            }
        })
        .await??;
    Ok(begun.issue(services, now))
}
