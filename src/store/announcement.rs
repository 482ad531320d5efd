//! What has happened to people and memberships. Every function of the store that changes what webhooks are told returns an
//! [`Announcement`], so that nobody can forget it.

use crate::domain::webhook_event::{EventType, Happened};
use crate::domain::{OrganizationId, UserId};

/// To be handed to the unit of work.
#[must_use = "webhooks must hear of it"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement(Vec<Happened>);

impl Announcement {
    pub(super) fn user(event: EventType, user_id: UserId) -> Self {
        Self(vec![Happened::User(event, user_id)])
    }

    pub(super) fn users(event: EventType, user_ids: &[UserId]) -> Self {
        let happened = |user_id: &UserId| Happened::User(event, *user_id);
        Self(user_ids.iter().map(happened).collect())
    }

    pub(super) fn member(
        event: EventType,
        user_id: UserId,
        organization_id: OrganizationId,
    ) -> Self {
        Self::members(event, &[user_id], organization_id)
    }

    pub(super) fn members(
        event: EventType,
        user_ids: &[UserId],
        organization_id: OrganizationId,
    ) -> Self {
        let happened = |user_id: &UserId| Happened::Member(event, *user_id, organization_id);
        Self(user_ids.iter().map(happened).collect())
    }

    pub fn happened(self) -> Vec<Happened> {
        self.0
    }
}
