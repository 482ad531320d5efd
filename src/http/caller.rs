//! Authenticates requests: by bearer token or session cookie.

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;

use super::app_data::{services, settings};
use super::cookies::Cookie;
use super::error::ApiError;
use super::error_code::ErrorCode;
use super::request_metadata::request_context;
use super::request_origin::{Csrf, RequestOrigin, admit_cookie_call};
use super::session_cookie;
use super::settings::Settings;
use crate::service::{
    Caller, Credential, MemberCaller, Services, authenticate, authenticate_to_enrol,
};

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let presented = admitted(&request)?;
            let context = request_context(&request)?;
            let caller = authenticate(services(&request)?, &context, presented.token()).await?;
            presented.must_fit(caller)
        })
    }
}

impl FromRequest for MemberCaller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload);
        Box::pin(async move { Ok(Self::try_from(caller.await?)?) })
    }
}

/// A caller who may still lack the second factor that the organization requires: may enrol it, or sign out.
pub(super) struct Enrolling(pub Caller);

impl FromRequest for Enrolling {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let presented = admitted(&request)?;
            let context = request_context(&request)?;
            let services = services(&request)?;
            let caller = authenticate_to_enrol(services, &context, presented.token()).await?;
            presented.must_fit(caller).map(Self)
        })
    }
}

/// The request's credential. A cookie on an unsafe method also requires that the sending page is allowed.
fn admitted(request: &HttpRequest) -> Result<PresentedCredential<'_>, ApiError> {
    admitted_to(request, is_safe(request.method()))
}

/// As the credential of a call that is safe (RFC 9110 §9.2.1) or not.
pub(super) fn admitted_to(
    request: &HttpRequest,
    is_safe: bool,
) -> Result<PresentedCredential<'_>, ApiError> {
    let (headers, settings) = (request.headers(), settings(request)?);
    let is_foreign =
        |token: &str| services(request).is_ok_and(|services| services.is_foreign_session(token));
    let presented = PresentedCredential::of(headers, settings, is_foreign)?;
    if matches!(presented, PresentedCredential::Cookie(_)) && !is_safe {
        let csrf = Csrf::of(headers, None, services(request)?, settings);
        admit_cookie_call(RequestOrigin::of(headers, settings), csrf)?;
    }
    Ok(presented)
}

/// RFC 9110 §9.2.1, for the methods we answer.
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The one credential of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PresentedCredential<'a> {
    Bearer(&'a str),
    /// The session cookie. It counts only without `Authorization`, so that a request never mixes two identities.
    Cookie(&'a str),
}

impl<'a> PresentedCredential<'a> {
    /// # Errors
    /// `AuthenticationRequired` without a credential; `InvalidToken` for two of a kind.
    pub(super) fn by(
        headers: &'a HeaderMap,
        (services, settings): (&Services, &Settings),
    ) -> Result<Self, ErrorCode> {
        Self::of(headers, settings, |token| {
            services.is_foreign_session(token)
        })
    }

    fn of(
        headers: &'a HeaderMap,
        settings: &Settings,
        is_foreign: impl Fn(&str) -> bool,
    ) -> Result<Self, ErrorCode> {
        if is_bearer(headers) {
            return bearer_token(headers).map(Self::Bearer);
        }
        session_cookie::only(headers, settings, is_foreign).map(Self::Cookie)
    }

    pub(super) fn token(self) -> &'a str {
        match self {
            Self::Bearer(token) | Self::Cookie(token) => token,
        }
    }

    /// # Errors
    /// `InvalidToken` for a token that must not come in a cookie.
    pub(super) fn must_fit(self, caller: Caller) -> Result<Caller, ApiError> {
        match (self, caller.credential) {
            (Self::Cookie(_), Credential::ApiToken(_)) => Err(ErrorCode::InvalidToken.into()),
            _ => Ok(caller),
        }
    }
}

/// Whether the credential of a request is in `Authorization`; no cookie counts then.
pub(super) fn is_bearer(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}

