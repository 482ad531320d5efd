//! A parsed field of a request, or its validation error.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::domain::lifetimes::OutOfBounds;
use crate::domain::names::GivenOrFamilyName;
use crate::domain::typed::trimmed;
use crate::domain::violation::ValidationError;
use crate::domain::{
    AllowedDomains, ApiTokenName, ChosenEvents, CodeChallenge, CodeVerifier, Email, JoinPolicy,
    OrganizationId, OrganizationName, PersonName, Role, SessionIdle, SessionLifetime, Slug,
    TokenLifetime, UserId, WebhookName, WebhookUrl,
};

/// A value that travels as JSON.
pub(super) trait FromJson: Sized {
    /// # Errors
    /// Says which rule of the value's kind `value` breaks.
    fn from_json(value: Value) -> Result<Self, ValidationError>;

    /// The value of a field that was left out.
    ///
    /// # Errors
    /// `required`, unless the type says otherwise.
    fn missing() -> Result<Self, ValidationError> {
        Err(ValidationError::new(
            "required",
            "Please fill in this field.",
        ))
    }

    /// The value of a field that is `null`, which most types treat as left out.
    ///
    /// # Errors
    /// As for [`missing`](Self::missing).
    fn null() -> Result<Self, ValidationError> {
        Self::missing()
    }
}

/// A value that travels as a JSON string.
pub(super) trait FromText: Sized {
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

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: Value) -> Result<Self, ValidationError> {
        T::from_json(value).map(Some)
    }

    fn missing() -> Result<Self, ValidationError> {
        Ok(None)
    }
}

/// A field that may be left out or blank, which forms send for what was not filled in.
pub(super) struct OrBlank<T>(pub Option<T>);

impl<T: FromText> FromJson for OrBlank<T> {
    fn from_json(value: Value) -> Result<Self, ValidationError> {
        match value {
            Value::String(text) if trimmed(&text).is_empty() => Ok(Self(None)),
            value => T::from_json(value).map(|value| Self(Some(value))),
        }
    }

    fn missing() -> Result<Self, ValidationError> {
        Ok(Self(None))
    }
}

/// A field that may be left out, and may be null to remove the value.
pub(super) enum Patch<T> {
    Keep,
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    /// `None` to keep the value, `Some(None)` to remove it.
    pub(super) fn into_change(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

impl<T: FromJson> FromJson for Patch<T> {
    fn from_json(value: Value) -> Result<Self, ValidationError> {
        T::from_json(value).map(Self::Set)
    }

    fn missing() -> Result<Self, ValidationError> {
        Ok(Self::Keep)
    }

    fn null() -> Result<Self, ValidationError> {
        Ok(Self::Clear)
    }
}

/// A parsed field or its validation error. Reading a body never stops at a bad field, so that clients learn of all
/// faults at once.
pub(super) struct Parsed<T>(pub Result<T, ValidationError>);

/// For `#[validate(custom(function = …))]`.
///
/// # Errors
/// The validation error of the field.
pub(super) fn is_valid<T>(field: &Parsed<T>) -> Result<(), validator::ValidationError> {
    match &field.0 {
        Ok(_) => Ok(()),
        Err(refusal) => {
            Err(validator::ValidationError::new(refusal.code).with_message(refusal.message.clone()))
        }
    }
}

/// `validator` keeps a copy of what it validates in its errors. It gets none, as the value might be a password.
impl<T> Serialize for Parsed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// For `#[serde(default)]`: a field that was left out.
impl<T: FromJson> Default for Parsed<T> {
    fn default() -> Self {
        Self(T::missing())
    }
}

impl<'de, T: FromJson> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::Null => T::null(),
            value => T::from_json(value),
        }))
    }
}

/// A password that is proven, as it was typed.
pub(super) struct TypedPassword(SecretString);

impl TypedPassword {
    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromText for TypedPassword {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        crate::domain::TypedPassword::parse(&text)?;
        Ok(Self(text.into()))
    }
}

/// A new password as it was typed. The services decide whether it is strong enough.
pub(super) struct Password(SecretString);

impl Password {
    /// Characters; longer input is an attack, not a password.
    pub(super) const MAX_CHARS: usize = 100;

    pub(super) fn expose(&self) -> &str {
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

impl FromText for Slug {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        Self::parse(&text)
    }
}

/// A whole number from `min` to `max`.
///
/// # Errors
/// `invalid_number`, with the `advice`.
pub(super) fn number(
    value: &Value,
    min: u32,
    max: u32,
    advice: &'static str,
) -> Result<u32, ValidationError> {
    value
        .as_u64()
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| ValidationError::new("invalid_number", advice))
}

/// For texts that only the service can validate.
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

macro_rules! life_from_json {
    ($($life:ident),*) => {$(
        impl FromJson for $life {
            fn from_json(value: Value) -> Result<Self, ValidationError> {
                let why = "Please send a number of seconds, or null.";
                let seconds = value.as_i64().ok_or_else(|| ValidationError::new("invalid_type", why))?;
                Self::from_seconds(seconds).map_err(|OutOfBounds { lowest, highest }| {
                    let why = format!("Please send a number of seconds from {lowest} to {highest}, or null.");
                    ValidationError::new("out_of_range", why)
                })
            }
        }
    )*};
}

life_from_json!(TokenLifetime, SessionLifetime, SessionIdle);

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

impl FromJson for ChosenEvents {
    fn from_json(value: Value) -> Result<Self, ValidationError> {
        let names: Option<Vec<&str>> = value
            .as_array()
            .and_then(|values| values.iter().map(Value::as_str).collect());
        let names = names.ok_or_else(|| {
            ValidationError::new(
                "invalid_type",
                "Please send a list of strings, or null for all.",
            )
        })?;
        Self::parse(names)
    }
}

impl FromText for WebhookUrl {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        Self::parse(&text)
    }
}

impl FromText for WebhookName {
    fn from_text(text: String) -> Result<Self, ValidationError> {
        Self::parse(&text)
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
        // The parser also accepts a space there, RFC 3339's grammar does not.
        let has_t = text.chars().nth(10).is_some_and(|c| matches!(c, 'T' | 't'));
        DateTime::parse_from_rfc3339(&text)
            .ok()
            .filter(|_| has_t)
            .map(|time| time.to_utc())
            .ok_or_else(|| ValidationError::new("invalid_time", why))
    }
}
