//! Who is asking: the bearer token of a request, judged.

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;

use super::error::ApiError;
use super::error_code::ErrorCode;
use crate::service::{Caller, Services, authenticate, authenticate_to_enrol};

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let token = bearer_token(request.headers())?;
            let services = request
                .app_data::<web::Data<Services>>()
                .ok_or_else(|| ApiError::internal("the application has no services"))?;
            Ok(authenticate(services, token).await?)
        })
    }
}

/// A caller who may still lack the second factor that their organization wants.
pub struct Enrolling(pub Caller);

impl FromRequest for Enrolling {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let token = bearer_token(request.headers())?;
            let services = request
                .app_data::<web::Data<Services>>()
                .ok_or_else(|| ApiError::internal("the application has no services"))?;
            Ok(Self(authenticate_to_enrol(services, token).await?))
        })
    }
}

/// RFC 6750 §2.1, with the scheme in any case (RFC 9110 §11.1).
fn bearer_token(headers: &HeaderMap) -> Result<&str, ErrorCode> {
    let mut credentials = headers.get_all(AUTHORIZATION);
    let credential = credentials
        .next()
        .ok_or(ErrorCode::AuthenticationRequired)?;
    if credentials.next().is_some() {
        // Two proxies in a row may each believe another one.
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
    fn without_a_bearer_credential_one_is_asked_for() {
        assert_eq!(token(&[]), Err(ErrorCode::AuthenticationRequired));
        assert_eq!(
            token(&["Basic YTpi"]),
            Err(ErrorCode::AuthenticationRequired)
        );
    }

    #[test]
    fn two_credentials_are_none() {
        assert_eq!(
            token(&["Bearer abc", "Bearer abc"]),
            Err(ErrorCode::InvalidToken)
        );
    }

    #[test]
    fn an_empty_credential_is_a_bad_one() {
        assert_eq!(token(&["Bearer"]), Err(ErrorCode::InvalidToken));
        assert_eq!(token(&["Bearer "]), Err(ErrorCode::InvalidToken));
    }
}
