//! Whether a visitor may pass, as both gates answer it.

use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse};

use super::{identity, visit};
use crate::http::app_data::{services, settings};
use crate::http::caller::{PresentedCredential, admitted_to};
use crate::http::cookies::Cookie;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;
use crate::http::request_metadata::request_context;
use crate::service::{Credential, Error, authenticate, cookie_session};

/// 200 with the visitor's identity in headers, which are all there in every 200: proxies pass on those of the visitor
/// that an answer lacks. The body is not read.
pub(super) async fn admit(request: &HttpRequest) -> Result<HttpResponse, ApiError> {
    let (services, settings) = (services(request)?, settings(request)?);
    let presented = admitted_to(request, visit::is_safe(request))?;
    let context = request_context(request)?;
    let (profile, credential, renewed) = match presented {
        PresentedCredential::Bearer(token) => {
            let caller = authenticate(services, &context, token).await?;
            (caller.profile, caller.credential, None)
        }
        PresentedCredential::Cookie(token) => {
            settings.method_warning.warn_if_missing(request);
            let session = cookie_session(services, &context, token)
                .await
                .map_err(signed_out)?;
            let credential = Credential::Session(session.session_id);
            (session.profile, credential, session.renewed)
        }
    };
    let mut answer = HttpResponse::Ok();
    for header in identity::headers(&profile, credential)? {
        answer.insert_header(header);
    }
    if let Some(renewed) = renewed {
        let cookie = Cookie::Session.set(&renewed.access_token, renewed.expires_in, settings);
        answer.insert_header((SET_COOKIE, cookie));
    }
    Ok(answer.finish())
}

/// What refuses the renewal of a cookie asks for another sign-in.
fn signed_out(error: Error) -> ApiError {
    match error {
        Error::SessionTooOld | Error::ReauthenticationRequired => ErrorCode::TokenExpired.into(),
        Error::OrganizationNotFound => ErrorCode::TokenRevoked.into(),
        error => error.into(),
    }
}
