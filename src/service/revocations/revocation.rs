//! What other services hear of: which tokens they must refuse.

use serde::Serialize;

use crate::domain::{Change, SessionId, UserId};

/// An entry of the list of revocations, as JSON: `{"sid"}`, `{"sub", "ver"}` or `{"sub", "pv"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Revocation {
    /// Tokens of this session are revoked.
    Session { sid: SessionId },
    /// Tokens of this user with a lower `ver` are revoked.
    Tokens { sub: UserId, ver: i32 },
    /// Tokens of this user with a lower `pv` are outdated: whoever shows one should refresh it.
    Outdated { sub: UserId, pv: i32 },
}

impl Revocation {
    /// `None` for changes that concern no token.
    pub fn of(change: Change) -> Option<Self> {
        match change {
            Change::SessionEnded { session_id, .. } => Some(Self::Session { sid: session_id }),
            Change::TokensRevoked {
                user_id,
                min_token_version,
            } => Some(Self::Tokens {
                sub: user_id,
                ver: min_token_version,
            }),
            Change::TokensOutdated { user_id, min_pv } => Some(Self::Outdated {
                sub: user_id,
                pv: min_pv,
            }),
            Change::PersonChanged { .. } | Change::OrganizationChanged { .. } => None,
        }
    }
}

/// A JSON array of entries.
pub fn to_json(entries: &[Revocation]) -> String {
    #[expect(clippy::expect_used, reason = "ids and integers always serialize")]
    serde_json::to_string(entries).expect("entries serialize")
}
