//! Links in notices that undo what the notice is about.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::crypto::opaque::Opaque;
use crate::domain::{ApiTokenId, OrganizationId, UserId, lifetimes};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Result, one_time};
use crate::store::one_time_tokens::Purpose;

/// The stored form of a link.
#[derive(Serialize, Deserialize)]
pub(in crate::service) struct UndoLink {
    pub user_id: UserId,
    pub undoable: Undoable,
}

#[derive(Serialize, Deserialize)]
pub(in crate::service) enum Undoable {
    ApiToken {
        id: ApiTokenId,
        organization_id: OrganizationId,
    },
    /// The first authenticator of an account that had none, and what replaced it within the week. `enrolled_at` is when
    /// the first one was enrolled.
    Authenticator { enrolled_at: DateTime<Utc> },
}

/// Stores a secret whose holder can undo it within a week.
pub(in crate::service) fn store(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    undoable: Undoable,
) -> Result<Opaque> {
    let link = UndoLink { user_id, undoable };
    let secret = unit.secret();
    let expires_at = unit.now + lifetimes::UNDO_LINK;
    one_time::issue(
        unit.tx,
        &secret,
        Purpose::Undo,
        Some(user_id),
        &link,
        expires_at,
    )?;
    Ok(secret)
}
