//! Reauthenticates the user of a session by an identity at Slack that is linked to them.

use crate::domain::audit::{Action, Method};
use crate::domain::{SessionId, SignInFailure, SlackAccount, UserId};
use crate::service::sessions::lifetimes::lifetimes_in;
use crate::service::sessions::reauthenticate::must_have_no_authenticator;
use crate::service::sign_in::issuer::UserFacts;
use crate::service::sign_in::subject::Subject;
use crate::service::slack::begin::{Begin, Begun, begin_for};
use crate::service::slack::state::Kind;
use crate::service::{Caller, Error, RequestContext, Result, Services, SignedIn};
use crate::store::{identities, sessions, totp, users};

/// Begins at Slack. As for [`link`](crate::service::slack::link()), the end is bound to the caller's browser, or to a
/// verifier that only the caller has: otherwise an attacker with the caller's token could have the caller prove it.
///
/// # Errors
/// As [`begin`](crate::service::slack::begin()); `Invalid` where an authenticator is enrolled, because only its code
/// counts then; `Forbidden` for a service.
pub async fn reauthenticate(
    services: &Services,
    caller: &Caller,
    begin: &Begin<'_>,
) -> Result<Begun> {
    caller.session_id()?;
    let kind = services
        .read_as(caller, |tx, actor| {
            must_have_no_authenticator(tx, actor.id())?;
            Ok(Kind::Reauthenticate {
                user_id: actor.id(),
                session_id: actor.session_id()?,
            })
        })
        .await?;
    begin_for(services, begin, kind)
}

/// The end: the identity must belong to the user of the session, which gets another token.
///
/// # Errors
/// `NotAllowed` for another identity, which is recorded, and where an authenticator is enrolled by now; `SignInExpired`
/// if the session has ended.
pub(in crate::service) async fn complete(
    services: &Services,
    context: &RequestContext,
    account: SlackAccount,
    user_id: UserId,
    session_id: SessionId,
) -> Result<SignedIn> {
    let (now, session, lifetimes, facts, profile) = services
        .write(context, move |unit| {
            let now = unit.now;
            let user = users::lock_enabled_account(unit.tx, user_id)?
                .ok_or(SignInFailure::SignInExpired)?
                .user;
            let session =
                sessions::lock_open(unit.tx, session_id)?.ok_or(SignInFailure::SignInExpired)?;
            let lifetimes = lifetimes_in(unit.tx, unit.lifetimes, session.organization_id)?;
            lifetimes
                .must_be_live(&session, now)
                .map_err(|_| SignInFailure::SignInExpired)?;
            let subject =
                Subject::of_session(unit.tx, user, &session).map_err(|error| match error {
                    Error::TokenRevoked => SignInFailure::SignInExpired.into(),
                    other => other,
                })?;
            let event = subject.own(unit.event(Action::Reauthenticated));
            let event = event.by(Method::Slack);
            let failure = SignInFailure::NotAllowed;
            if identities::find(unit.tx, &account)? != Some(user_id) {
                return unit.refuse(event.refused("another_identity"), failure.into());
            }
            if totp::is_enrolled(unit.tx, user_id)? {
                return unit.refuse(event.refused("code_required"), failure.into());
            }
            sessions::set_proven(unit.tx, session_id, now)?;
            let facts = UserFacts::of(unit.tx, &subject.user, unit.external_ids)?;
            unit.finish(event, (now, session, lifetimes, facts, subject.profile()))
        })
        .await?;
    let session = (&session, lifetimes);
    Ok(services.tokens.issue(now, session, facts, profile))
}
