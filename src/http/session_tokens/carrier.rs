//! Extracts the session token of a request and its session.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest};
use url::form_urlencoded;

use crate::http::app_data::{services, settings};
use crate::http::caller::{bearer_token, only_cookie};
use crate::http::cookies::Cookie;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;
use crate::http::request_metadata::request_context;
use crate::http::request_origin::{Csrf, RequestOrigin, admit_cookie_call};
use crate::http::settings::Settings;
use crate::service::Caller;
use crate::service::session_tokens::{self, TokenSession};

/// A live session, open or locked.
pub(crate) struct AnySession(pub TokenSession);

/// An open session, whose second factor is verified if one is needed: the only way to a [`Caller`] here.
pub(crate) struct OpenSession(pub Caller);

/// The request's session token, not verified yet: from the query or the header, or else from the cookie. Every call
/// of this API changes something, `GET /api/v1/logout` too, so a cookie must come from an allowed page.
pub(crate) struct Carried(pub String);

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

impl FromRequest for Carried {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(carried(request).map(Self))
    }
}

impl FromRequest for AnySession {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let token = carried(&request)?;
            let context = request_context(&request)?;
            let session =
                session_tokens::authenticate(services(&request)?, &context, &token).await?;
            Ok(Self(session))
        })
    }
}

impl FromRequest for OpenSession {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let any = AnySession::from_request(request, payload);
        Box::pin(async move {
            match any.await?.0 {
                TokenSession::Open(caller) => Ok(Self(caller)),
                TokenSession::Locked(_) => Err(ErrorCode::SessionLocked.into()),
            }
        })
    }
}

fn carried(request: &HttpRequest) -> Result<String, ApiError> {
    let settings = settings(request)?;
    let headers = request.headers();
    let in_query = token_of_query(request.query_string())?;
    let is_bearer = headers.contains_key(AUTHORIZATION);
    match (in_query, is_bearer) {
        (Some(token), false) => Ok(token),
        (None, true) => Ok(bearer_token(headers)?.to_owned()),
        // A request never mixes two identities.
        (Some(_), true) => Err(ErrorCode::InvalidToken.into()),
        (None, false) => Ok(token_of_cookie(request, settings)?.to_owned()),
    }
}

fn token_of_query(query: &str) -> Result<Option<String>, ErrorCode> {
    let mut tokens = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "token");
    let token = tokens.next().map(|(_, token)| token.into_owned());
    match tokens.next() {
        None => Ok(token),
        Some(_) => Err(ErrorCode::InvalidToken),
    }
}

fn token_of_cookie<'a>(request: &'a HttpRequest, settings: &Settings) -> Result<&'a str, ApiError> {
    let headers = request.headers();
    let token = only_cookie(headers, Cookie::SessionToken, settings)?;
    let csrf = Csrf::of(headers, None, services(request)?, settings);
    admit_cookie_call(RequestOrigin::of(headers, settings), csrf)?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_has_one_token_however_its_name_is_encoded() {
        assert_eq!(token_of_query(""), Ok(None));
        assert_eq!(token_of_query("x=1&%74oken=a-b"), Ok(Some("a-b".into())));
        assert_eq!(token_of_query("token="), Ok(Some(String::new())));
        assert_eq!(
            token_of_query("token=a&token=a"),
            Err(ErrorCode::InvalidToken)
        );
    }
}
