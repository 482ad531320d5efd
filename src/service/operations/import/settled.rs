//! A person on the way from the source to the database.

use super::fingerprint::Fingerprint;
use super::newcomer::{ManagerKey, Newcomer, WantedMembership};
use super::password_form::PasswordForm;
use super::report::{Outcome, Reason, RowReport};
use crate::domain::{OrganizationId, Role, UserId};
use crate::store::external_ids;

/// The most levels of managers: a chain of n costs n²/2 reporting lines.
pub(super) const MOST_LEVELS: usize = 64;

/// A person whose organizations are known.
pub(super) struct Settled {
    pub newcomer: Newcomer,
    pub places: Vec<Place>,
    pub fate: Fate,
}

pub(super) enum Fate {
    Open,
    Skipped,
    Refused(Reason),
}

/// A membership in an organization that exists.
pub(super) struct Place {
    pub organization_id: OrganizationId,
    pub role: Role,
    /// Whom the source names, if anybody could be that.
    pub manager: Option<ManagerKey>,
    /// Whether it names somebody who is nobody.
    pub has_unusable_manager: bool,
}

impl Place {
    pub(super) fn of(organization_id: OrganizationId, wanted: &WantedMembership) -> Self {
        let manager = wanted.manager.as_ref().map(ManagerKey::of);
        Self {
            organization_id,
            role: wanted.role,
            has_unusable_manager: manager == Some(None),
            manager: manager.flatten(),
        }
    }
}

/// A person who was imported before.
pub(super) struct KnownPerson {
    pub newcomer: Newcomer,
    pub known: external_ids::KnownPerson,
    pub places: Vec<(OrganizationId, Role, Option<UserId>)>,
    pub fingerprint: Fingerprint,
    /// Whether they have become a member of an organization in this batch.
    pub has_joined: bool,
}

/// What came of a person who is not refused.
pub(super) fn report(newcomer: Newcomer, id: Option<UserId>, outcome: Outcome) -> RowReport {
    let hash = newcomer.password.as_ref();
    let password = hash.map(PasswordForm::of);
    let external_id = newcomer.has_external_id.then_some(newcomer.external_id);
    RowReport {
        password,
        ..RowReport::new(newcomer.row, external_id, id, outcome, newcomer.notes)
    }
}
