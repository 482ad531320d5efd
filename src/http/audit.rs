//! `GET /api/audit`

use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::error_code::ErrorCode::{Forbidden, NoOrganization, ValidationFailed};
use super::field::FromText;
use super::paging::{cursor, page_request};
use super::query::{Query, searchable};
use crate::domain::UserId;
use crate::domain::audit::{Outcome, Wanted, WrittenEntry};
use crate::domain::ids::AuditId;
use crate::domain::violation::ValidationError;
use crate::service::{self, MemberCaller, Services};

/// Characters.
const MAX_ACTION: usize = 64;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Audit {
    /// Newest first.
    entries: Vec<AuditEntry>,
    /// For `cursor`; null on the last page.
    #[schema(required, example = "AZqfLl0bSiCcPWSx4PeowA")]
    next_cursor: Option<String>,
}

/// One action, successful or refused.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditEntry {
    id: AuditId,
    #[schema(example = "2026-11-22T09:30:00Z")]
    at: DateTime<Utc>,
    #[schema(example = "user.role_changed")]
    action: String,
    /// `ok` or `refused`.
    #[schema(example = "ok")]
    outcome: String,
    /// Who did it. Null before a sign-in, and for the operator.
    #[schema(required, example = "019a9f2e-5d1c-7c11-8d20-1f5e3a9b6c04")]
    actor_id: Option<UserId>,
    /// The user it was done to.
    #[schema(required, example = "019a9f2e-5d1b-7a20-9c3d-64b1e0f7a8c2")]
    subject_id: Option<UserId>,
    /// The client's IP address. Null for the operator.
    #[schema(required, example = "198.51.100.7")]
    address: Option<String>,
    /// The `X-Request-Id`.
    #[schema(example = "019a9f2e-5d1e-7b33-8f10-2a6c4e8d0b97")]
    request_id: String,
}

impl From<WrittenEntry> for AuditEntry {
    fn from(entry: WrittenEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            action: entry.action,
            outcome: entry.outcome,
            actor_id: entry.actor_id,
            subject_id: entry.subject_id,
            address: entry.address,
            request_id: entry.request_id,
        }
    }
}

/// Read the audit log
///
/// The entries of the caller's organization, for its admins. A refused login of a known account is listed in the
/// organization that the account joined first.
#[utoipa::path(
    get,
    path = "/api/audit",
    tag = "Audit",
    security(("bearer" = [])),
    params(
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 100,
            description = "Entries per page, 1 to 100; 100 by default."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page."),
        ("action" = Option<String>, Query, min_length = 1, max_length = 64,
            description = "Only this action, e.g. `session.login`."),
        ("outcome" = Option<String>, Query, description = "Only `ok` or only `refused`."),
        ("actorId" = Option<UserId>, Query, description = "Only actions by this user."),
        ("subjectId" = Option<UserId>, Query, description = "Only actions on this user."),
        ("from" = Option<DateTime<Utc>>, Query, description = "Only entries at or after this time."),
        ("to" = Option<DateTime<Utc>>, Query, description = "Only entries before this time."),
    ),
    responses((status = 200, description = "A page of the audit log.", body = Audit)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, ValidationFailed]))),
)]
pub(super) async fn audit(
    services: Data<Services>,
    caller: MemberCaller,
    query: Query,
) -> Result<Json<Audit>, ApiError> {
    let query = query.unambiguous()?;
    let mut faults = Vec::new();
    let request = page_request(&query, &mut faults, AuditId);
    let wanted = Wanted {
        action: query.read("action", &mut faults, action),
        outcome: query.read("outcome", &mut faults, outcome),
        actor_id: query.read("actorId", &mut faults, from_text),
        subject_id: query.read("subjectId", &mut faults, from_text),
        from: query.read("from", &mut faults, from_text),
        to: query.read("to", &mut faults, from_text),
    };
    ApiError::unless_none(faults)?;
    let page = service::list_audit(&services, &caller, wanted, request).await?;
    Ok(Json(Audit {
        entries: page.items.into_iter().map(AuditEntry::from).collect(),
        next_cursor: page.next.map(|id| cursor(id.0)),
    }))
}

fn from_text<T: FromText>(text: &str) -> Result<T, ValidationError> {
    T::from_text(text.to_owned())
}

fn action(text: &str) -> Result<String, ValidationError> {
    if text.is_empty() {
        let why = "Please name an action such as session.login, or leave this out.";
        return Err(ValidationError::new("required", why));
    }
    searchable(text, MAX_ACTION)
}

fn outcome(text: &str) -> Result<Outcome, ValidationError> {
    Outcome::parse(text)
        .ok_or_else(|| ValidationError::new("unknown_outcome", "Please send ok or refused."))
}
