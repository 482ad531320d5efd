//! Request bodies: limited in size and time, parsed as JSON, with every field validated.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use futures_util::{Stream, StreamExt};
use serde::de::value::MapDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;
use validator::Validate;

use super::error::ApiError;
use super::error_code::ErrorCode;
use crate::domain::Violation;
use crate::domain::typed::trimmed;

/// Bytes.
const MAX_BODY: usize = 16 * 1024;

/// For the whole body, even if bytes keep arriving.
const BODY_DEADLINE: Duration = Duration::from_secs(5);

/// More than any body has, and few enough to compare every pair.
const MAX_FIELDS: usize = 100;

/// A client gains nothing from more faults than this.
const MAX_FAULTS: usize = 20;

/// A request body with valid fields.
pub(super) struct Valid<T>(pub T);

impl<T: Body> FromRequest for Valid<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_of(request.headers(), "application/json");
        let whole = whole(request, payload);
        Box::pin(async move {
            let bytes = whole.await?;
            let fields = if bytes.is_empty() {
                // An empty body has no fields, so calls that need none work without a body.
                Fields::default()
            } else if is_json {
                Fields::parse(&bytes)?
            } else {
                return Err(ErrorCode::UnsupportedMediaType.into());
            };
            T::from_fields(fields).map(Self)
        })
    }
}

/// Whether the body has this media type, ignoring its parameters.
pub(super) fn is_of(headers: &HeaderMap, media_type: &str) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
}

/// Reads a body within the limits of size and time.
pub(super) fn whole(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<BytesMut, ApiError>> + use<> {
    let is_too_large = declared_length(request.headers()) > MAX_BODY;
    let is_encoded = is_encoded(request.headers());
    let payload = payload.take();
    async move {
        if is_encoded {
            return Err(ErrorCode::UnsupportedMediaType.into());
        }
        if is_too_large {
            return Err(ErrorCode::BodyTooLarge.into());
        }
        read(payload, BODY_DEADLINE).await
    }
}

/// Whether the body is compressed. It is refused (RFC 9110 §15.5.16), so that no small body becomes a large one.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn declared_length(headers: &HeaderMap) -> usize {
    headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
}

async fn read<E>(
    mut payload: impl Stream<Item = Result<Bytes, E>> + Unpin,
    deadline: Duration,
) -> Result<BytesMut, ApiError> {
    let whole = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| ErrorCode::MalformedRequest)?;
            if body.len() + chunk.len() > MAX_BODY {
                return Err(ErrorCode::BodyTooLarge.into());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    tokio::time::timeout(deadline, whole)
        .await
        .unwrap_or_else(|_| Err(ErrorCode::RequestTimeout.into()))
}

/// A body that can be read from its fields. [`body!`](super::body_macro::body) implements it.
pub(super) trait Body: Sized + 'static {
    /// # Errors
    /// Every fault of every field.
    fn from_fields(fields: Fields) -> Result<Self, ApiError>;
}

/// `validator` uses Rust field names, clients use JSON names.
fn camel_case(snake_case: &str) -> String {
    let mut words = snake_case.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// The fields of a JSON object, with the faults that can be found without knowing its type.
#[derive(Default)]
#[expect(
    unnameable_types,
    reason = "a public trait takes it, which only this folder implements"
)]
pub struct Fields {
    values: Vec<(String, Value)>,
    faults: Vec<Violation>,
}

impl Fields {
    pub fn parse(bytes: &[u8]) -> Result<Self, ApiError> {
        // The error of serde_json quotes the input, so it is dropped here.
        serde_json::from_slice(bytes).map_err(|_| ErrorCode::MalformedRequest.into())
    }

