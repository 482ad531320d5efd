//! `POST /api/auth/logout-all`

use actix_web::web::{Data, Json};

use super::done::SuccessResponse;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::caller::Enrolling;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::Forbidden;
use crate::service::{self, Ending, Services};

body! {
    pub struct LogoutAllRequest {
        /// True ends all API tokens of the caller; otherwise those end that the ending sessions made.
        #[schema(example = true)]
        end_api_tokens: Option<bool>,
    }
}

/// Sign out everywhere
///
/// Ends all sessions of the caller, including this one.
#[utoipa::path(
    post,
    path = "/api/auth/logout-all",
    tag = "Sessions",
    security(("bearer" = [])),
    request_body = LogoutAllRequest,
    responses((status = 200, description = "Signed out everywhere.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([Forbidden]))),
)]
pub(crate) async fn logout_all(
    services: Data<Services>,
    Enrolling(caller): Enrolling,
    Valid(body): Valid<LogoutAllRequest>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let api_tokens = Ending::all_if(body.end_api_tokens == Some(true));
    service::logout_all(&services, &caller, api_tokens).await?;
    Ok(Json(SuccessResponse::YES))
}
