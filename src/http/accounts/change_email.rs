//! `POST /api/auth/change-email`

use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::domain::Email;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{EmailTaken, Forbidden, InvalidCredentials};
use crate::http::field::{Parsed, Password, acceptable};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, Caller, Services};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeEmailRequest {
    /// The new address.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = String, format = "email", max_length = 254, example = "ada.king@example.com")]
    email: Parsed<Email>,
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = String, format = "password", min_length = 1, max_length = 100, example = "correct horse battery staple")]
    password: Parsed<Password>,
}

/// Change one's e-mail address
///
/// Writes to the new address; the account gets it when the letter's token comes to `verify-email`, within 24 hours, and
/// the old address is told then.
#[utoipa::path(
    post,
    path = "/api/auth/change-email",
    tag = "Oneself",
    security(("bearer" = [])),
    request_body = ChangeEmailRequest,
    responses((status = 200, description = "A letter is on its way to the new address.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([InvalidCredentials, Forbidden, EmailTaken]))),
)]
pub async fn change_email(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<ChangeEmailRequest>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let (email, password) = (body.email.into_value()?, body.password.into_value()?);
    service::change_email(&services, &caller, email, password.expose()).await?;
    Ok(Json(SuccessResponse::YES))
}