/// # Errors
/// `AuthenticationRequired` without the cookie; `InvalidToken` for two, as another host of the domain may have set
/// one.
pub(super) fn only_cookie<'a>(
    headers: &'a HeaderMap,
    cookie: Cookie,
    settings: &Settings,
) -> Result<&'a str, ErrorCode> {
    let mut values = cookie.all(headers, settings);
    let value = values.next().ok_or(ErrorCode::AuthenticationRequired)?;
    match values.next() {
        None => Ok(value),
        Some(_) => Err(ErrorCode::InvalidToken),
    }
}

/// RFC 6750 §2.1, with the scheme in any case (RFC 9110 §11.1).
pub(super) fn bearer_token(headers: &HeaderMap) -> Result<&str, ErrorCode> {
    let mut credentials = headers.get_all(AUTHORIZATION);
    let credential = credentials
        .next()
        .ok_or(ErrorCode::AuthenticationRequired)?;
    if credentials.next().is_some() {
        // Two proxies in a row might each use another one.
        return Err(ErrorCode::InvalidToken);
    }
    let credential = credential.to_str().map_err(|_| ErrorCode::InvalidToken)?;
    let (scheme, token) = credential.split_once(' ').unwrap_or((credential, ""));
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(ErrorCode::AuthenticationRequired);
    }
    match token.trim_matches(' ') {
        "" => Err(ErrorCode::InvalidToken),
        token => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn token(credentials: &[&'static str]) -> Result<String, ErrorCode> {
        let mut headers = HeaderMap::new();
        for credential in credentials {
            headers.append(AUTHORIZATION, HeaderValue::from_static(credential));
        }
        bearer_token(&headers).map(str::to_owned)
    }

    #[test]
    fn the_scheme_is_written_in_any_case() {
        for credential in ["Bearer abc", "bearer abc", "BEARER abc", "Bearer  abc"] {
            assert_eq!(token(&[credential]), Ok("abc".to_owned()));
        }
    }

    #[test]
    fn a_missing_bearer_credential_is_requested() {
        assert_eq!(token(&[]), Err(ErrorCode::AuthenticationRequired));
        assert_eq!(
            token(&["Basic YTpi"]),
            Err(ErrorCode::AuthenticationRequired)
        );
    }

    #[test]
    fn two_bearer_credentials_are_rejected() {
        assert_eq!(
            token(&["Bearer abc", "Bearer abc"]),
            Err(ErrorCode::InvalidToken)
        );
    }

    #[test]
    fn a_cookie_counts_only_without_authorization_and_only_once() {
        use actix_web::http::header::COOKIE;

        let settings = crate::http::settings::tests::settings("http://localhost");
        let mut headers = HeaderMap::new();
        let cookie = HeaderValue::from_static("next-auth.session-token=abc");
        headers.append(COOKIE, cookie.clone());
        let presented =
            |headers: &HeaderMap| match PresentedCredential::of(headers, &settings, |_| false) {
                Ok(PresentedCredential::Cookie(token)) => Ok(format!("cookie {token}")),
                Ok(PresentedCredential::Bearer(token)) => Ok(format!("bearer {token}")),
                Err(code) => Err(code),
            };
        assert_eq!(presented(&headers), Ok("cookie abc".to_owned()));
        headers.append(COOKIE, cookie);
        assert_eq!(presented(&headers), Err(ErrorCode::InvalidToken));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer def"));
        assert_eq!(presented(&headers), Ok("bearer def".to_owned()));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
        assert_eq!(presented(&headers), Err(ErrorCode::AuthenticationRequired));
        headers.clear();
        assert_eq!(presented(&headers), Err(ErrorCode::AuthenticationRequired));
    }

    #[test]
    fn an_empty_credential_is_invalid() {
        assert_eq!(token(&["Bearer"]), Err(ErrorCode::InvalidToken));
        assert_eq!(token(&["Bearer "]), Err(ErrorCode::InvalidToken));
    }
}
