//! Authenticates API tokens.

use chrono::{DateTime, Utc};

use crate::crypto::marked_secret::ApiTokenSecret;
use crate::domain::api_token::LAST_USED_PRECISION;
use crate::domain::{ActiveOrganization, Validity};
use crate::service::sessions::revocation_cache::{HeldApiToken, Known};
use crate::service::{Caller, Credential, Error, Profile, RequestContext, Result, Services};
use crate::store::{Requester, api_tokens};

/// Authenticates an API token. Usually this takes one SHA-256 and two look-ups in memory.
///
/// # Errors
/// `InvalidToken`, `TokenExpired`, `TokenRevoked`; `MfaEnrolmentRequired` if the organization requires a second
/// factor and the token's creator has none; `Unavailable` if the database is needed and does not answer.
pub(in crate::service) async fn authenticate(
    services: &Services,
    context: &RequestContext,
    text: &str,
) -> Result<Caller> {
    Ok(identify(services, context, text).await?.0)
}

/// As [`authenticate`], with the life of the token.
///
/// # Errors
/// As [`authenticate`].
pub(in crate::service) async fn identify(
    services: &Services,
    context: &RequestContext,
    text: &str,
) -> Result<(Caller, Validity)> {
    let secret = ApiTokenSecret::parse(text).ok_or(Error::InvalidToken)?;
    let hash = secret.hash();
    let now = services.now();
    let (revocations, store) = (&services.revocations, &services.store);
    let known = match revocations.api_token_owner(hash.as_str()) {
        Some((owner, organization_id)) => {
            let requester = Requester::member(organization_id, owner);
            revocations
                .person(store, requester, owner, Some(organization_id))
                .await?
        }
        None => None,
    };
    let known = match known {
        Some(known) if known.person.api_token(hash.as_str()).is_some() => known,
        // Just created by another instance, not seen here before, or invalid.
        Some(_) | None => look_up(services, context, hash.as_str()).await?,
    };
    let person = &known.person;
    let held = person.api_token(hash.as_str()).ok_or(Error::TokenRevoked)?;
    let token = &held.token;
    if person.user.disabled_at.is_some() {
        return Err(Error::TokenRevoked);
    }
    let membership = person
        .membership(token.organization_id)
        .ok_or(Error::TokenRevoked)?;
    if token.is_expired(now) {
        return Err(Error::TokenExpired);
    }
    if known.lacks_second_factor() {
        return Err(Error::MfaEnrolmentRequired);
    }
    let profile = Profile {
        organization: Some(ActiveOrganization {
            role: token.role_under(membership),
            ..ActiveOrganization::from(membership)
        }),
        ..Profile::of(&person.user, None)
    };
    let credential = Credential::ApiToken(token.id);
    let caller = Caller::new(profile, credential, person.user.token_version, context);
    note_use(services, &caller, held, now).await;
    let validity = Validity {
        issued_at: token.created_at,
        expires_at: token.expires_at,
    };
    Ok((caller, validity))
}

/// Reads the token's creator from the database and remembers them.
async fn look_up(services: &Services, context: &RequestContext, hash: &str) -> Result<Known> {
    let wanted = hash.to_owned();
    let token = services
        .store
        .read(context, move |tx| api_tokens::find_by_hash(tx, &wanted))
        .await?
        .ok_or(Error::InvalidToken)?;
    if token.revoked_at.is_some() {
        return Err(Error::TokenRevoked);
    }
    services.revocations.remember_api_token(hash, &token);
    services
        .revocations
        .read_person(
            &services.store,
            Requester::member(token.organization_id, token.creator_id),
            token.creator_id,
            Some(token.organization_id),
        )
        .await?
        .ok_or(Error::InvalidToken)
}

/// If this fails, the request succeeds nevertheless.
async fn note_use(services: &Services, caller: &Caller, held: &HeldApiToken, now: DateTime<Utc>) {
    if !held.is_first_use_in(LAST_USED_PRECISION, now) {
        return;
    }
    let id = held.token.id;
    let earlier = now - LAST_USED_PRECISION;
    let noted = services
        .store
        .record_use(caller, move |tx| api_tokens::touch(tx, id, earlier, now))
        .await;
    if let Err(error) = noted {
        tracing::warn!(%error, "the use of an API token was not recorded");
    }
}
