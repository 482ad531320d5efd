//! Authenticates access tokens and API tokens.

use chrono::DateTime;

use crate::crypto::jwt::Claims;
use crate::crypto::marked_secret::ApiTokenSecret;
use crate::service::sessions::revocation_cache::Known;
use crate::service::{
    Caller, Credential, Error, Profile, RequestContext, Result, Services, api_tokens,
};
use crate::store::{Requester, sessions};

/// Authenticates an access token or an API token. Usually this takes one HMAC and three look-ups in memory.
///
/// # Errors
/// `InvalidToken`, `TokenExpired`, `TokenRevoked`; `MfaEnrolmentRequired` if the organization requires a second
/// factor and the user has none; `Unavailable` if the database is needed and does not answer.
pub async fn authenticate(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<Caller> {
    match identify(services, context, token).await? {
        (caller, SecondFactor::Settled) => Ok(caller),
        (_, SecondFactor::Lacking) => Err(Error::MfaEnrolmentRequired),
    }
}

/// As [`authenticate`], but also for users who are about to enrol the second factor that their organization requires.
///
/// # Errors
/// As [`authenticate`], except `MfaEnrolmentRequired`.
pub async fn authenticate_to_enrol(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<Caller> {
    let (caller, _) = identify(services, context, token).await?;
    Ok(caller.allowed_to_lack_second_factor())
}

/// Whether the user has the second factor that the organization requires.
enum SecondFactor {
    Settled,
    Lacking,
}

async fn identify(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<(Caller, SecondFactor)> {
    if ApiTokenSecret::is_marked(token) {
        let caller = api_tokens::authenticate(services, context, token).await?;
        return Ok((caller, SecondFactor::Settled));
    }
    let claims = services.tokens.verify(token, services.now())?;
    if services.revocations.is_revoked(&claims) {
        return Err(Error::TokenRevoked);
    }
    let (revocations, store) = (&services.revocations, &services.store);
    let organization_id = claims.organization.map(|organization| organization.id);
    let requester = match organization_id {
        Some(id) => Requester::member(id, claims.sub),
        None => context.into(),
    };
    let mut known = revocations
        .person(store, requester, claims.sub, organization_id)
        .await?
        .ok_or(Error::InvalidToken)?;
    let membership = |known: &Known| match organization_id {
        Some(id) => known.person.membership(id).cloned().map(Some),
        None => Some(None),
    };
    let is_newer = |known: &Known| claims.ver > known.person.user.token_version;
    if membership(&known).is_none() || known.lacks_second_factor() || is_newer(&known) {
        // Another instance may just have added or enrolled them, or revoked other tokens, and issued this token. A client discards a token on
        // `Token revoked`, so the cache alone does not decide that.
        known = revocations
            .read_person(store, requester, claims.sub, organization_id)
            .await?
            .ok_or(Error::InvalidToken)?;
    }
    let person = &known.person;
    // A higher version is one that the database has lost: the next revocation will give it out again.
    if person.user.disabled_at.is_some() || claims.ver != person.user.token_version {
        return Err(Error::TokenRevoked);
    }
    let checked_until = person.user.sessions_checked_until;
    if !services.revocations.is_fresh() || checked_until.is_some_and(|until| services.now() < until)
    {
        check_session_in_database(services, requester, &claims).await?;
    }
    let membership = membership(&known).ok_or(Error::TokenRevoked)?;
    let issued_at = DateTime::from_timestamp(claims.iat, 0).ok_or(Error::InvalidToken)?;
    let lifetimes = services.lifetimes.under(known.rules.lifetimes);
    if lifetimes.have_ended(claims.sid, issued_at, services.now()) {
        return Err(Error::TokenExpired);
    }
    let second_factor = if known.lacks_second_factor() {
        SecondFactor::Lacking
    } else {
        SecondFactor::Settled
    };
    let profile = Profile::of(&person.user, membership.as_ref());
    let credential = Credential::Session(claims.sid);
    let caller = Caller::new(profile, credential, claims.ver, context);
    Ok((caller, second_factor))
}

/// Checks the session in the database while the cache is stale, or does not know of all sessions that have ended. The
/// caller checks the user's `token_version`.
async fn check_session_in_database(
    services: &Services,
    requester: Requester,
    claims: &Claims,
) -> Result<()> {
    let session_id = claims.sid;
    let session = services
        .store
        .look_up(requester, move |tx| sessions::find(tx, session_id))
        .await?
        .ok_or(Error::InvalidToken)?;
    Ok(session.must_be_live(services.now())?)
}
