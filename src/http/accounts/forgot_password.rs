//! `POST /api/auth/forgot-password`

use actix_web::web::{Data, Json};

use super::some_address::SomeAddress;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, RequestContext, Services};

/// Ask for a new password
///
/// Writes a letter whose token is good for a new password for 30 minutes, if the address has an account. Whether it does
/// is not told: the answer is the same for every address. A fourth letter within an hour is not sent.
#[utoipa::path(
    post,
    path = "/api/auth/forgot-password",
    tag = "Accounts",
    request_body = SomeAddress,
    responses((status = 200, description = "SuccessResponse, whatever that was.", body = SuccessResponse)),
)]
pub async fn forgot_password(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<SomeAddress>,
) -> Result<Json<SuccessResponse>, ApiError> {
    service::forgot_password(&services, &context, body.email).await?;
    Ok(Json(SuccessResponse::YES))
}
