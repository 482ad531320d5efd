//! A new token that replaces the request's, delivered the way that one came.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderMap, HeaderValue, SET_COOKIE};

use super::signed_in::SignIn;
use crate::http::caller::is_bearer;
use crate::http::cookies::Cookie;
use crate::http::settings::Settings;
use crate::service;

/// The login answer. A session cookie is renewed as well; otherwise it would stay in the previous organization.
pub(crate) fn renewed(
    sign_in: service::SignIn,
    headers: &HeaderMap,
    settings: &Settings,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(cookie) = renewed_cookie(&sign_in, headers, settings) {
        response.insert_header((SET_COOKIE, cookie));
    }
    response.json(SignIn::from(sign_in))
}

/// The session cookie with the new token, if the request's token came in it.
pub(crate) fn renewed_cookie(
    sign_in: &service::SignIn,
    headers: &HeaderMap,
    settings: &Settings,
) -> Option<HeaderValue> {
    let service::SignIn::Complete(signed_in) = sign_in else {
        return None;
    };
    if is_bearer(headers) {
        return None;
    }
    let (token, seconds) = (&signed_in.access_token, signed_in.expires_in);
    HeaderValue::from_str(&Cookie::Session.set(token, seconds, settings)).ok()
}
