//! Who may join an organization.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AllowedDomains, Email};

/// How new members can join an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JoinPolicy {
    /// Anyone who knows the organization's id.
    Open,
    /// Users with a verified address at one of the organization's domains, and invited users.
    Domain,
    /// Invited users only.
    Invite,
    /// No one.
    Closed,
}

impl JoinPolicy {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Domain => "domain",
            Self::Invite => "invite",
            Self::Closed => "closed",
        }
    }

    /// Whether a user may join without an invitation. `verified` is their address if it is verified.
    pub fn lets_in(self, allowed: &AllowedDomains, verified: Option<&Email>) -> bool {
        match self {
            Self::Open => true,
            Self::Domain => verified.is_some_and(|email| allowed.include(email.domain())),
            Self::Invite | Self::Closed => false,
        }
    }
}

/// The text is not a join policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a join policy is one of open, domain, invite, closed")]
pub struct UnknownJoinPolicy;

impl FromStr for JoinPolicy {
    type Err = UnknownJoinPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "open" => Ok(Self::Open),
            "domain" => Ok(Self::Domain),
            "invite" => Ok(Self::Invite),
            "closed" => Ok(Self::Closed),
            _ => Err(UnknownJoinPolicy),
        }
    }
}

impl fmt::Display for JoinPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
