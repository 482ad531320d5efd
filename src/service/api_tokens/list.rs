//! Lists API tokens.

use crate::domain::page::{Page, PageRequest};
use crate::domain::{ApiToken, ApiTokenId};
use crate::service::api_tokens::holder;
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::api_tokens;

/// The caller's tokens in this organization, or all of them for an admin, oldest first, without revoked ones.
///
/// # Errors
/// `Forbidden` for a service.
pub async fn list_api_tokens(
    services: &Services,
    caller: &MemberCaller,
    request: PageRequest<ApiTokenId>,
) -> Result<Page<ApiToken, ApiTokenId>> {
    let holder = holder(caller)?;
    let organization_id = caller.organization.id;
    let rows = services
        .store
        .search(caller, move |tx| {
            api_tokens::page(tx, organization_id, holder, &request).map_err(Error::from)
        })
        .await?;
    Ok(Page::of(rows, &request, |token| token.id))
}
