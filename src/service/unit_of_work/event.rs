//! What verbs report; the unit of work makes audit rows of it.

use serde_json::Value;

use crate::domain::audit::{Action, Method, Outcome};
use crate::domain::{OrganizationId, UserId};

/// Something that happened, or was refused.
#[derive(Debug, Clone)]
pub struct Event {
    pub action: Action,
    pub outcome: Outcome,
    /// The user who acted.
    pub actor_id: Option<UserId>,
    /// The user it concerns.
    pub subject_id: Option<UserId>,
    pub organization_id: Option<OrganizationId>,
    pub method: Option<Method>,
    pub reason: Option<&'static str>,
    pub detail: Option<Value>,
    /// Whether the row says from which address and device it was done.
    pub has_origin: bool,
}

impl Event {
    pub(super) fn empty() -> Self {
        Self {
            action: Action::Login,
            outcome: Outcome::Ok,
            actor_id: None,
            subject_id: None,
            organization_id: None,
            method: None,
            reason: None,
            detail: None,
            has_origin: true,
        }
    }

    /// Sets the user it concerns.
    pub fn about(self, user_id: impl Into<Option<UserId>>) -> Self {
        Self {
            subject_id: user_id.into(),
            ..self
        }
    }

    /// Sets a user who acted on themselves.
    pub fn own(self, user_id: UserId) -> Self {
        Self {
            actor_id: Some(user_id),
            subject_id: Some(user_id),
            ..self
        }
    }

    /// Sets the organization whose log it belongs to.
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

    /// Makes it a refusal. `reason` is a stable word, such as `wrong_password`.
    pub fn refused(self, reason: &'static str) -> Self {
        Self {
            outcome: Outcome::Refused,
            reason: Some(reason),
            ..self
        }
    }

    /// Leaves address and device out of the row.
    pub fn without_origin(self) -> Self {
        Self {
            has_origin: false,
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
