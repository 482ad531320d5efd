//! Lists the audit log of the caller's organization.

use crate::domain::Role;
use crate::domain::audit::{Wanted, WrittenEntry};
use crate::domain::ids::AuditId;
use crate::domain::page::{Page, PageRequest};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::audit;

/// The matching entries, newest first.
///
/// # Errors
/// `Forbidden` below `admin`.
pub async fn list_audit(
    services: &Services,
    caller: &MemberCaller,
    wanted: Wanted,
    request: PageRequest<AuditId>,
) -> Result<Page<WrittenEntry, AuditId>> {
    if caller.organization.role < Role::Admin {
        return Err(Error::Forbidden);
    }
    let organization_id = caller.organization.id;
    let rows = services
        .store
        .search(caller, move |tx| {
            audit::page(tx, organization_id, &wanted, &request).map_err(Error::from)
        })
        .await?;
    Ok(Page::of(rows, &request, |entry| entry.id))
}