    /// The fields as `T`, and every fault that was found.
    ///
    /// # Errors
    /// `MalformedRequest` if they cannot be read as `T` at all.
    pub fn read<T: DeserializeOwned + Validate>(mut self) -> Result<(T, Vec<Violation>), ApiError> {
        let body = T::deserialize(&mut self).map_err(|_| ErrorCode::MalformedRequest)?;
        let mut faults = self.faults;
        if let Err(errors) = body.validate() {
            for (field, errors) in errors.field_errors() {
                let field = camel_case(&field);
                if faults.iter().any(|fault| fault.field == field) {
                    continue;
                }
                faults.extend(errors.iter().map(|error| Violation {
                    field: field.clone().into(),
                    code: match error.code {
                        Cow::Borrowed(code) => code,
                        Cow::Owned(_) => "invalid",
                    },
                    message: error.message.clone().unwrap_or_default(),
                }));
            }
        }
        faults.sort_by(|a, b| a.field.cmp(&b.field));
        faults.truncate(MAX_FAULTS);
        Ok((body, faults))
    }

    /// All fields.
    ///
    /// # Errors
    /// The faults that can be found without knowing the type.
    pub fn into_values(self) -> Result<Vec<(String, Value)>, ApiError> {
        if self.faults.is_empty() {
            Ok(self.values)
        } else {
            Err(self.faults.into())
        }
    }

    /// Whether the field was sent with a value, valid or not, that is not blank.
    pub fn is_filled(&self, field: &str) -> bool {
        let is_blank = |value: &Value| match value {
            Value::Null => true,
            Value::String(text) => trimmed(text).is_empty(),
            _ => false,
        };
        let values = self.values.iter().filter(|(_, value)| !is_blank(value));
        values
            .map(|(name, _)| name.as_str())
            .any(|name| name == field)
            || self.faults.iter().any(|fault| fault.field == field)
    }

    /// Adds a fault that concerns several fields.
    pub fn refuse(&mut self, fault: Violation) {
        self.faults.push(fault);
    }

    /// Whether the field was sent, valid or not.
    pub fn contains(&self, field: &str) -> bool {
        self.values.iter().any(|(name, _)| name == field)
            || self.faults.iter().any(|fault| fault.field == field)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if fields.values.len() == MAX_FIELDS {
                return Err(A::Error::custom("too many fields"));
            }
            let fault = if fields.contains(&name) {
                ("duplicate_field", "Please send this field once.")
            } else if holds_nul(&value) {
                ("invalid_characters", "Please leave out NUL characters.")
            } else {
                fields.values.push((name, value));
                continue;
            };
            fields.faults.push(Violation::new(name, fault.0, fault.1));
        }
        Ok(fields)
    }
}

/// PostgreSQL cannot store NUL and bcrypt stops at it, so we reject it here.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

/// Gives a struct its known fields and collects the unknown ones as faults; serde would stop at the first.
impl<'de> Deserializer<'de> for &mut Fields {
    type Error = serde_json::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let (values, unknown): (Vec<_>, Vec<_>) = std::mem::take(&mut self.values)
            .into_iter()
            .partition(|(name, _)| known.contains(&name.as_str()));
        self.faults.extend(unknown.into_iter().map(|(name, _)| {
            Violation::new(
                name,
                "unknown_field",
                "Please leave this field out; it means nothing here.",
            )
        }));
        visitor.visit_map(MapDeserializer::new(values.into_iter()))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_map(MapDeserializer::new(
            std::mem::take(&mut self.values).into_iter(),
        ))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier
        ignored_any
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[actix_web::test]
    async fn an_endless_body_is_abandoned_at_the_deadline() {
        let stuck = stream::pending::<Result<Bytes, ()>>();
        let error = read(stuck, Duration::from_millis(1)).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::RequestTimeout);
    }

    #[actix_web::test]
    async fn a_body_of_undeclared_length_is_limited() {
        let endless = stream::repeat_with(|| Ok::<_, ()>(Bytes::from_static(&[b' '; 1000])));
        let error = read(endless, BODY_DEADLINE).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::BodyTooLarge);
    }

    #[actix_web::test]
    async fn an_interrupted_body_is_malformed() {
        let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(())]);
        let error = read(broken, BODY_DEADLINE).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::MalformedRequest);
    }

    #[test]
    fn rust_names_become_json_names() {
        assert_eq!(camel_case("organization_id"), "organizationId");
        assert_eq!(camel_case("email"), "email");
    }
}
