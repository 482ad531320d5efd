//! The letters the product writes: what each says, and to whom. How they look is the templates' business.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Role;

/// A letter's matter. Whoever reads a `token` can do what the letter is about, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EmailMessage {
    /// To the address of a new account, which is to be proved.
    VerifyEmail { name: String, token: String },
    /// To somebody who has forgotten their password.
    ResetPassword { name: String, token: String },
    /// To an address that an account wants to have from now on.
    ConfirmNewEmail { name: String, token: String },
    /// To the address that an account had until now.
    EmailChanged { name: String, new_email: String },
    /// To somebody whose password is another one since now; `token` ends the session that changed it, where there
    /// is one.
    PasswordChanged { name: String, token: Option<String> },
    /// To somebody who signs in with a second factor from now on, or no longer does.
    MfaChanged { name: String, enabled: bool },
    /// To somebody who was signed in from where nobody was before; `token` ends that session.
    NewSignIn {
        name: String,
        device: Option<String>,
        address: Option<IpAddr>,
        at: DateTime<Utc>,
        token: String,
    },
    /// To somebody who is wanted in an organization.
    Invitation {
        organization: String,
        inviter: Option<String>,
        role: Role,
        token: String,
    },
}

impl EmailMessage {
    /// What somebody may cause who only names an address, or an account nobody proved.
    pub const ASKED_FOR: [&'static str; 4] = [
        "verify_email",
        "reset_password",
        "confirm_new_email",
        "invitation",
    ];

    /// What tells an account's owner that something has happened to it.
    pub const NOTICES: [&'static str; 4] = [
        "email_changed",
        "password_changed",
        "mfa_changed",
        "new_sign_in",
    ];

    /// The word in the database and in a template's file name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => "verify_email",
            Self::ResetPassword { .. } => "reset_password",
            Self::ConfirmNewEmail { .. } => "confirm_new_email",
            Self::EmailChanged { .. } => "email_changed",
            Self::PasswordChanged { .. } => "password_changed",
            Self::MfaChanged { .. } => "mfa_changed",
            Self::NewSignIn { .. } => "new_sign_in",
            Self::Invitation { .. } => "invitation",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_either_asked_for_or_a_notice() {
        let (name, token) = (String::new(), String::new());
        let reset = EmailMessage::ResetPassword {
            name: name.clone(),
            token,
        };
        assert!(EmailMessage::ASKED_FOR.contains(&reset.kind()));
        let changed = EmailMessage::PasswordChanged { name, token: None };
        assert!(EmailMessage::NOTICES.contains(&changed.kind()));
    }
}
