//! What is wrong with a mapping file.

use crate::nearest::nearest;

/// The text has the line and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MappingError(String);

impl MappingError {
    pub(super) fn rule(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn from_toml(error: toml::de::Error) -> Self {
        let text = error.to_string();
        Self(match suggestion(error.message()) {
            Some(suggestion) => format!("{}\n{suggestion}", text.trim_end()),
            None => text.trim_end().to_owned(),
        })
    }
}

/// Serde's message holds the word and those it expected, in backticks.
fn suggestion(message: &str) -> Option<String> {
    let is_unknown = ["unknown field ", "unknown variant "];
    if !is_unknown.iter().any(|start| message.starts_with(start)) {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let word = quoted.next()?;
    let known: Vec<&str> = quoted.collect();
    nearest(word, known.iter().copied()).map(|meant| format!("Did you mean `{meant}`?"))
}
