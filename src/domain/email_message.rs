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
    /// A reset may also have unlinked Slack and ended memberships.
    PasswordChanged {
        name: String,
        token: Option<String>,
        #[serde(default)]
        detached_slack: bool,
        #[serde(default)]
        left_organizations: bool,
    },
    /// Tells a user that the second factor was turned on or off; `token` removes a first authenticator.
    MfaChanged {
        name: String,
        enabled: bool,
        #[serde(default)]
        token: Option<String>,
    },
    /// Tells a user that an identity at Slack was linked or unlinked.
    SlackLinkChanged { name: String, linked: bool },
    /// Tells a user that they have a new API token; `token` revokes it.
    ApiTokenCreated {
        name: String,
        token_name: String,
        role: Role,
        token: String,
    },
    /// Tells a user about a sign-in from a new device or network; `token` ends that session.
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
    /// How urgent it is.
    pub fn priority(&self) -> Priority {
        match self {
            Self::ResetPassword { .. }
            | Self::EmailChanged { .. }
            | Self::PasswordChanged { .. }
            | Self::MfaChanged { .. }
            | Self::SlackLinkChanged { .. }
            | Self::ApiTokenCreated { .. }
            | Self::NewSignIn { .. } => Priority::Security,
            Self::VerifyEmail { .. } | Self::ConfirmNewEmail { .. } => Priority::Verification,
            Self::Invitation { .. } => Priority::Invitation,
        }
    }

    /// The name in the database and in the template's file name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => "verify_email",
            Self::ResetPassword { .. } => "reset_password",
            Self::ConfirmNewEmail { .. } => "confirm_new_email",
            Self::EmailChanged { .. } => "email_changed",
            Self::PasswordChanged { .. } => "password_changed",
            Self::MfaChanged { .. } => "mfa_changed",
            Self::SlackLinkChanged { .. } => "slack_link_changed",
            Self::ApiTokenCreated { .. } => "api_token_created",
            Self::NewSignIn { .. } => "new_sign_in",
            Self::Invitation { .. } => "invitation",
        }
    }
}

/// Which of the e-mails that are due is sent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Resets and notices.
    Security,
    Verification,
    /// What one person can send to many.
    Invitation,
}

impl Priority {
    pub const ALL: [Self; 3] = [Self::Security, Self::Verification, Self::Invitation];
}
