//! `POST /api/auth/reauthenticate`

use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Violation;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::caller::Enrolling;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AuthenticatorUnusable, Forbidden, InvalidCode, InvalidCredentials, MfaNotEnrolled,
    TooManyAttempts,
};
use crate::http::field::TypedPassword;
use crate::service::{self, ReauthenticateWith, Services};

body! {
    /// One of both.
    pub struct ReauthenticateRequest {
        /// For accounts without an authenticator.
        #[schema(value_type = Option<String>, format = "password", min_length = 1, max_length = 1024,
            example = "correct horse battery staple")]
        password: Option<TypedPassword>,
        /// The code that the authenticator shows now. Recovery codes do not count.
        #[schema(example = "287082")]
        code: Option<String>,
    }
}

/// The session counts as fresh.
#[derive(Serialize, ToSchema)]
pub(crate) struct Reauthenticated {
    #[schema(example = true)]
    success: bool,
    /// For fifteen minutes.
    #[schema(example = "2026-11-22T12:15:00Z")]
    until: DateTime<Utc>,
}

/// Reauthenticate
///
/// Proves again who the caller is, for changes that stay: those calls answer 403 `reauthentication_required` if the
/// last sign-in or reauthentication of the session was more than fifteen minutes ago. With an authenticator enrolled
/// only its code counts. Wrong passwords and codes count as at sign-in.
#[utoipa::path(
    post,
    path = "/api/auth/reauthenticate",
    tag = "Current user",
    security(("bearer" = [])),
    request_body = ReauthenticateRequest,
    responses((status = 200, description = "Fresh for fifteen minutes.", body = Reauthenticated)),
    extensions(("x-error-codes" = json!([AuthenticatorUnusable, Forbidden, InvalidCode, InvalidCredentials, MfaNotEnrolled,
        TooManyAttempts]))),
)]
pub(crate) async fn reauthenticate(
    services: Data<Services>,
    Enrolling(caller): Enrolling,
    Valid(body): Valid<ReauthenticateRequest>,
) -> Result<Json<Reauthenticated>, ApiError> {
    let with = match (&body.password, &body.code) {
        (Some(password), None) => ReauthenticateWith::Password(password.expose()),
        (None, Some(code)) => ReauthenticateWith::Code(code),
        (None, None) | (Some(_), Some(_)) => {
            let why = "Please send the password, or a code of the authenticator.";
            return Err(vec![Violation::new("password", "either_or", why)].into());
        }
    };
    let until = service::reauthenticate(&services, &caller, with).await?;
    Ok(Json(Reauthenticated {
        success: true,
        until,
    }))
}
