//! The e-mails we send and the data each contains; the templates define how they look.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Role;

/// The content of an e-mail. A `token` authorizes the action the e-mail describes, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EmailMessage {
    /// Asks the owner of a new account to verify the address.
    VerifyEmail { name: String, token: String },
    /// Sends a password reset link.
    ResetPassword { name: String, token: String },
    /// Asks for confirmation at the account's requested new address.
    ConfirmNewEmail { name: String, token: String },
    /// Tells the account's previous address about the change.
    EmailChanged { name: String, new_email: String },
    /// Tells a user that their password was changed; `token` ends the session that changed it, if there is one.
    PasswordChanged { name: String, token: Option<String> },
    /// Tells a user that the second factor was turned on or off.
    MfaChanged { name: String, enabled: bool },
    /// Tells a user about a sign-in from a new device or address; `token` ends that session.
    NewSignIn {
        name: String,
        device: Option<String>,
        address: Option<IpAddr>,
        at: DateTime<Utc>,
        token: String,
    },
    /// Invites the recipient to an organization.
    Invitation {
        organization: String,
        inviter: Option<String>,
        role: Role,
        token: String,
    },
}

impl EmailMessage {
    /// Anyone can trigger these by naming an address, or with an unverified account.
    pub const ASKED_FOR: [&'static str; 4] = [
        "verify_email",
        "reset_password",
        "confirm_new_email",
        "invitation",
    ];

    /// Security notices to the owner of an account.
    pub const NOTICES: [&'static str; 4] = [
        "email_changed",
        "password_changed",
        "mfa_changed",
        "new_sign_in",
    ];

    /// The name in the database and in the template's file name.
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
    fn an_email_is_either_requested_or_a_notice() {
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
