//! Limits: of requests for each address, account or organization, counted in memory, and of wrong passwords for each
//! account and address, counted in the database.

mod attempts;
mod buckets;
mod draw;
mod hashing_permit;
mod known_places;
mod permit_hashing;
mod refusals;
mod try_acquire;

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};

use crate::domain::{AddressBlock, OrganizationId, Quota, UserId};
use buckets::Buckets;
use refusals::Refusals;

pub(in crate::service) use attempts::{
    Attempt, IN_A_ROW_LASTS, Locks, WINDOW, count_failure, counted_name, end_lock, unlock_account,
};
pub(in crate::service) use draw::{draw, draw_as};
pub use hashing_permit::HashingPermit;
pub(in crate::service) use hashing_permit::Whose;
pub(in crate::service) use known_places::{is_marked, remember_place};
pub(in crate::service) use permit_hashing::{permit_hashing, permit_hashing_of};
pub use refusals::note_refusal;
pub use try_acquire::try_acquire;

/// Operations that share one bucket for each address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Whatever hashes a password, apart from registrations.
    Login,
    Register,
    /// What sends an e-mail to an address that any client can choose.
    Mail,
    Refresh,
    /// Requests of visitors to applications behind a proxy.
    Gates,
    /// Everything else.
    General,
    /// Invitations by one account.
    Invitations,
    /// Invitations of one organization, or from one address.
    InvitationsTogether,
    /// E-mails to new addresses of one account.
    AddressChanges,
    /// Files with everything about one account.
    Exports,
    /// Calls of other services, with keys of their own.
    Services,
    /// Calls to Slack that one address causes.
    Slack,
    /// Calls to Slack of this instance.
    SlackTogether,
}

impl Group {
    pub const ALL: [Self; 13] = [
        Self::Login,
        Self::Register,
        Self::Mail,
        Self::Refresh,
        Self::Gates,
        Self::General,
        Self::Invitations,
        Self::InvitationsTogether,
        Self::AddressChanges,
        Self::Exports,
        Self::Services,
        Self::Slack,
        Self::SlackTogether,
    ];

    /// Whether it limits calls because they hash.
    pub fn is_for_hashing(self) -> bool {
        matches!(self, Self::Login | Self::Register)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Register => "register",
            Self::Mail => "mail",
            Self::Refresh => "refresh",
            Self::Gates => "gates",
            Self::General => "general",
            Self::Invitations => "invitations",
            Self::InvitationsTogether => "invitations_together",
            Self::AddressChanges => "address_changes",
            Self::Exports => "exports",
            Self::Services => "services",
            Self::Slack => "slack",
            Self::SlackTogether => "slack_together",
        }
    }

    /// The limit for one key. For an address, it lets an office of some hundred people behind one address sign in at
    /// once;
    /// guessing passwords is limited by the counts of failures, not by this.
    pub fn quota(self) -> Quota {
        let (count, seconds) = match self {
            Self::Login => (600, 60),
            Self::Register => (300, 3_600),
            Self::Mail => (100, 3_600),
            Self::Refresh => (1_200, 60),
            Self::Gates => (300_000, 60),
            Self::General => (60_000, 60),
            Self::Invitations => (100, 3_600),
            Self::InvitationsTogether => (500, 3_600),
            Self::AddressChanges => (20, 3_600),
            Self::Exports => (5, 3_600),
            Self::Services => (60_000, 60),
            Self::Slack => (30, 60),
            Self::SlackTogether => (600, 60),
        };
        Quota { count, seconds }
    }
}

/// Who a bucket belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// Requests from unknown addresses share one.
    Address(Option<AddressBlock>),
    Account(UserId),
    Organization(OrganizationId),
    /// All clients of this instance together.
    Instance,
}

/// The limits and what they have refused.
pub struct Limits {
    is_on: bool,
    buckets: Buckets,
    refusals: Refusals,
    refused: [AtomicU64; Group::ALL.len()],
    locks: AtomicU64,
}

impl Limits {
    pub fn new(is_on: bool) -> Self {
        Self {
            is_on,
            buckets: Buckets::default(),
            refusals: Refusals::default(),
            refused: Default::default(),
            locks: AtomicU64::new(0),
        }
    }

    /// Forgets the buckets that are full again.
    pub(in crate::service) fn forget_full(&self, now: DateTime<Utc>) {
        self.buckets.remove_full(now.timestamp_micros());
    }

    /// Requests refused since the start, by group.
    pub fn refused(&self) -> impl Iterator<Item = (Group, u64)> {
        Group::ALL.into_iter().zip(
            self.refused
                .iter()
                .map(|count| count.load(Ordering::Relaxed)),
        )
    }

    pub(in crate::service) fn count_locks(&self, locks: usize) {
        let locks = u64::try_from(locks).unwrap_or_default();
        self.locks.fetch_add(locks, Ordering::Relaxed);
    }

    /// How many locks wrong passwords have caused since the start.
    pub fn locks(&self) -> u64 {
        self.locks.load(Ordering::Relaxed)
    }
}
