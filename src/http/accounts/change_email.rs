//! `POST /api/auth/change-email`

use actix_web::web::{Data, Json};

use crate::domain::Email;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    EmailTaken, Forbidden, InvalidCredentials, ReauthenticationRequired,
};
use crate::http::field::TypedPassword;
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, Caller, Services};

body! {
    pub struct ChangeEmailRequest {
        /// The new address.
        #[schema(value_type = String, format = "email", max_length = 254, example = "ada.king@example.com")]
        email: Email,
        /// Accounts without a password leave it out; they must have authenticated within the last fifteen minutes.
        #[schema(value_type = Option<String>, format = "password", min_length = 1, max_length = 1024,
            example = "correct horse battery staple")]
        password: Option<TypedPassword>,
    }
}

/// Change the e-mail address
///
/// Sends an e-mail to the new address. The account's address changes when the token of that e-mail comes to
/// `verify-email` within 24 hours; the old address is then notified.
#[utoipa::path(
    post,
    path = "/api/auth/change-email",
    tag = "Current user",
    security(("bearer" = [])),
    request_body = ChangeEmailRequest,
    responses((status = 200, description = "An e-mail was sent to the new address.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([InvalidCredentials, Forbidden, ReauthenticationRequired, EmailTaken]))),
)]
pub(crate) async fn change_email(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<ChangeEmailRequest>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let password = body.password.as_ref().map(TypedPassword::expose);
    service::change_email(&services, &caller, body.email, password).await?;
    Ok(Json(SuccessResponse::YES))
}
