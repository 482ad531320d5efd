//! `POST /api/auth/set-password`

use actix_web::web::{Data, Json};

use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, PasswordAlreadySet, ReauthenticationRequired};
use crate::http::field::Password;
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, Caller, Services};

body! {
    pub struct SetPasswordRequest {
        /// At least 8 characters, unless the operator set another minimum, and not a common password.
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 100,
            example = "an engine weaves algebra")]
        new_password: Password,
    }
}

/// Set a first password
///
/// For accounts without a password, such as those from Slack. The caller must have authenticated within the last fifteen
/// minutes. All other sessions of the caller end. To sign in with it, the account needs an address.
#[utoipa::path(
    post,
    path = "/api/auth/set-password",
    tag = "Current user",
    security(("bearer" = [])),
    request_body = SetPasswordRequest,
    responses((status = 200, description = "Set.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([Forbidden, PasswordAlreadySet, ReauthenticationRequired]))),
)]
pub(crate) async fn set_password(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<SetPasswordRequest>,
) -> Result<Json<SuccessResponse>, ApiError> {
    service::set_password(&services, &caller, body.new_password.expose()).await?;
    Ok(Json(SuccessResponse::YES))
}
