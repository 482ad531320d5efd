//! What a token is, for another service that was shown it.

use chrono::DateTime;

use crate::crypto::marked_secret::{ApiTokenSecret, ServiceKeySecret};
use crate::domain::Validity;
use crate::service::session_tokens::{self, SessionToken, TokenSession};
use crate::service::{
    Credential, Error, Profile, RequestContext, Result, Services, api_tokens, authenticate,
};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A JWT of the token API.
    Access,
    /// `hp_…`
    Api,
    /// Of `/api/v1`, 64 characters.
    Session,
}

/// A token that Hallpass itself would accept now.
pub struct ActiveToken {
    pub kind: TokenKind,
    /// As the database has it, not as the token says.
    pub profile: Profile,
    pub credential: Credential,
    pub validity: Validity,
    /// `JWT_ISSUER`.
    pub issuer: Option<String>,
    /// `JWT_AUDIENCE`.
    pub audience: Option<String>,
}

/// `None` for everything that Hallpass would not accept: a token that is unknown, expired or revoked, whose user is
/// disabled or lacks a second factor, or the key of a service.
///
/// # Errors
/// `Unavailable` or `Busy` if the database is needed and does not answer.
pub async fn introspect(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<Option<ActiveToken>> {
    match active(services, context, token).await {
        Ok(active) => Ok(active),
        Err(
            Error::InvalidToken
            | Error::TokenExpired
            | Error::TokenRevoked
            | Error::MfaEnrolmentRequired,
        ) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn active(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<Option<ActiveToken>> {
    let (kind, caller, validity) = if ServiceKeySecret::is_marked(token) {
        return Ok(None);
    } else if ApiTokenSecret::is_marked(token) {
        let (caller, validity) = api_tokens::identify(services, context, token).await?;
        (TokenKind::Api, caller, validity)
    } else if SessionToken::parse(token).is_some() {
        match session_tokens::identify(services, context, token).await? {
            (TokenSession::Open(caller), validity) => (TokenKind::Session, caller, validity),
            (TokenSession::Locked(_), _) => return Ok(None),
        }
    } else {
        let caller = authenticate(services, context, token).await?;
        let claims = services.tokens.verify(token, services.now())?;
        let time = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(Error::InvalidToken);
        let validity = Validity {
            issued_at: time(claims.iat)?,
            expires_at: Some(time(claims.exp)?),
        };
        (TokenKind::Access, caller, validity)
    };
    Ok(Some(ActiveToken {
        kind,
        profile: caller.profile,
        credential: caller.credential,
        validity,
        issuer: services.tokens.rules().issuer.clone(),
        audience: services.tokens.rules().audience.clone(),
    }))
}
