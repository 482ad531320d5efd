//! What NextAuth clients send: a form or JSON, with extra fields.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use url::form_urlencoded;

use crate::domain::Fault;
use crate::http::body::{self, Fields};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;

/// The body's fields. Unknown ones are ignored, because the client sends its own options too.
pub struct Sent {
    pub is_json: bool,
    fields: Vec<(String, String)>,
}

impl Sent {
    /// `None` for a field that is missing or empty, or that is not text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Whether the client wants the URL as JSON instead of a redirect.
    pub fn wants_url(&self) -> bool {
        self.get("json") == Some("true")
    }

    fn of_json(bytes: &[u8]) -> Result<Self, ApiError> {
        let text = |value| match value {
            Value::String(text) => Some(text),
            Value::Bool(word) => Some(word.to_string()),
            _ => None,
        };
        let fields = Fields::parse(bytes)?.into_values()?;
        Ok(Self {
            is_json: true,
            fields: fields
                .into_iter()
                .filter_map(|(name, value)| Some((name, text(value)?)))
                .collect(),
        })
    }

    fn of_form(bytes: &[u8]) -> Result<Self, ApiError> {
        let mut sent = Self {
            is_json: false,
            fields: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(bytes).into_owned() {
            if sent.fields.iter().any(|(known, _)| *known == name) {
                let why = "Please send this field once.";
                return Err(vec![Fault::new(name, "duplicate_field", why)].into());
            }
            if value.contains('\0') {
                let why = "Please leave out NUL characters.";
                return Err(vec![Fault::new(name, "invalid_characters", why)].into());
            }
            sent.fields.push((name, value));
        }
        Ok(sent)
    }
}

impl FromRequest for Sent {
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

    #[test]
    fn a_form_and_json_are_equivalent() {
        let form = Sent::of_form(b"email=a%40b.example&json=true&redirect=false&empty=").unwrap();
        let json =
            br#"{"email":"a@b.example","json":true,"redirect":false,"more":[1],"none":null}"#;
        let json = Sent::of_json(json).unwrap();
        for sent in [form, json] {
            assert_eq!(sent.get("email"), Some("a@b.example"));
            assert_eq!(sent.get("more").or(sent.get("empty")), None);
            assert!(sent.wants_url());
        }
    }

    #[test]
    fn a_repeated_field_or_nul_is_rejected() {
        assert!(Sent::of_form(b"email=a&email=b").is_err());
        assert!(Sent::of_form(b"email=a%00").is_err());
        assert!(Sent::of_json(br#"{"email":"a","email":"b"}"#).is_err());
        assert!(Sent::of_json(br#"{"email":"a\u0000"}"#).is_err());
        assert!(Sent::of_json(b"[]").is_err());
    }
}
