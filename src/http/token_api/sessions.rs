//! `GET /api/auth/sessions`

use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{self, SessionId, SessionKind};
use crate::http::error::ApiError;
use crate::service::{self, Caller, Services};

#[derive(Serialize, ToSchema)]
pub(crate) struct Sessions {
    /// Newest first.
    sessions: Vec<Session>,
}

/// One sign-in on one device.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    id: SessionId,
    /// `jwt`: access tokens, in the header or the session cookie. `token`: an opaque one for `/api/v1`.
    kind: SessionKind,
    /// The `User-Agent` of the sign-in.
    #[schema(required, example = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")]
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

/// List sessions
///
/// All live sessions of the caller, of every kind.
#[utoipa::path(
    get,
    path = "/api/auth/sessions",
    tag = "Sessions",
    security(("bearer" = [])),
    responses((status = 200, description = "The caller's live sessions.", body = Sessions)),
)]
pub(crate) async fn sessions(
    services: Data<Services>,
    caller: Caller,
) -> Result<Json<Sessions>, ApiError> {
    let current = caller.session_id()?;
    let sessions = service::list_sessions(&services, &caller).await?;
    let seen = |session| Session::seen_from(current, session);
    Ok(Json(Sessions {
        sessions: sessions.into_iter().map(seen).collect(),
    }))
}
