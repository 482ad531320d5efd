//! A token for a service.

use chrono::{DateTime, SubsecRound as _, Utc};

use crate::crypto::api_token::ApiTokenSecret;
use crate::domain::api_token::MAX_API_TOKENS;
use crate::domain::audit::Action;
use crate::domain::{ApiToken, ApiTokenId, ApiTokenName, Fault, Role};
use crate::service::{Caller, Error, RequestContext, Result, Services};
use crate::store::{api_tokens, audit, memberships, organizations};

pub struct CreateApiToken {
    pub name: ApiTokenName,
    /// The least one when missing.
    pub role: Option<Role>,
    /// Never when missing.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token and, this once, its secret.
pub struct CreatedApiToken {
    pub token: ApiToken,
    pub secret: ApiTokenSecret,
}

/// # Errors
/// `Forbidden` for a service, and for a role above the caller's; `Invalid` for an end that is past;
/// `TooManyApiTokens`.
pub async fn create_api_token(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    create: CreateApiToken,
) -> Result<CreatedApiToken> {
    caller.session_id()?;
    let role = create.role.unwrap_or(Role::Employee);
    if role > caller.profile.role {
        return Err(Error::Forbidden);
    }
    let now = services.now();
    let expires_at = create.expires_at.map(|end| end.trunc_subsecs(6));
    if expires_at.is_some_and(|end| end <= now) {
        let why = "Please choose a time to come, or leave this field out.";
        return Err(Fault::new("expiresAt", "in_the_past", why).into());
    }
    let secret = ApiTokenSecret::new(services.random());
    let token = ApiToken {
        id: ApiTokenId::new(now, services.random()),
        name: create.name,
        prefix: secret.prefix(),
        creator_id: caller.profile.id,
        organization_id: caller.profile.organization_id,
        role,
        created_at: now,
        expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    let entry = services.audit_own(context, now, Action::ApiTokenCreated, caller);
    let hash = secret.hash();
    let token = services
        .store
        .write(move |tx| {
            let (creator_id, organization_id) = (token.creator_id, token.organization_id);
            // Neither is the creator removed meanwhile, nor are two tokens the last one.
            organizations::lock(tx, organization_id)?.ok_or(Error::TokenRevoked)?;
            memberships::find(tx, creator_id, organization_id)?.ok_or(Error::TokenRevoked)?;
            if api_tokens::count_live(tx, creator_id, organization_id, now)? >= MAX_API_TOKENS {
                return Err(Error::TooManyApiTokens);
            }
            api_tokens::insert(tx, &token, hash.as_str())?;
            audit::insert(tx, &entry)?;
            Ok(token)
        })
        .await?;
    Ok(CreatedApiToken { token, secret })
}
