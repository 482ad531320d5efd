//! Revoking an API token.

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::{ApiTokenId, Change, Role};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::api_tokens;

/// This instance rejects the token from now on, others within a second. Admins may revoke any token, others their own.
///
/// # Errors
/// `Forbidden` for a service; `ApiTokenNotFound` for a token that the caller does not see, or that was revoked.
pub async fn revoke_api_token(
    services: &Services,
    caller: &MemberCaller,
    id: ApiTokenId,
) -> Result<()> {
    caller.session_id()?;
    services
        .write_as(caller, move |unit, actor| {
            let holder = (actor.role() < Role::Admin).then_some(actor.id());
            let organization_id = actor.organization_id();
            let user_id = api_tokens::revoke(unit.tx, id, organization_id, holder, unit.now)?
                .ok_or(Error::ApiTokenNotFound)?;
            // The revocation cache holds tokens together with their creator.
            unit.changed(Change::PersonChanged { user_id });
            let event = unit.event(Action::ApiTokenRevoked).about(user_id);
            unit.finish(event.detail(json!({"id": id})), ())
        })
        .await
}
