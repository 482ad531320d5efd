//! What is wrong with the settings, for the person who can mend it.

use std::fmt;

use super::settings::Setting;
use super::variables::ENV_FILE;

/// Why a value was refused and what to do about it: two sentences, no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    why: String,
    mend: String,
}

impl Complaint {
    pub fn new(why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            mend: mend.into(),
        }
    }

    pub fn of(self, setting: &Setting) -> Fault {
        Fault {
            setting: setting.name,
            complaint: self,
        }
    }
}

/// A complaint about a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    setting: &'static str,
    complaint: Complaint,
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn of_env_file(complaint: Complaint) -> Self {
        Self(vec![Fault {
            setting: ENV_FILE,
            complaint,
        }])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings cannot be used as they are:")?;
        for Fault { setting, complaint } in &self.0 {
            write!(f, "\n  {setting}: {} {}", complaint.why, complaint.mend)?;
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
