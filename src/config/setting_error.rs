//! Errors in the settings, for the operator.

use std::fmt;

use super::ENV_FILE;
use super::settings::Setting;

/// Why a value was rejected and how to fix it: two sentences without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    why: String,
    hint: String,
}

impl Problem {
    pub(super) fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            hint: hint.into(),
        }
    }

    pub(super) fn of(self, setting: &Setting) -> SettingError {
        SettingError {
            setting: setting.name,
            problem: self,
        }
    }
}

/// A problem with a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SettingError {
    setting: &'static str,
    problem: Problem,
}

/// All errors in the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SettingErrors(pub(super) Vec<SettingError>);

impl SettingErrors {
    pub(super) fn of_env_file(problem: Problem) -> Self {
        Self(vec![SettingError {
            setting: ENV_FILE,
            problem,
        }])
    }
}

impl fmt::Display for SettingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid settings:")?;
        for SettingError { setting, problem } in &self.0 {
            write!(f, "\n  {setting}: {} {}", problem.why, problem.hint)?;
        }
        Ok(())
    }
}

/// A value for use in a message: on one line, shortened, and without the part before an `@`, which may
/// contain a password.
pub(super) fn quoted(value: &str) -> String {
    const SHOWN: usize = 80;
    let (cut, value) = match value.rsplit_once('@') {
        Some((_, rest)) => ("…@", rest),
        None => ("", value),
    };
    let more = if value.chars().count() > SHOWN {
        "…"
    } else {
        ""
    };
    let value: String = value.chars().take(SHOWN).collect();
    format!("\"{cut}{}{more}\"", value.escape_debug())
}
