//! `POST /api/auth/change-password`

use actix_web::web::{Data, Json};

use super::done::SuccessResponse;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, InvalidCredentials, ReauthenticationRequired, TooManyAttempts,
};
use crate::http::field::{Password, TypedPassword};
use crate::service::{self, Caller, Ending, Services};

body! {
    pub struct ChangePasswordRequest {
        /// Accounts without a password leave it out; they must have authenticated within the last fifteen minutes.
        #[schema(value_type = Option<String>, format = "password", min_length = 1, max_length = 1024,
            example = "correct horse battery staple")]
        current_password: Option<TypedPassword>,
        /// At least 8 characters, unless the operator set another minimum, and not a common password.
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 100,
            example = "an engine weaves algebra")]
        new_password: Password,
        /// True ends all API tokens of the caller; otherwise those end that the ending sessions made.
        #[schema(example = true)]
        end_api_tokens: Option<bool>,
    }
}

/// Change the password
///
/// All other sessions of the caller end.
#[utoipa::path(
    post,
    path = "/api/auth/change-password",
    tag = "Current user",
    security(("bearer" = [])),
    request_body = ChangePasswordRequest,
    responses((status = 200, description = "Changed.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([Forbidden, InvalidCredentials, ReauthenticationRequired, TooManyAttempts]))),
)]
pub(crate) async fn change_password(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<ChangePasswordRequest>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let current = body.current_password.as_ref().map(TypedPassword::expose);
    let api_tokens = Ending::all_if(body.end_api_tokens == Some(true));
    let new = body.new_password.expose();
    service::change_password(&services, &caller, current, new, api_tokens).await?;
    Ok(Json(SuccessResponse::YES))
}
