//! What a verb has to say about something that happened; the unit of work makes an audit row of it.

use serde_json::Value;

use crate::domain::audit::{Action, Method, Outcome};
use crate::domain::{OrganizationId, UserId};

/// Something that happened, or was refused.
#[derive(Debug, Clone)]
pub struct Event {
    pub action: Action,
    pub outcome: Outcome,
    /// Who did it.
    pub actor_id: Option<UserId>,
    /// To whom it was done.
    pub subject_id: Option<UserId>,
    pub organization_id: Option<OrganizationId>,
    pub method: Option<Method>,
    pub reason: Option<&'static str>,
    pub detail: Option<Value>,
}

impl Event {
    pub(super) fn about_nobody() -> Self {
        Self {
            action: Action::Login,
            outcome: Outcome::Ok,
            actor_id: None,
            subject_id: None,
            organization_id: None,
            method: None,
            reason: None,
            detail: None,
        }
    }

    /// Done to somebody; by whom stays as it is.
    pub fn about(self, user_id: impl Into<Option<UserId>>) -> Self {
        Self {
            subject_id: user_id.into(),
            ..self
        }
    }

    /// Done by somebody to themselves.
    pub fn own(self, user_id: UserId) -> Self {
        Self {
            actor_id: Some(user_id),
            subject_id: Some(user_id),
            ..self
        }
    }

    /// Which organization's log it belongs to.
    pub fn within(self, organization_id: impl Into<Option<OrganizationId>>) -> Self {
        Self {
            organization_id: organization_id.into(),
            ..self
        }
    }

    pub fn by(self, method: Method) -> Self {
        Self {
            method: Some(method),
            ..self
        }
    }

    /// It was tried in vain. `reason` is a stable word, such as `wrong_password`.
    pub fn refused(self, reason: &'static str) -> Self {
        Self {
            outcome: Outcome::Refused,
            reason: Some(reason),
            ..self
        }
    }

    /// A JSON object: what changed, from what to what.
    pub fn detail(self, detail: Value) -> Self {
        Self {
            detail: Some(detail),
            ..self
        }
    }
}
