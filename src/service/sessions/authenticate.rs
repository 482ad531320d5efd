//! From a token to the person it speaks for.

use crate::crypto::api_token;
use crate::crypto::jwt::Claims;
use crate::service::{
    Caller, Credential, Error, Profile, RequestContext, Result, Services, api_tokens,
};
use crate::store::sessions;

/// Judges an access token or a service's token. In the steady state this is one HMAC and three look-ups in memory.
///
/// # Errors
/// `InvalidToken`, `TokenExpired`, `TokenRevoked`; `MfaEnrolmentRequired` when the organization wants a second
/// factor and the person has none; `Unavailable` when nobody can tell.
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

/// As [`authenticate`], for those as well who come to enrol the second factor that their organization wants.
///
/// # Errors
/// As [`authenticate`], but for `MfaEnrolmentRequired`.
pub async fn authenticate_to_enrol(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<Caller> {
    let (caller, _) = identify(services, context, token).await?;
    Ok(caller.allowed_to_lack_second_factor())
}

/// Whether the person has as many factors as their organization wants.
enum SecondFactor {
    Settled,
    Lacking,
}

async fn identify(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<(Caller, SecondFactor)> {
    if token.starts_with(api_token::MARK) {
        let caller = api_tokens::authenticate(services, context, token).await?;
        return Ok((caller, SecondFactor::Settled));
    }
    let claims = services.tokens.verify(token, services.now())?;
    if services.revocations.is_revoked(&claims) {
        return Err(Error::TokenRevoked);
    }
    if !services.revocations.is_fresh() {
        ask_the_database(services, &claims).await?;
    }
    let (revocations, store) = (&services.revocations, &services.store);
    let mut person = revocations
        .person(store, claims.sub)
        .await?
        .ok_or(Error::InvalidToken)?;
    if person.membership(claims.org_id).is_none() || person.lacks_second_factor(claims.org_id) {
        // Another instance may have added or enrolled them a moment ago and issued this token: a client
        // that is told `Token revoked` throws it away, so memory alone does not decide that.
        person = revocations
            .read_person(store, claims.sub)
            .await?
            .ok_or(Error::InvalidToken)?;
    }
    if person.user.disabled_at.is_some() || claims.ver < person.user.token_version {
        return Err(Error::TokenRevoked);
    }
    let membership = person
        .membership(claims.org_id)
        .ok_or(Error::TokenRevoked)?;
    let second_factor = if person.lacks_second_factor(claims.org_id) {
        SecondFactor::Lacking
    } else {
        SecondFactor::Settled
    };
    let profile = Profile::of(&person.user, membership);
    let credential = Credential::Session(claims.sid);
    let caller = Caller::new(profile, credential, claims.ver, context);
    Ok((caller, second_factor))
}

/// What the feed would tell if it had been read lately. The user's `token_version` is looked at by the caller.
async fn ask_the_database(services: &Services, claims: &Claims) -> Result<()> {
    let session_id = claims.sid;
    let session = services
        .store
        .read(move |tx| sessions::find(tx, session_id))
        .await?
        .ok_or(Error::InvalidToken)?;
    match session.revoked_at {
        None => Ok(()),
        Some(_) => Err(Error::TokenRevoked),
    }
}
