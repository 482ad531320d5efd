//! `GET /api/tokens`

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::api_token::ApiToken;
use crate::domain::ApiTokenId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, NoOrganization, ValidationFailed};
use crate::http::paging::{cursor, page_request};
use crate::http::query::Query;
use crate::service::{self, MemberCaller, Services};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiTokens {
    /// Oldest first, without revoked tokens.
    tokens: Vec<ApiToken>,
    /// For `cursor`; null on the last page.
    #[schema(required, example = "AZqfLl0bSiCcPWSx4PeowA")]
    next_cursor: Option<String>,
}

/// List API tokens
///
/// The caller's own in this organization; for admins, all of them.
#[utoipa::path(
    get,
    path = "/api/tokens",
    tag = "API tokens",
    security(("bearer" = [])),
    params(
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 100,
            description = "Tokens per page, 1 to 100; 100 by default."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page."),
    ),
    responses((status = 200, description = "A page of tokens.", body = ApiTokens)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, ValidationFailed]))),
)]
pub(crate) async fn list_api_tokens(
    services: Data<Services>,
    caller: MemberCaller,
    query: Query,
) -> Result<Json<ApiTokens>, ApiError> {
    let query = query.unambiguous()?;
    let mut faults = Vec::new();
    let request = page_request(&query, &mut faults, ApiTokenId);
    ApiError::unless_none(faults)?;
    let page = service::list_api_tokens(&services, &caller, request).await?;
    Ok(Json(ApiTokens {
        tokens: page.items.into_iter().map(ApiToken::from).collect(),
        next_cursor: page.next.map(|id| cursor(id.0)),
    }))
}
