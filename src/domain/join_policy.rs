//! Who may join an organization without being asked.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How an organization takes in new members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JoinPolicy {
    /// Anybody who knows the organization's id.
    Open,
    /// Verified addresses of the organization's own domains, and the invited.
    Domain,
    /// The invited only.
    Invite,
    /// Nobody.
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
}

/// The text names no join policy.
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
