//! `POST /api/auth/resend-verification`

use actix_web::web::{Data, Json};

use super::some_address::SomeAddress;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, RequestContext, Services};

/// Ask for the verification letter again
///
/// Writes to an address that is still to be verified; older letters' tokens are void then. Whether it does is not told:
/// the answer is the same for every address. A fourth letter within an hour is not sent.
#[utoipa::path(
    post,
    path = "/api/auth/resend-verification",
    tag = "Accounts",
    request_body = SomeAddress,
    responses((status = 200, description = "SuccessResponse, whatever that was.", body = SuccessResponse)),
)]
pub async fn resend_verification(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<SomeAddress>,
) -> Result<Json<SuccessResponse>, ApiError> {
    service::resend_verification(&services, &context, body.email).await?;
    Ok(Json(SuccessResponse::YES))
}
