//! One-time codes, redeemed with the verifier of the client that asked for them (RFC 7636).

use serde::{Deserialize, Serialize};

use crate::domain::{OrganizationId, SessionId, SlackAccount, SlackPerson, UserId};

/// What a code is exchanged for.
#[derive(Serialize, Deserialize)]
pub(in crate::service) enum Payload {
    SignIn {
        user_id: UserId,
        organization_id: Option<OrganizationId>,
    },
    Link {
        user_id: UserId,
        session_id: SessionId,
        person: SlackPerson,
        workspace_name: Option<String>,
    },
    Reauthenticate {
        user_id: UserId,
        session_id: SessionId,
        account: SlackAccount,
    },
}

impl Payload {
    pub(super) fn user_id(&self) -> UserId {
        match self {
            Self::SignIn { user_id, .. }
            | Self::Link { user_id, .. }
            | Self::Reauthenticate { user_id, .. } => *user_id,
        }
    }
}

/// The stored form of a code.
#[derive(Serialize, Deserialize)]
pub(in crate::service) struct StoredCode {
    pub challenge: String,
    pub payload: Payload,
}
