//! Validation errors, and the field of a request that each belongs to.

use std::borrow::Cow;

/// A validation error of a field, as clients receive it: `{"field","code","message"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The JSON name of the field, camelCase.
    pub field: Cow<'static, str>,
    /// A stable machine-readable word, e.g. `invalid_email`.
    pub code: &'static str,
    /// A sentence that tells the person what to do.
    pub message: Cow<'static, str>,
}

impl Violation {
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            field: field.into(),
            code,
            message: message.into(),
        }
    }
}

/// Why a value was rejected, without the field it came from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ValidationError {
    /// A stable machine-readable word, e.g. `invalid_email`.
    pub code: &'static str,
    /// A sentence that tells the person what to do.
    pub message: Cow<'static, str>,
}

impl ValidationError {
    pub fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// This error as a violation of `field`.
    pub fn of(self, field: impl Into<Cow<'static, str>>) -> Violation {
        Violation::new(field, self.code, self.message)
    }
}
