//! For whom the database works: the key by which its queues take turns.

use crate::domain::{AddressBlock, OrganizationId, UserId};

/// Who takes a turn of their own, and within the group, each user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requester {
    pub(super) group: Group,
    /// The caller; `None` outside organizations.
    pub(super) user: Option<UserId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Group {
    Organization(OrganizationId),
    /// Clients that are not authenticated.
    Address(AddressBlock),
    Operator,
    Feed,
    Readiness,
    Housekeeping,
}

impl Requester {
    /// The command line.
    pub const OPERATOR: Self = Self::alone(Group::Operator);
    /// The instance, which reads the feed of changes.
    pub const FEED: Self = Self::alone(Group::Feed);
    /// The checks of readiness and the metrics.
    pub const READINESS: Self = Self::alone(Group::Readiness);
    /// Work that no request waits for: migrating, deleting, sending e-mails.
    pub const HOUSEKEEPING: Self = Self::alone(Group::Housekeeping);

    /// A user who acts in an organization.
    pub const fn member(organization_id: OrganizationId, user_id: UserId) -> Self {
        Self {
            group: Group::Organization(organization_id),
            user: Some(user_id),
        }
    }

    /// A client that is not authenticated.
    pub const fn address(block: AddressBlock) -> Self {
        Self::alone(Group::Address(block))
    }

    const fn alone(group: Group) -> Self {
        Self { group, user: None }
    }

    /// Whether it is the instance itself, for which threads are reserved.
    pub(super) fn is_instance(self) -> bool {
        match self.group {
            Group::Feed | Group::Readiness | Group::Housekeeping => true,
            Group::Organization(_) | Group::Address(_) | Group::Operator => false,
        }
    }
}
