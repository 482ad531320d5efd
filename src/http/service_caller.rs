//! Authenticates other services by their keys: as a bearer token, or as the password of Basic authentication.

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use data_encoding::BASE64;
use futures_util::future::LocalBoxFuture;
use percent_encoding::percent_decode_str;

use super::app_data::services;
use super::caller::bearer_token;
use super::error::ApiError;
use super::error_code::ErrorCode;
use super::request_metadata::request_context;
use crate::service::{ServiceCaller, authenticate_service};

impl FromRequest for ServiceCaller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            caller(&request)
                .await
                .map_err(ApiError::answered_by_basic_too)
        })
    }
}

async fn caller(request: &HttpRequest) -> Result<ServiceCaller, ApiError> {
    let presented = PresentedKey::by(request.headers())?;
    let context = request_context(request)?;
    let caller = authenticate_service(services(request)?, &context, &presented.key).await?;
    match presented.user {
        Some(user) if !caller.is_called(&user) => Err(ErrorCode::InvalidToken.into()),
        Some(_) | None => Ok(caller),
    }
}

/// The key of a request, not verified yet.
#[derive(Debug, PartialEq, Eq)]
struct PresentedKey {
    /// With Basic: the name or the id of the service.
    user: Option<String>,
    key: String,
}

impl PresentedKey {
    /// # Errors
    /// `AuthenticationRequired` without a key; `InvalidToken` for one that cannot be read, or two.
    fn by(headers: &HeaderMap) -> Result<Self, ErrorCode> {
        let mut credentials = headers.get_all(AUTHORIZATION);
        let only = credentials.next().filter(|_| credentials.next().is_none());
        let basic = only
            .and_then(|credential| credential.to_str().ok())
            .and_then(|credential| credential.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Basic"));
        match basic {
            Some((_, encoded)) => Self::of_basic(encoded).ok_or(ErrorCode::InvalidToken),
            None => Ok(Self {
                user: None,
                key: bearer_token(headers)?.to_owned(),
            }),
        }
    }

    /// RFC 7617 §2, with user and password form-encoded or not (RFC 6749 §2.3.1). Names and keys have no character that
    /// the encoding changes, so both are read the same way.
    fn of_basic(encoded: &str) -> Option<Self> {
        let bytes = BASE64.decode(encoded.trim_matches(' ').as_bytes()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (user, key) = text.split_once(':')?;
        let decoded = |text| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
        Some(Self {
            user: Some(decoded(user)?),
            key: decoded(key)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn presented(credentials: &[&str]) -> Result<PresentedKey, ErrorCode> {
        let mut headers = HeaderMap::new();
        for credential in credentials {
            headers.append(AUTHORIZATION, HeaderValue::from_str(credential).unwrap());
        }
        PresentedKey::by(&headers)
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", BASE64.encode(text.as_bytes()))
    }

    #[test]
    fn a_key_comes_by_bearer_or_basic_encoded_or_not() {
        let of = |user: Option<&str>, key: &str| {
            Ok(PresentedKey {
                user: user.map(str::to_owned),
                key: key.to_owned(),
            })
        };
        assert_eq!(presented(&["Bearer hps_a-b_c"]), of(None, "hps_a-b_c"));
        for text in ["billing.v2:hps_a-b_c", "billing%2Ev2:hps%5Fa%2Db%5Fc"] {
            let read = of(Some("billing.v2"), "hps_a-b_c");
            assert_eq!(presented(&[&basic(text)]), read);
            assert_eq!(
                presented(&[&basic(text).replace("Basic ", "bASIC  ")]),
                read
            );
        }
        assert_eq!(presented(&[&basic(":a:b")]), of(Some(""), "a:b"));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert_eq!(presented(&[]), Err(ErrorCode::AuthenticationRequired));
        assert_eq!(
            presented(&["Digest x"]),
            Err(ErrorCode::AuthenticationRequired)
        );
        let key = basic("a:b");
        for credentials in [
            &["Basic"][..],
            &["Basic "],
            &["Basic ????"],
            &["Basic YTpi="],
            &[&basic("no-colon")],
            &[&basic("%ff:b")],
            &[&key, &key],
            &[&key, "Bearer x"],
            &["Bearer x", &key],
        ] {
            let refused = presented(credentials);
            assert!(
                matches!(
                    refused,
                    Err(ErrorCode::InvalidToken | ErrorCode::AuthenticationRequired)
                ),
                "{credentials:?}: {refused:?}"
            );
        }
    }
}
