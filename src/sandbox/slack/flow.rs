//! Slack's two sign-in flows.

use super::endpoint::Endpoint;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// Slack's OAuth 2 (v2).
    V2,
    /// OpenID Connect.
    Oidc,
}

impl Flow {
    pub(super) fn scope_parameter(self) -> &'static str {
        match self {
            Self::V2 => "user_scope",
            Self::Oidc => "scope",
        }
    }

    pub(super) fn scope_separator(self) -> char {
        match self {
            Self::V2 => ',',
            Self::Oidc => ' ',
        }
    }

    /// Every request must include it.
    pub(super) fn required_scope(self) -> &'static str {
        match self {
            Self::V2 => USERS_READ,
            Self::Oidc => OPENID,
        }
    }

    /// Every scope, and what it allows the app to do.
    pub(super) fn scopes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::V2 => &[
                (USERS_READ, "See who you are in your workspace"),
                (USERS_READ_EMAIL, "See your e-mail address"),
            ],
            Self::Oidc => &[
                (OPENID, "Confirm who you are"),
                (EMAIL, "See your e-mail address"),
                (PROFILE, "See your name"),
            ],
        }
    }

    pub(super) fn exchange(self) -> Endpoint {
        match self {
            Self::V2 => Endpoint::OauthAccess,
            Self::Oidc => Endpoint::OpenIdToken,
        }
    }
}

pub(super) const USERS_READ: &str = "users:read";
pub(super) const USERS_READ_EMAIL: &str = "users:read.email";
pub(super) const OPENID: &str = "openid";
pub(super) const EMAIL: &str = "email";
pub(super) const PROFILE: &str = "profile";
