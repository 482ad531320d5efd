//! Creates API tokens.

use chrono::{DateTime, SubsecRound as _, Utc};
use serde_json::json;

use crate::crypto::marked_secret::ApiTokenSecret;
use crate::domain::api_token::MAX_API_TOKENS;
use crate::domain::audit::Action;
use crate::domain::{ApiToken, ApiTokenId, ApiTokenName, EmailMessage, Role, Violation};
use crate::service::accounts::undo_link::{self, Undoable};
use crate::service::mail::gate;
use crate::service::unit_of_work::{MemberActor, UnitOfWork};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::api_tokens;

pub struct CreateApiToken {
    pub name: ApiTokenName,
    /// `employee` if missing.
    pub role: Option<Role>,
    /// The token does not expire if missing.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token and its secret, which is not shown again.
pub struct CreatedApiToken {
    pub token: ApiToken,
    pub secret: ApiTokenSecret,
}

/// # Errors
/// `Forbidden` for a service, and for a role above the caller's; `Invalid` for an expiry in the past;
/// `TooManyApiTokens`; `ReauthenticationRequired`.
pub async fn create_api_token(
    services: &Services,
    caller: &MemberCaller,
    create: CreateApiToken,
) -> Result<CreatedApiToken> {
    caller.session_id()?;
    let role = create.role.unwrap_or(Role::Employee);
    services
        .write_as(caller, move |unit, actor| {
            actor.must_be(role)?;
            let now = unit.now;
            let expires_at = create.expires_at.map(|end| end.trunc_subsecs(6));
            if expires_at.is_some_and(|end| end <= now) {
                let why = "Please choose a time to come, or leave this field out.";
                return Err(Violation::new("expiresAt", "in_the_past", why).into());
            }
            let (creator_id, organization_id) = (actor.id(), actor.organization_id());
            // The creator's account is locked, so concurrent requests cannot exceed the limit.
            let live = api_tokens::count_live(unit.tx, creator_id, organization_id, now)?;
            if live >= MAX_API_TOKENS {
                return Err(Error::TooManyApiTokens);
            }
            actor.must_be_fresh(now)?;
            let secret = ApiTokenSecret::new(unit.random());
            let token = ApiToken {
                id: ApiTokenId::new(now, unit.random()),
                name: create.name,
                prefix: secret.prefix(),
                creator_id,
                organization_id,
                role,
                created_at: now,
                expires_at,
                last_used_at: None,
                revoked_at: None,
            };
            let session_id = actor.session_id()?;
            api_tokens::insert(unit.tx, &token, secret.hash().as_str(), session_id)?;
            notify(unit, actor, &token)?;
            let event = unit.event(Action::ApiTokenCreated);
            let event = event.detail(json!({"id": token.id, "role": role.as_str()}));
            unit.finish(event, CreatedApiToken { token, secret })
        })
        .await
}

/// Tells the owner, in case someone else made the token, with a link that revokes it.
fn notify(unit: &mut UnitOfWork<'_, '_>, actor: &MemberActor, token: &ApiToken) -> Result<()> {
    let Some(email) = actor.user().email.clone() else {
        return Ok(());
    };
    let undoable = Undoable::ApiToken {
        id: token.id,
        organization_id: token.organization_id,
    };
    let secret = undo_link::store(unit, actor.id(), undoable)?;
    let message = EmailMessage::ApiTokenCreated {
        name: actor.user().name.to_string(),
        token_name: token.name.to_string(),
        role: token.role,
        token: secret.expose().to_owned(),
    };
    let is_verified = actor.account.email_verified_at.is_some();
    gate::send_notice(unit, actor.id(), email, &message, is_verified)?;
    Ok(())
}
