//! The e-mails that the service sends: what each is about, and to whom it goes. Templates say how they look.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Role;

/// What an e-mail is about. Anyone who reads its `token` can use it, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EmailMessage {
    /// To the address of a new account, to verify it.
    VerifyEmail { name: String, token: String },
    /// To someone who has forgotten their password.
    ResetPassword { name: String, token: String },
    /// To the address that an account is to have.
    ConfirmNewEmail { name: String, token: String },
    /// To the address that an account had before.
    EmailChanged { name: String, new_email: String },
    /// To someone whose password was changed; `token` ends the session that changed it, if there is one.
    PasswordChanged { name: String, token: Option<String> },
    /// To someone whose second factor was turned on or off.
    MfaChanged { name: String, enabled: bool },
    /// To someone who signed in from a new device or place; `token` ends that session.
    NewSignIn {
        name: String,
        device: Option<String>,
        address: Option<IpAddr>,
        at: DateTime<Utc>,
        token: String,
    },
    /// To someone who is invited to an organization.
    Invitation {
        organization: String,
        inviter: Option<String>,
        role: Role,
        token: String,
    },
}

impl EmailMessage {
    /// Sent on request, to an address that the sender of the request may not own.
    pub const ASKED_FOR: [&'static str; 4] = [
        "verify_email",
        "reset_password",
        "confirm_new_email",
        "invitation",
    ];

    /// Tell an account's owner what happened to it.
    pub const NOTICES: [&'static str; 4] = [
        "email_changed",
        "password_changed",
        "mfa_changed",
        "new_sign_in",
    ];

    /// The value in the database and the name of the template's file.
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
    fn an_email_is_either_asked_for_or_a_notice() {
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
