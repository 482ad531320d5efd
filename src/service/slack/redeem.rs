//! Redeems one-time codes.

use crate::crypto::opaque;
use crate::domain::{CodeVerifier, SignInFailure};
use crate::service::sign_in::entry::{Carrier, Proof, enter};
use crate::service::slack::code::{Payload, StoredCode};
use crate::service::slack::provision_user::{SlackSignIn, link, subject};
use crate::service::slack::reauthenticate;
use crate::service::slack::refuse::refuse;
use crate::service::{Error, RequestContext, Result, Services, SignIn, SignedIn, one_time};
use crate::store::one_time_tokens::Purpose;

pub struct Redeem<'a> {
    pub code: &'a str,
    pub verifier: &'a CodeVerifier,
}

/// What a code was exchanged for.
pub enum Redeemed {
    SignIn(SignIn),
    /// The user of a session proved again who they are; the session has another token.
    Reauthenticated(SignedIn),
}

/// The code is used, whether or not the verifier matches.
///
/// # Errors
/// `SignIn(SignInExpired)` for a code that is unknown, used, older than a minute, or another client's; the failures of
/// signing in, of linking, and of reauthentication.
pub async fn redeem(
    services: &Services,
    context: &RequestContext,
    redeem: Redeem<'_>,
) -> Result<Redeemed> {
    services.slack()?;
    let expired = || Error::from(SignInFailure::SignInExpired);
    let code = redeem.code.to_owned();
    let stored: StoredCode = services
        .write(context, move |unit| {
            let stored = one_time::redeem(unit.tx, &code, Purpose::SlackCode, unit.now)?;
            unit.unrecorded(stored)
        })
        .await?
        .ok_or_else(expired)?;
    if !opaque::verifies(redeem.verifier.expose(), &stored.challenge) {
        return Err(expired());
    }
    let sign_in = match stored.payload {
        Payload::SignIn {
            user_id,
            organization_id,
        } => services
            .write(context, move |unit| {
                // The account may have been disabled or removed since the code was issued.
                let subject = subject(unit, user_id, organization_id)?;
                let entry = enter(unit, Proof::Slack(subject), Carrier::Jwt)?;
                unit.recorded_if_changed(entry)
            })
            .await
            .and_then(|entry| entry.issue(services)),
        Payload::Link {
            user_id,
            session_id,
            person,
            workspace_name,
        } => {
            let slack = SlackSignIn::new(services, person, workspace_name)?;
            link(services, context, slack, user_id, session_id)
                .await
                .map(|switch| switch.issue(services))
        }
        Payload::Reauthenticate {
            user_id,
            session_id,
            account,
        } => {
            return reauthenticate::complete(services, context, account, user_id, session_id)
                .await
                .map(Redeemed::Reauthenticated);
        }
    };
    match sign_in {
        Err(Error::SignIn(
            failure @ (SignInFailure::NotAllowed | SignInFailure::AccountExists),
        )) => refuse(services, context, failure).await,
        sign_in => sign_in.map(Redeemed::SignIn),
    }
}
