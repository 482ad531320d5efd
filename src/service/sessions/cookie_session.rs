//! The session of a cookie, and its renewal while in use.

use chrono::{DateTime, Utc};

use crate::domain::lifetimes;
use crate::service::{
    Error, Profile, RequestContext, Result, Services, SignedIn, authenticate, refresh,
};

/// The user of a valid cookie.
pub struct CookieSession {
    pub profile: Profile,
    /// When the token that the browser now has expires.
    pub expires_at: DateTime<Utc>,
    /// Replaces a token older than a day. The old one stays valid for concurrent requests of other tabs.
    pub renewed: Option<SignedIn>,
}

/// # Errors
/// As [`authenticate`]; `InvalidToken` for a token without a session.
pub async fn cookie_session(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<CookieSession> {
    let caller = authenticate(services, context, token).await?;
    caller.session_id().map_err(|_| Error::InvalidToken)?;
    let now = services.now();
    let claims = services.tokens.verify(token, now)?;
    let expires_at = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(Error::InvalidToken);
    if now.timestamp() - claims.iat < lifetimes::SESSION_COOKIE_AGE.num_seconds() {
        return Ok(CookieSession {
            profile: caller.profile,
            expires_at: expires_at(claims.exp)?,
            renewed: None,
        });
    }
    let renewed = refresh(services, &caller, None).await?;
    Ok(CookieSession {
        profile: renewed.profile.clone(),
        expires_at: expires_at(now.timestamp() + renewed.expires_in)?,
        renewed: Some(renewed),
    })
}
