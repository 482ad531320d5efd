//! Signing in with Slack: Slack accounts, who may sign in, and sign-in failures.

use serde::{Deserialize, Serialize};

use super::{IdentityId, Role};

/// Why a sign-in with Slack failed; return URLs receive the name as `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum SignInFailure {
    /// The user denied access.
    AccessDenied,
    /// Slack does not answer, or not as expected.
    SlackUnavailable,
    /// Slack rejects our settings.
    SlackMisconfigured,
    /// The e-mail address or the Slack identity belongs to another account.
    AccountExists,
    /// The sign-in has expired or was already used.
    SignInExpired,
    /// Slack, or one of our rules, does not allow this user to sign in.
    NotAllowed,
}

impl SignInFailure {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::SlackUnavailable => "slack_unavailable",
            Self::SlackMisconfigured => "slack_misconfigured",
            Self::AccountExists => "account_exists",
            Self::SignInExpired => "sign_in_expired",
            Self::NotAllowed => "not_allowed",
        }
    }
}

/// Slack's error names and ours for them.
const SLACK_ERRORS: [(&str, SignInFailure); 28] = {
    use SignInFailure::{NotAllowed, SignInExpired, SlackMisconfigured, SlackUnavailable};
    [
        ("invalid_code", SignInExpired),
        ("code_already_used", SignInExpired),
        ("invalid_client_id", SlackMisconfigured),
        ("bad_client_secret", SlackMisconfigured),
        ("bad_redirect_uri", SlackMisconfigured),
        ("oauth_authorization_url_mismatch", SlackMisconfigured),
        ("invalid_scope", SlackMisconfigured),
        ("no_scopes", SlackMisconfigured),
        ("missing_scope", SlackMisconfigured),
        ("invalid_grant_type", SlackMisconfigured),
        ("unauthorized_client", SlackMisconfigured),
        ("unsupported_response_type", SlackMisconfigured),
        ("invalid_request", SlackMisconfigured),
        ("ratelimited", SlackUnavailable),
        ("rate_limited", SlackUnavailable),
        ("internal_error", SlackUnavailable),
        ("fatal_error", SlackUnavailable),
        ("service_unavailable", SlackUnavailable),
        ("request_timeout", SlackUnavailable),
        ("temporarily_unavailable", SlackUnavailable),
        ("server_error", SlackUnavailable),
        ("access_denied", NotAllowed),
        ("account_inactive", NotAllowed),
        ("token_revoked", NotAllowed),
        ("user_email_unverified", NotAllowed),
        ("two_factor_setup_required", NotAllowed),
        ("enterprise_is_restricted", NotAllowed),
        ("team_access_not_granted", NotAllowed),
    ]
};

/// What a Slack error means for the user, and its name for the log. An unknown name counts as an outage and is
/// not logged, because the response could contain anything.
pub fn meaning_of(slack_error: &str) -> (SignInFailure, &'static str) {
    SLACK_ERRORS
        .iter()
        .find(|(name, _)| *name == slack_error)
        .map_or(
            (SignInFailure::SlackUnavailable, "an unknown error"),
            |(name, failure)| (*failure, *name),
        )
}

/// A Slack account. A user id identifies a person only together with the team id; an e-mail address
/// does not identify anyone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SlackAccount {
    /// The workspace's id, or the enterprise's if the app is installed for the whole enterprise.
    pub team_id: String,
    pub user_id: String,
}

impl SlackAccount {
    /// `None` unless both are ids.
    pub fn parse(team_id: &str, user_id: &str) -> Option<Self> {
        (is_slack_id(team_id) && is_slack_id(user_id)).then(|| Self {
            team_id: team_id.to_owned(),
            user_id: user_id.to_owned(),
        })
    }
}

/// Whether the text looks like a Slack id, such as `T0123ABCD`.
pub fn is_slack_id(text: &str) -> bool {
    (2..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A linked account at another provider, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub id: IdentityId,
    pub provider: String,
    /// The workspace's id.
    pub team: String,
}

/// A user's profile at Slack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlackPerson {
    pub account: SlackAccount,
    /// As written at Slack.
    pub name: Option<String>,
    /// Only set if Slack says the address is confirmed.
    pub email: Option<String>,
    /// Whether they are an owner or admin of the workspace, if the flow provides it.
    pub is_admin: bool,
    /// Whether they are a guest in one or several channels, if the flow provides it.
    pub is_guest: bool,
    pub is_bot: bool,
    pub is_deactivated: bool,
}

impl SlackPerson {
    pub fn may_enter(&self, allow_guests: bool) -> bool {
        !self.is_bot && !self.is_deactivated && (allow_guests || !self.is_guest)
    }

    /// The role of the user whose sign-in creates the organization.
    pub fn first_role(&self, usual: Role) -> Role {
        if self.is_admin { Role::Admin } else { usual }
    }
}

/// Slack's two sign-in flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlackFlow {
    /// OAuth 2.
    V2,
    /// OpenID Connect.
    Oidc,
}

/// How a token reaches the return URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenDelivery {
    Fragment,
    Query,
    Cookie,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> SlackPerson {
        SlackPerson {
            account: SlackAccount::parse("T1", "U1").unwrap(),
            name: None,
            email: None,
            is_admin: false,
            is_guest: false,
            is_bot: false,
            is_deactivated: false,
        }
    }

    #[test]
    fn slack_errors_map_to_our_names() {
        for (slack, ours) in [
            ("invalid_code", "sign_in_expired"),
            ("bad_client_secret", "slack_misconfigured"),
            ("ratelimited", "slack_unavailable"),
            ("account_inactive", "not_allowed"),
        ] {
            let (failure, name) = meaning_of(slack);
            assert_eq!((failure.as_str(), name), (ours, slack));
        }
    }

    #[test]
    fn an_unknown_slack_error_is_an_outage_and_is_not_repeated() {
        for unknown in ["", "xoxp-secret", "Invalid_Code"] {
            let (failure, name) = meaning_of(unknown);
            assert_eq!(failure, SignInFailure::SlackUnavailable);
            assert_eq!(name, "an unknown error");
        }
    }

    #[test]
    fn guests_need_permission_and_bots_and_deactivated_never_enter() {
        let guest = SlackPerson {
            is_guest: true,
            ..person()
        };
        assert!(!guest.may_enter(false) && guest.may_enter(true));
        assert!(person().may_enter(false));
        for barred in [
            SlackPerson {
                is_bot: true,
                ..person()
            },
            SlackPerson {
                is_deactivated: true,
                ..person()
            },
        ] {
            assert!(!barred.may_enter(false) && !barred.may_enter(true));
        }
    }

    #[test]
    fn the_first_user_is_admin_if_slack_or_the_settings_say_so() {
        let owner = SlackPerson {
            is_admin: true,
            ..person()
        };
        assert_eq!(owner.first_role(Role::Employee), Role::Admin);
        assert_eq!(person().first_role(Role::Employee), Role::Employee);
        assert_eq!(person().first_role(Role::Admin), Role::Admin);
    }

    #[test]
    fn a_slack_account_needs_two_valid_ids() {
        assert!(SlackAccount::parse("T0123ABCD", "W9").is_some());
        let long = "A".repeat(65);
        for (team, user) in [
            ("", "U1"),
            ("T1", ""),
            ("T1", "U 1"),
            ("T1\0", "U1"),
            (&long, "U1"),
        ] {
            assert_eq!(SlackAccount::parse(team, user), None);
        }
    }
}
