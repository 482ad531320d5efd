//! What NextAuth clients send: a form or JSON, with extra fields.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::form_urlencoded;

use crate::domain::Violation;
use crate::http::body::{self, Fields};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;

/// A body whose fields are optional texts. Unknown ones are ignored, because the client sends its own options too.
pub(crate) struct Sent<T> {
    pub is_json: bool,
    pub fields: T,
}

/// Whether the field `json` asks for the URL as JSON instead of a redirect.
pub(super) fn wants_url(json: Option<&str>) -> bool {
    json == Some("true")
}

impl<T: DeserializeOwned> Sent<T> {
    /// A field that is empty, or that is not text, counts as missing.
    fn new(is_json: bool, fields: Vec<(String, Value)>) -> Result<Self, ApiError> {
        let text = |value| match value {
            Value::String(text) if !text.is_empty() => Some(Value::String(text)),
            Value::Bool(word) => Some(Value::String(word.to_string())),
            _ => None,
        };
        let fields = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, text(value)?)))
            .collect();
        let fields = serde_json::from_value(fields).map_err(|_| ErrorCode::MalformedRequest)?;
        Ok(Self { is_json, fields })
    }

    fn of_json(bytes: &[u8]) -> Result<Self, ApiError> {
        Self::new(true, Fields::parse(bytes)?.into_values()?)
    }

    fn of_form(bytes: &[u8]) -> Result<Self, ApiError> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        for (name, value) in form_urlencoded::parse(bytes).into_owned() {
            if fields.iter().any(|(known, _)| *known == name) {
                let why = "Please send this field once.";
                return Err(vec![Violation::new(name, "duplicate_field", why)].into());
            }
            if value.contains('\0') {
                let why = "Please leave out NUL characters.";
                return Err(vec![Violation::new(name, "invalid_characters", why)].into());
            }
            fields.push((name, Value::String(value)));
        }
        Self::new(false, fields)
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Sent<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = body::is_of(request.headers(), "application/x-www-form-urlencoded");
        let is_json = body::is_of(request.headers(), "application/json");
        let bytes = body::whole(request, payload);
        Box::pin(async move {
            let bytes = bytes.await?;
            match (is_json, is_form) {
                (true, _) if !bytes.is_empty() => Self::of_json(&bytes),
                (_, true) => Self::of_form(&bytes),
                _ if bytes.is_empty() => Self::of_form(b""),
                _ => Err(ErrorCode::UnsupportedMediaType.into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
    struct Body {
        email: Option<String>,
        empty: Option<String>,
        json: Option<String>,
        list: Option<String>,
    }

    #[test]
    fn a_form_and_json_are_equivalent() {
        let form =
            Sent::<Body>::of_form(b"email=a%40b.example&json=true&redirect=false&empty=").unwrap();
        let json = br#"{"email":"a@b.example","json":true,"list":[1],"empty":null,"more":1}"#;
        let json = Sent::<Body>::of_json(json).unwrap();
        let expected = Body {
            email: Some("a@b.example".into()),
            empty: None,
            json: Some("true".into()),
            list: None,
        };
        assert_eq!([form.fields, json.fields], [expected.clone(), expected]);
    }

    #[test]
    fn a_repeated_field_or_nul_is_rejected() {
        assert!(Sent::<Body>::of_form(b"email=a&email=b").is_err());
        assert!(Sent::<Body>::of_form(b"email=a%00").is_err());
        assert!(Sent::<Body>::of_json(br#"{"email":"a","email":"b"}"#).is_err());
        assert!(Sent::<Body>::of_json(br#"{"email":"a\u0000"}"#).is_err());
        assert!(Sent::<Body>::of_json(b"[]").is_err());
    }
}
