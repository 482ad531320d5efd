//! What a client put into a field: the value our rules made of it, or why they refused it.

use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::error::ApiError;
use super::error_code::ErrorCode;
use crate::domain::names::GivenOrFamilyName;
use crate::domain::violation::ValidationError;
use crate::domain::{
    AllowedDomains, ApiTokenName, CodeChallenge, CodeVerifier, Email, JoinPolicy, OrganizationId,
    OrganizationName, PersonName, Role, UserId,
};

/// A value that travels as JSON.
pub trait FromJson: Sized {
    /// # Errors
    /// Says which rule of the value's kind `value` breaks.
    fn from_json(value: Value) -> Result<Self, ValidationError>;
}

/// A value that travels as a JSON string.
pub trait FromText: Sized {
    /// # Errors
    /// Says which rule of the value's kind `text` breaks.
    fn from_text(text: String) -> Result<Self, ValidationError>;
}

impl<T: FromText> FromJson for T {
    fn from_json(value: Value) -> Result<Self, ValidationError> {
        match value {
            Value::String(text) => T::from_text(text),
            _ => Err(ValidationError::new(
                "invalid_type",
                "Please send a string.",
            )),
        }
    }
}

/// Reading a body never stops at a bad field: the refusal waits here until `validator` collects
/// every field's, so that clients learn of all faults at once.
pub struct Parsed<T>(Result<T, ValidationError>);

impl<T> Parsed<T> {
    /// # Errors
    /// Never once the body is valid.
    pub fn into_value(self) -> Result<T, ApiError> {
        self.0.map_err(|_| ErrorCode::ValidationFailed.into())
    }
}

/// For `#[validate(custom(function = "acceptable"))]`.
pub fn acceptable<T>(given: &Parsed<T>) -> Result<(), validator::ValidationError> {
    match &given.0 {
        Ok(_) => Ok(()),
        Err(refusal) => {
            Err(validator::ValidationError::new(refusal.code).with_message(refusal.message.clone()))
        }
    }
}

/// `validator` keeps a copy of what it judges in its errors; it gets none, it might be a password.
impl<T> Serialize for Parsed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de, T: FromJson> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As an option, because serde hands a missing field to those who can do without.
        deserializer.deserialize_option(GivenVisitor(PhantomData))
    }
}

struct GivenVisitor<T>(PhantomData<T>);

impl<'de, T: FromJson> Visitor<'de> for GivenVisitor<T> {
    type Value = Parsed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Parsed(Err(ValidationError::new(
            "required",
            "Please fill in this field.",
        ))))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Ok(Parsed(T::from_json(Value::deserialize(deserializer)?)))
    }
}

/// A field that may be left out, and may be null to take away what it names.
#[derive(Default)]
pub enum Patch<T> {
    #[default]
    Kept,
    Cleared,
    Parsed(Parsed<T>),
}

impl<T> Patch<T> {
    /// `None` when it was left out, `Some(None)` for null.
    ///
    /// # Errors
    /// Never once the body is valid.
    pub fn into_change(self) -> Result<Option<Option<T>>, ApiError> {
        match self {
            Self::Kept => Ok(None),
            Self::Cleared => Ok(Some(None)),
            Self::Parsed(given) => given.into_value().map(|value| Some(Some(value))),
        }
    }
}

/// For `#[validate(custom(function = "acceptable_or_null"))]`.
pub fn acceptable_or_null<T>(clearable: &Patch<T>) -> Result<(), validator::ValidationError> {
    match clearable {
        Patch::Kept | Patch::Cleared => Ok(()),
        Patch::Parsed(given) => acceptable(given),
    }
}

/// As for [`Parsed`].
impl<T> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de, T: FromJson> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Self::Cleared,
            value => Self::Parsed(Parsed(T::from_json(value))),
        })
    }
}

/// A password as it was typed. What makes a good one is the services' business.
pub struct Password(SecretString);

impl Password {
    /// Characters; longer input is an attack, not a password.
    pub const MAX_CHARS: usize = 100;

    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromText for Password {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        let refusal = match text.chars().count() {
            0 => ValidationError::new("required", "Please enter a password."),
            1..=Self::MAX_CHARS => return Ok(Self(text.into())),
            _ => ValidationError::new("too_long", "Please use at most 100 characters."),
        };
        Err(refusal)
    }
}

impl FromText for Email {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        Self::parse(&text)
    }
}

impl FromText for PersonName {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        Self::parse(&text)
    }
}

impl FromText for GivenOrFamilyName {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        Self::parse(&text)
    }
}

impl FromText for OrganizationName {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        Self::parse(&text)
    }
}

/// For what only a verb can judge.
impl FromText for String {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        if text.is_empty() {
            return Err(ValidationError::new(
                "required",
                "Please fill in this field.",
            ));
        }
        Ok(text)
    }
}

impl FromText for CodeChallenge {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        Self::parse(&text)
    }
}

impl FromText for CodeVerifier {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        Self::parse(&text)
    }
}

impl FromText for OrganizationId {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        text.parse().map_err(|_| {
            ValidationError::new("invalid_id", "Please send the organization's id, a UUID.")
        })
    }
}

impl FromText for Role {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        text.parse().map_err(|_| {
            ValidationError::new("invalid_role", "Please send employee, manager or admin.")
        })
    }
}

impl FromText for JoinPolicy {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        let why = "Please send open, domain, invite or closed.";
        text.parse()
            .map_err(|_| ValidationError::new("invalid_join_policy", why))
    }
}

impl FromJson for bool {
    fn from_json(value: Value) -> Result<Self, ValidationError> {
        value
            .as_bool()
            .ok_or_else(|| ValidationError::new("invalid_type", "Please send true or false."))
    }
}

impl FromJson for AllowedDomains {
    fn from_json(value: Value) -> Result<Self, ValidationError> {
        let texts: Option<Vec<&str>> = value
            .as_array()
            .and_then(|values| values.iter().map(Value::as_str).collect());
        let texts = texts.ok_or_else(|| {
            ValidationError::new("invalid_type", "Please send a list of strings.")
        })?;
        Self::parse(texts)
    }
}

impl FromText for UserId {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        text.parse()
            .map_err(|_| ValidationError::new("invalid_id", "Please send a person's id, a UUID."))
    }
}

impl FromText for ApiTokenName {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        Self::parse(&text)
    }
}

impl FromText for DateTime<Utc> {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        let why = "Please send a time such as 2027-01-31T12:00:00Z (RFC 3339).";
        // The parser takes a space there as well, the grammar does not.
        let has_t = text.chars().nth(10).is_some_and(|c| matches!(c, 'T' | 't'));
        DateTime::parse_from_rfc3339(&text)
            .ok()
            .filter(|_| has_t)
            .map(|time| time.to_utc())
            .ok_or_else(|| ValidationError::new("invalid_time", why))
    }
}
