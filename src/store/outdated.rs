//! Whose tokens say what is no longer true. Every function of the store that takes a right away returns [`Outdated`], so
//! that nobody can forget to announce it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Bool;

use super::announcement::Announcement;
use super::schema::users;
use super::types::{Id, Instant, Timestamp};
use super::{StoreError, Tx, on};
use crate::domain::{Change, OrganizationId, UserId};

/// Users whose tokens are outdated, each with the version (`pv`) of those that are not; and what has happened to them.
#[must_use = "services that verify tokens themselves must hear of it"]
pub struct Outdated {
    raised: Vec<(UserId, i32)>,
    announcement: Option<Announcement>,
}

impl Outdated {
    /// Raises the version of what the tokens of these users say.
    pub(super) fn raise(tx: &mut Tx<'_>, user_ids: &[UserId]) -> Result<Self, StoreError> {
        let raised = on!(tx, |conn| diesel::update(
            users::table.filter(users::id.eq_any(user_ids))
        )
        .set(users::pv.eq(users::pv + 1))
        .returning((users::id, users::pv))
        .get_results(conn))?;
        Ok(Self {
            raised,
            announcement: None,
        })
    }

    pub(super) fn because(self, announcement: Announcement) -> Self {
        Self {
            announcement: Some(announcement),
            ..self
        }
    }

    /// What other instances and services must hear, and what webhooks must.
    pub fn into_parts(self) -> (impl Iterator<Item = Change>, Option<Announcement>) {
        let changes = self.raised.into_iter();
        (
            changes.map(|(user_id, min_pv)| Change::TokensOutdated { user_id, min_pv }),
            self.announcement,
        )
    }
}

/// Outdates the tokens of one user, whatever they say.
pub fn outdate(tx: &mut Tx<'_>, user_id: UserId) -> Result<Outdated, StoreError> {
    Outdated::raise(tx, &[user_id])
}

/// Which members a new rule of their organization concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concerned {
    Nobody,
    Everybody,
    WithoutSecondFactor,
}

/// Outdates the tokens of an organization's members and announces it, in three statements whatever their number.
pub(super) fn outdate_members(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    concerned: Concerned,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let everybody = match concerned {
        Concerned::Nobody => return Ok(()),
        Concerned::Everybody => true,
        Concerned::WithoutSecondFactor => false,
    };
    // The numbers of parameters are those in which SQLite meets them.
    let members = |organization, everybody| {
        format!(
            "select user_id from memberships where organization_id = ${organization} and (${everybody} or not exists (
                 select 1 from totp where totp.user_id = memberships.user_id and confirmed_at is not null
             ))"
        )
    };
    if matches!(tx, Tx::Postgres(_)) {
        // In the order of their ids, because members may belong to another organization whose rules change now.
        let lock = format!(
            "select 1 from users where id in ({}) order by id for no key update",
            members(1, 2)
        );
        on!(tx, |conn| sql_query(lock)
            .bind::<Id, _>(organization_id)
            .bind::<Bool, _>(everybody)
            .execute(conn))?;
    }
    for statement in [
        "update users set pv = pv + 1 where id in",
        "delete from changes where kind = 'tokens_outdated' and user_id in",
    ] {
        let query = format!("{statement} ({})", members(1, 2));
        on!(tx, |conn| sql_query(query)
            .bind::<Id, _>(organization_id)
            .bind::<Bool, _>(everybody)
            .execute(conn))?;
    }
    let announce = format!(
        "insert into changes (kind, user_id, min_pv, at, expires_at)
         select 'tokens_outdated', id, pv, $1, $2 from users where id in ({})",
        members(3, 4)
    );
    on!(tx, |conn| sql_query(announce)
        .bind::<Instant, _>(Timestamp(now))
        .bind::<Instant, _>(Timestamp(expires_at))
        .bind::<Id, _>(organization_id)
        .bind::<Bool, _>(everybody)
        .execute(conn))?;
    Ok(())
}
