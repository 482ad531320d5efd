//! `GET /api/auth/sessions`

use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::{self, SessionId, SessionKey, SessionKind};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, ValidationFailed};
use crate::http::paging::{cursor_of, page_request_by};
use crate::http::query::Query;
use crate::service::{self, Caller, Services};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sessions {
    /// Newest first.
    sessions: Vec<Session>,
    /// For `cursor`; null on the last page.
    #[schema(required, example = "AAZKd3XFSYABmp8uXRt6IJw9ZLHg96jC")]
    next_cursor: Option<String>,
}

/// One sign-in on one device.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    id: SessionId,
    /// `jwt`: access tokens, in the header or the session cookie. `token`: an opaque one for `/api/v1`.
    kind: SessionKind,
    /// The browser and its system ("Chrome on Windows"), or the program ("curl 7.88").
    #[schema(required, example = "Firefox on Linux")]
    device: Option<String>,
    /// The address of the sign-in.
    #[schema(required, example = "198.51.100.7")]
    address: Option<String>,
    #[schema(example = "2026-11-22T09:30:00Z")]
    created_at: DateTime<Utc>,
    #[schema(example = "2026-11-22T17:45:10Z")]
    last_used_at: DateTime<Utc>,
    #[schema(example = "2027-02-20T09:30:00Z")]
    expires_at: DateTime<Utc>,
    /// Whether it is the session of this request's token.
    #[schema(example = true)]
    current: bool,
}

impl Session {
    fn seen_from(current: SessionId, session: domain::Session) -> Self {
        Self {
            current: session.id == current,
            id: session.id,
            kind: session.kind,
            device: session.device,
            address: session.address.map(|address| address.to_string()),
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
        }
    }
}

/// A cursor holds microseconds since 1970, and the id.
fn key_of(cursor: &[u8]) -> Option<SessionKey> {
    let (created_at, id) = cursor.split_first_chunk()?;
    let micros = i64::from_be_bytes(*created_at);
    Some(SessionKey {
        created_at: DateTime::from_timestamp_micros(micros)?,
        id: SessionId(Uuid::from_slice(id).ok()?),
    })
}

fn bytes_of(key: SessionKey) -> Vec<u8> {
    let mut bytes = key.created_at.timestamp_micros().to_be_bytes().to_vec();
    bytes.extend_from_slice(key.id.0.as_bytes());
    bytes
}

/// List sessions
///
/// The live sessions of the caller, of every kind.
#[utoipa::path(
    get,
    path = "/api/auth/sessions",
    tag = "Sessions",
    security(("bearer" = [])),
    params(
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 100,
            description = "Sessions per page, 1 to 100; 100 by default."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page."),
    ),
    responses((status = 200, description = "A page of the caller's live sessions.", body = Sessions)),
    extensions(("x-error-codes" = json!([Forbidden, ValidationFailed]))),
)]
pub(crate) async fn sessions(
    services: Data<Services>,
    caller: Caller,
    query: Query,
) -> Result<Json<Sessions>, ApiError> {
    let current = caller.session_id()?;
    let query = query.unambiguous()?;
    let mut faults = Vec::new();
    let request = page_request_by(&query, &mut faults, key_of);
    ApiError::unless_none(faults)?;
    let page = service::list_sessions(&services, &caller, request).await?;
    let seen = |session| Session::seen_from(current, session);
    Ok(Json(Sessions {
        sessions: page.items.into_iter().map(seen).collect(),
        next_cursor: page.next.map(|key| cursor_of(&bytes_of(key))),
    }))
}
