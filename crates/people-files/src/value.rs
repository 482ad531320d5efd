//! Values of cells: what is nothing, and what text, boolean or list one is.

use serde_json::Value;

/// Nothing at all, an empty text, or what database dumps write for null.
pub(crate) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => matches!(text.trim(), "" | r"\N"),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// Trimmed. Lists and objects are JSON.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

/// `true`, `t`, `yes`, `y`, `on`, `1`, `active` and their opposites, in any case. `None` is something else.
pub(crate) fn boolean_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        other => match &*text_of(other).to_ascii_lowercase() {
            "true" | "t" | "yes" | "y" | "on" | "1" | "active" => Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" | "inactive" => Some(false),
            _ => None,
        },
    }
}
