//! How passwords are stored.

use stored_passwords::{Cost, ImportedHash};

/// How a password is stored, and what a sign-in with it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordForm {
    /// `bcrypt 10`
    pub(super) name: String,
    pub(super) cost: Cost,
}

impl PasswordForm {
    pub(super) fn of(hash: &ImportedHash) -> Self {
        Self {
            name: form_of(&hash.to_string()).unwrap_or_default(),
            cost: hash.cost(),
        }
    }
}

/// How a password is stored, without anything of it: `bcrypt 10`. `None` for a text in no known form.
pub(super) fn form_of(text: &str) -> Option<String> {
    if let Ok(hash) = ImportedHash::parse(text) {
        let canonical = hash.to_string();
        let mut fields = canonical.split('$').skip(3);
        let function = fields.next()?;
        let parameters = fields.next()?;
        return Some(match function {
            "2b" => format!("bcrypt {}", parameters.trim_start_matches('0')),
            _ if parameters.contains('=') => format!("{function} {parameters}"),
            _ => function.to_owned(),
        });
    }
    // Whatever does not say that it was imported is ours.
    (!text.starts_with("$in$")).then(|| "set here".to_owned())
}
