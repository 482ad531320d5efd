//! Stored passwords that are JSON.

use serde_json::Value;

use crate::refusal::Refusal;

use super::text::number;

/// Nothing that is stored for a password is longer.
const MOST_TEXT: u64 = 16 * 1024;

pub(super) fn json(text: &str) -> Result<Value, Refusal> {
    crate::primitives::at_most("characters", text.len() as u64, MOST_TEXT)?;
    serde_json::from_str(text).map_err(|_| Refusal::Malformed("the stored password is not JSON"))
}

pub(super) fn text<'a>(object: &'a Value, key: &str) -> Result<&'a str, Refusal> {
    optional_text(object, key)?.ok_or(Refusal::Malformed("a member of the JSON is missing"))
}

pub(super) fn optional_text<'a>(object: &'a Value, key: &str) -> Result<Option<&'a str>, Refusal> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::Malformed("a member of the JSON is not text")),
    }
}

/// A number, or a text of digits.
pub(super) fn integer(object: &Value, key: &str) -> Result<u32, Refusal> {
    match object.get(key) {
        Some(Value::String(text)) => number(text),
        Some(Value::Number(found)) => number(&found.to_string()),
        _ => Err(Refusal::Malformed("a number of the JSON is missing")),
    }
}
