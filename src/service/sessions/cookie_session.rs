//! The session of a cookie, and its renewal while in use.

use chrono::{DateTime, Utc};

use crate::domain::SessionId;
use crate::service::{
    Error, Profile, RequestContext, Result, Services, SignedIn, authenticate, refresh,
};

/// The user of a valid cookie.
pub struct CookieSession {
    pub session_id: SessionId,
    pub profile: Profile,
    /// When the token that the browser now has expires.
    pub expires_at: DateTime<Utc>,
    /// Replaces a token after a seventh of its life. The old one stays valid for concurrent requests of other tabs.
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
    let session_id = caller.session_id().map_err(|_| Error::InvalidToken)?;
    let now = services.now();
    let claims = services.tokens.verify(token, now)?;
    let time = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(Error::InvalidToken);
    let rules = services
        .revocations
        .rules(
            &services.store,
            (&caller).into(),
            caller.profile.organization.map(|active| active.id),
        )
        .await?;
    let lifetimes = services.lifetimes.under(rules.lifetimes);
    let unchanged = |profile| {
        Ok(CookieSession {
            session_id,
            profile,
            expires_at: time(claims.exp)?,
            renewed: None,
        })
    };
    if !lifetimes.is_cookie_outdated(time(claims.iat)?, now) {
        return unchanged(caller.profile);
    }
    let renewed = match refresh(services, &caller, None).await {
        Ok(renewed) => renewed,
        // The token is valid all the same, and a later request renews it.
        Err(Error::Busy(_) | Error::Conflict | Error::Unavailable(_)) => {
            return unchanged(caller.profile);
        }
        Err(error) => return Err(error),
    };
    Ok(CookieSession {
        session_id,
        profile: renewed.profile.clone(),
        expires_at: time(now.timestamp() + renewed.expires_in)?,
        renewed: Some(renewed),
    })
}
