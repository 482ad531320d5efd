//! `POST /api/auth/resend-verification`

use actix_web::web::{Data, Json};

use super::some_address::SomeAddress;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, RequestContext, Services};

/// Resend the verification e-mail
///
/// Sends another e-mail to an address that is not verified yet, and invalidates the tokens of earlier ones. The
/// answer is the same for every address. A fourth e-mail within an hour is not sent.
#[utoipa::path(
    post,
    path = "/api/auth/resend-verification",
    tag = "Accounts",
    request_body = SomeAddress,
    responses((status = 200,
        description = "Accepted. The answer is the same whether or not the address has an account.",
        body = SuccessResponse)),
)]
pub(crate) async fn resend_verification(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<SomeAddress>,
) -> Result<Json<SuccessResponse>, ApiError> {
    service::resend_verification(&services, &context, body.email).await?;
    Ok(Json(SuccessResponse::YES))
}
