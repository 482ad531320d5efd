//! The kinds of credential that carry a session.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// Access tokens, in the `Authorization` header or in the session cookie.
    Jwt,
    /// One opaque token, for `/api/v1`.
    Token,
}

impl SessionKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Token => "token",
        }
    }
}

/// The text is not a session kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a kind of session is one of jwt, token")]
pub struct UnknownSessionKind;

impl FromStr for SessionKind {
    type Err = UnknownSessionKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "jwt" => Ok(Self::Jwt),
            "token" => Ok(Self::Token),
            _ => Err(UnknownSessionKind),
        }
    }
}

impl fmt::Display for SessionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
