//! `POST /api/auth/forgot-password`

use actix_web::web::{Data, Json};

use super::some_address::SomeAddress;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, RequestContext, Services};

/// Request a password reset
///
/// Sends an e-mail with a token that is valid for 30 minutes, if the address has an account. The answer is the same
/// for every address. A fourth e-mail within half an hour is not sent.
#[utoipa::path(
    post,
    path = "/api/auth/forgot-password",
    tag = "Accounts",
    request_body = SomeAddress,
    responses((status = 200,
        description = "Accepted. The answer is the same whether or not the address has an account.",
        body = SuccessResponse)),
)]
pub(crate) async fn forgot_password(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<SomeAddress>,
) -> Result<Json<SuccessResponse>, ApiError> {
    service::forgot_password(&services, &context, body.email).await?;
    Ok(Json(SuccessResponse::YES))
}
