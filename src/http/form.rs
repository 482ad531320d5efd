//! What a page's form posts: within the limits of every body, each field at most once.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use url::form_urlencoded;

use super::body;
use super::error::ApiError;
use super::error_code::ErrorCode;

/// More than any page has.
const MAX_FIELDS: usize = 20;

/// The fields of `application/x-www-form-urlencoded`, not validated. The page shows the form again if they are wrong.
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// `None` for a field that is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// The field as it was sent.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    fn parse(bytes: &[u8]) -> Result<Self, ApiError> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(bytes).into_owned() {
            let is_known = fields.iter().any(|(known, _)| *known == name);
            // The parser writes U+FFFD for invalid UTF-8: two passwords might become equal.
            if is_known || fields.len() == MAX_FIELDS || value.contains(['\0', '\u{fffd}']) {
                return Err(ErrorCode::MalformedRequest.into());
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }
}

impl FromRequest for Form {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = body::is_of(request.headers(), "application/x-www-form-urlencoded");
        let whole = body::whole(request, payload);
        Box::pin(async move {
            let bytes = whole.await?;
            if !is_form && !bytes.is_empty() {
                return Err(ErrorCode::UnsupportedMediaType.into());
            }
            Self::parse(&bytes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_empty_ones_are_missing() {
        let form = Form::parse(b"token=a%2Bb&password=two+w%C3%B6rds&email=").unwrap();
        assert_eq!(form.get("token"), Some("a+b"));
        assert_eq!(form.get("password"), Some("two wörds"));
        assert_eq!((form.get("email"), form.given("email")), (None, Some("")));
        assert_eq!((form.get("name"), form.given("name")), (None, None));
        assert_eq!(Form::parse(b"").unwrap().get("token"), None);
    }

    #[test]
    fn an_ambiguous_form_is_malformed() {
        let many = "a1=&".repeat(2) + &(0..30).map(|n| format!("f{n}=&")).collect::<String>();
        for body in [
            &b"token=a&token=b"[..],
            b"token=a&t%6fken=b",
            b"password=%ff",
            b"password=a%00b",
            many.as_bytes(),
        ] {
            let error = Form::parse(body).unwrap_err();
            assert_eq!(error.code(), ErrorCode::MalformedRequest);
        }
    }
}
