//! `POST /api/auth/change-password`

use actix_web::web::{Data, Json};

use super::done::SuccessResponse;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, InvalidCredentials, TooManyAttempts};
use crate::http::field::Password;
use crate::service::{self, Caller, Services};

body! {
    pub struct ChangePasswordRequest {
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 100,
            example = "correct horse battery staple")]
        current_password: Password,
        /// At least 8 characters, unless the operator set another minimum, and not a common password.
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 100,
            example = "an engine weaves algebra")]
        new_password: Password,
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
    extensions(("x-error-codes" = json!([Forbidden, InvalidCredentials, TooManyAttempts]))),
)]
pub(crate) async fn change_password(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<ChangePasswordRequest>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let (current, new) = (body.current_password, body.new_password);
    service::change_password(&services, &caller, current.expose(), new.expose()).await?;
    Ok(Json(SuccessResponse::YES))
}
