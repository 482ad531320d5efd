//! What is wrong with the settings, for the person who can mend it.

use std::fmt;

use super::ENV_FILE;
use super::settings::Setting;

/// Why a value was refused and what to do about it: two sentences, no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    why: String,
    hint: String,
}

impl Problem {
    pub fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            hint: hint.into(),
        }
    }

    pub fn of(self, setting: &Setting) -> SettingError {
        SettingError {
            setting: setting.name,
            problem: self,
        }
    }
}

/// A problem about a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    setting: &'static str,
    problem: Problem,
}

/// Everything that is wrong with the settings.
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
        f.write_str("the settings cannot be used as they are:")?;
        for SettingError { setting, problem } in &self.0 {
            write!(f, "\n  {setting}: {} {}", problem.why, problem.hint)?;
        }
        Ok(())
    }
}

/// A value as a message may show it: on one line, shortened, and without anything before an `@`,
/// where addresses carry passwords.
pub fn quoted(value: &str) -> String {
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
