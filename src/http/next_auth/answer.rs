//! Responses that lead to another URL: as a redirect, or as JSON with the URL.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, LOCATION, SET_COOKIE};
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use super::redirect_target;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;
use crate::http::settings::Settings;

/// The URL to go to next.
#[derive(Serialize, ToSchema)]
pub(crate) struct Next {
    /// After a failure it has an `error` parameter.
    #[schema(format = "uri", example = "https://app.example.com/dashboard")]
    url: String,
}

/// 302 to `url`, or 200 with it.
pub(crate) fn lead_to(url: &Url, wants_url: bool, cookies: &[String]) -> HttpResponse {
    let mut response = if wants_url {
        HttpResponse::Ok()
    } else {
        HttpResponse::Found()
    };
    for cookie in cookies {
        response.append_header((SET_COOKIE, cookie.as_str()));
    }
    if wants_url {
        return response.json(Next {
            url: url.to_string(),
        });
    }
    response.insert_header((LOCATION, url.as_str())).finish()
}

/// A failed sign-in, in the form the client expects: the NextAuth client looks for `error` in the URL it gets, a form
/// is redirected to its page, for the same tenant, and a script gets a status.
pub(crate) fn refuse_sign_in(
    error: ApiError,
    wants_url: bool,
    is_json: bool,
    (onward, tenant): (&Url, Option<&str>),
    settings: &Settings,
) -> Result<HttpResponse, ApiError> {
    if wants_url {
        let error = match error.code() {
            // An invalid address has no account.
            ErrorCode::ValidationFailed => ErrorCode::InvalidCredentials.into(),
            _ => error,
        };
        let parameters = [("error", word(error.code())), ("provider", "credentials")];
        let url = redirect_target::page("/api/auth/error", &parameters, settings);
        return Ok(with_url(error, &url));
    }
    if is_json {
        return Err(error);
    }
    let mut parameters = vec![
        ("error", word(error.code())),
        ("callbackUrl", onward.as_str()),
    ];
    parameters.extend(tenant.map(|tenant| ("tenant", tenant)));
    let page = redirect_target::page("/api/auth/signin", &parameters, settings);
    Ok(lead_to(&page, false, &[]))
}

/// The error's status and headers with the body that the NextAuth client reads.
fn with_url(error: ApiError, url: &Url) -> HttpResponse {
    let body = serde_json::json!({ "url": url.as_str() }).to_string();
    let mut answer = HttpResponse::from_error(error).set_body(BoxBody::new(body));
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}

/// NextAuth's name for the error where it has one, otherwise ours.
fn word(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::InvalidCredentials | ErrorCode::ValidationFailed => "CredentialsSignin",
        ErrorCode::SecondFactorRequired => "MfaRequired",
        ErrorCode::InvalidCode => "InvalidCode",
        ErrorCode::MfaEnrolmentRequired => "MfaEnrolmentRequired",
        ErrorCode::TooManyAttempts => "TooManyAttempts",
        ErrorCode::EmailNotVerified => "EmailNotVerified",
        ErrorCode::Forbidden => "AccessDenied",
        code => code.as_str(),
    }
}
