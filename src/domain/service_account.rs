//! Other services that follow revocations and ask about tokens, and their keys without the secrets.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::typed::trimmed;
use super::violation::ValidationError;
use super::{ServiceId, ServiceKeyId};

/// How many keys a service may have: the one in use, and the next one while it changes them.
pub const MAX_KEYS: usize = 2;

/// How precise `last_used_at` of a key is, so that not every request costs a write.
pub const LAST_USED_PRECISION: TimeDelta = TimeDelta::minutes(5);

/// The name of a service, 1–64 characters of `[a-z0-9._-]`: it is the user name of Basic authentication (RFC 7617), where
/// a colon could not stand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServiceName(String);

impl ServiceName {
    const MAX: usize = 64;

    /// A name, trimmed and in lower case.
    ///
    /// # Errors
    /// `invalid_service_name`.
    pub fn parse(text: &str) -> Result<Self, ValidationError> {
        let name = trimmed(text).to_ascii_lowercase();
        let is_allowed =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        if (1..=Self::MAX).contains(&name.len()) && name.bytes().all(is_allowed) {
            return Ok(Self(name));
        }
        Err(ValidationError::new(
            "invalid_service_name",
            "Please use letters a to z, digits, dots, hyphens and underscores, at most 64 characters.",
        ))
    }

    /// A name read from the database, which was validated before it was stored.
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A service, with its keys, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    pub id: ServiceId,
    pub name: ServiceName,
    pub created_at: DateTime<Utc>,
    pub keys: Vec<ServiceKey>,
}

/// A key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceKey {
    pub id: ServiceKeyId,
    /// The first characters of the secret, so that people can recognize it.
    pub prefix: String,
    pub created_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_a_user_name_of_basic_authentication() {
        for name in ["billing", "a", "eu-west.billing_2", &"x".repeat(64)] {
            assert_eq!(ServiceName::parse(name).unwrap().as_str(), name);
        }
        assert_eq!(ServiceName::parse(" Billing ").unwrap().as_str(), "billing");
        for name in ["", " ", "a:b", "a b", "é", "a/b", &"x".repeat(65)] {
            assert!(ServiceName::parse(name).is_err(), "{name:?}");
        }
    }
}
