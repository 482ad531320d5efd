//! A token opens nothing any more.

use crate::domain::audit::{Action, AuditEntry};
use crate::domain::{ApiTokenId, Change, lifetimes};
use crate::service::api_tokens::holder;
use crate::service::{Caller, Error, RequestContext, Result, Services, record_changes};
use crate::store::{api_tokens, audit};

/// It is refused here from now on, and on every other instance within a second.
///
/// # Errors
/// `Forbidden` for a service; `ApiTokenNotFound` for a token that the caller does not see, or that was revoked.
pub async fn revoke_api_token(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    id: ApiTokenId,
) -> Result<()> {
    let holder = holder(caller)?;
    let now = services.now();
    let entry = services.audit_own(context, now, Action::ApiTokenRevoked, caller);
    let organization_id = caller.profile.organization_id;
    let changes = services
        .store
        .write(move |tx| {
            let creator_id = api_tokens::revoke(tx, id, organization_id, holder, now)?
                .ok_or(Error::ApiTokenNotFound)?;
            audit::insert(
                tx,
                &AuditEntry {
                    subject_id: Some(creator_id),
                    ..entry
                },
            )?;
            // Instances hold tokens together with the person who made them.
            let changes = [Change::PersonChanged {
                user_id: creator_id,
            }];
            record_changes(tx, &changes, now)?;
            Ok::<_, Error>(changes)
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}
