//! The `organizations` table.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::outdated::{Concerned, outdate_members};
use super::schema::{memberships, organizations, slug_aliases};
use super::types::Timestamp;
use super::{StoreError, Tx, find_locked, later, on, parsed, slug_aliases as aliases};
use crate::domain::{
    AllowedDomains, JoinPolicy, LifetimeRule, Organization, OrganizationId, OrganizationName,
    OrganizationRules, SessionIdle, SessionLifetime, Slug, TokenLifetime, UserId, lifetimes,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = organizations)]
struct OrganizationRow {
    id: OrganizationId,
    name: String,
    slug: String,
    join_policy: String,
    allowed_domains: String,
    #[diesel(embed)]
    rules: RulesRow,
    created_at: Timestamp,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = organizations)]
pub(super) struct RulesRow {
    require_mfa: bool,
    token_lifetime: Option<i32>,
    session_lifetime: Option<i32>,
    session_idle: Option<i32>,
}

impl From<RulesRow> for OrganizationRules {
    fn from(row: RulesRow) -> Self {
        Self {
            requires_mfa: row.require_mfa,
            lifetimes: LifetimeRule {
                token: row.token_lifetime.map(TokenLifetime::from_stored),
                session: row.session_lifetime.map(SessionLifetime::from_stored),
                idle: row.session_idle.map(SessionIdle::from_stored),
            },
        }
    }
}

impl TryFrom<OrganizationRow> for Organization {
    type Error = StoreError;

    fn try_from(row: OrganizationRow) -> Result<Self, StoreError> {
        let rules = OrganizationRules::from(row.rules);
        Ok(Self {
            id: row.id,
            name: OrganizationName::from_stored(row.name),
            slug: Slug::from_stored(row.slug),
            join_policy: parsed(&row.join_policy)?,
            allowed_domains: AllowedDomains::from_stored(&row.allowed_domains),
            require_mfa: rules.requires_mfa,
            lifetimes: rules.lifetimes,
            created_at: row.created_at.0,
        })
    }
}

/// Inserts the organization unless its slug is taken, or a former one of another; returns whether it did.
pub fn insert_if_slug_is_free(
    tx: &mut Tx<'_>,
    organization: &Organization,
) -> Result<bool, StoreError> {
    let values = (
        organizations::id.eq(organization.id),
        organizations::name.eq(organization.name.as_str()),
        organizations::slug.eq(organization.slug.as_str()),
        organizations::join_policy.eq(organization.join_policy.as_str()),
        organizations::allowed_domains.eq(organization.allowed_domains.to_stored()),
        organizations::require_mfa.eq(organization.require_mfa),
        organizations::created_at.eq(Timestamp(organization.created_at)),
        organizations::updated_at.eq(Timestamp(organization.created_at)),
    );
    later!(
        tx,
        diesel::insert_into(organizations::table)
            .values(values)
            .on_conflict(organizations::slug)
            .do_nothing()
    )?;
    tx.ahead(|tx| {
        (
            find(tx, organization.id),
            aliases::owner(tx, &organization.slug),
        )
    });
    if find(tx, organization.id)?.is_none() {
        return Ok(false);
    }
    // Afterwards, because from now on no other organization can have the slug, and leave it as an alias.
    if aliases::owner(tx, &organization.slug)?.is_some() {
        on!(tx, |conn| diesel::delete(
            organizations::table.find(organization.id)
        )
        .execute(conn))?;
        return Ok(false);
    }
    Ok(true)
}

/// Gives an organization another slug.
///
/// # Errors
/// `Taken(OrganizationSlug)` if another organization has it.
pub fn set_slug(
    tx: &mut Tx<'_>,
    id: OrganizationId,
    slug: &Slug,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(organizations::table.find(id))
        .set((
            organizations::slug.eq(slug.as_str()),
            organizations::updated_at.eq(Timestamp(now))
        ))
        .execute(conn))?;
    Ok(())
}

/// How many organizations have this slug or a numbered form of it.
pub fn count_slugs_like(tx: &mut Tx<'_>, slug: &Slug) -> Result<u32, StoreError> {
    // A slug contains no `%` or `_`, so it needs no escaping.
    let numbered = format!("{slug}-%");
    let count: i64 = on!(tx, |conn| organizations::table
        .filter(
            organizations::slug
                .eq(slug.as_str())
                .or(organizations::slug.like(&numbered))
        )
        .count()
        .get_result(conn))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

pub fn find(tx: &mut Tx<'_>, id: OrganizationId) -> Result<Option<Organization>, StoreError> {
    let row: Option<OrganizationRow> = on!(tx, |conn| organizations::table
        .find(id)
        .select(OrganizationRow::as_select())
        .get_result(conn)
        .optional())?;
    row.map(Organization::try_from).transpose()
}

/// The organization that has this slug, or had it.
pub fn find_by_slug(tx: &mut Tx<'_>, slug: &Slug) -> Result<Option<Organization>, StoreError> {
    let mut row: Option<OrganizationRow> = on!(tx, |conn| organizations::table
        .filter(organizations::slug.eq(slug.as_str()))
        .select(OrganizationRow::as_select())
        .get_result(conn)
        .optional())?;
    if row.is_none() {
        row = on!(tx, |conn| organizations::table
            .inner_join(slug_aliases::table)
            .filter(slug_aliases::slug.eq(slug.as_str()))
            .select(OrganizationRow::as_select())
            .get_result(conn)
            .optional())?;
    }
    row.map(Organization::try_from).transpose()
}

/// Reads an organization and locks it against changes until the transaction ends. Other transactions that lock it wait.
///
/// SQLite needs no lock: it has one writer.
pub fn lock(tx: &mut Tx<'_>, id: OrganizationId) -> Result<Option<Organization>, StoreError> {
    let row: Option<OrganizationRow> = find_locked!(
        tx,
        for_no_key_update,
        organizations::table
            .find(id)
            .select(OrganizationRow::as_select())
    )?;
    row.map(Organization::try_from).transpose()
}

/// As [`lock`], against rows that refer to it as well, such as memberships: for its deletion.
pub fn lock_exclusively(tx: &mut Tx<'_>, id: OrganizationId) -> Result<bool, StoreError> {
    if let Tx::Postgres(connection) = tx {
        let locked: Option<OrganizationId> = organizations::table
            .find(id)
            .select(organizations::id)
            .for_update()
            .get_result(*connection)
            .optional()?;
        return Ok(locked.is_some());
    }
    Ok(find(tx, id)?.is_some())
}

/// Keeps an organization from being deleted until the transaction ends; returns whether it exists. Call it before
/// inserting a row that refers to it.
pub fn hold(tx: &mut Tx<'_>, id: OrganizationId) -> Result<bool, StoreError> {
    if let Tx::Postgres(connection) = tx {
        let held: Option<OrganizationId> = organizations::table
            .find(id)
            .select(organizations::id)
            .for_key_share()
            .get_result(*connection)
            .optional()?;
        return Ok(held.is_some());
    }
    Ok(find(tx, id)?.is_some())
}

/// Updates what an organization's admins may change, and outdates the tokens of the members whom a new rule concerns.
pub fn update(
    tx: &mut Tx<'_>,
    organization: &Organization,
    concerned: Concerned,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values = (
        organizations::name.eq(organization.name.as_str()),
        organizations::join_policy.eq(organization.join_policy.as_str()),
        organizations::allowed_domains.eq(organization.allowed_domains.to_stored()),
        organizations::require_mfa.eq(organization.require_mfa),
        organizations::token_lifetime.eq(organization.lifetimes.token.map(TokenLifetime::seconds)),
        organizations::session_lifetime
            .eq(organization.lifetimes.session.map(SessionLifetime::seconds)),
        organizations::session_idle.eq(organization.lifetimes.idle.map(SessionIdle::seconds)),
        organizations::updated_at.eq(Timestamp(now)),
    );
    on!(tx, |conn| diesel::update(
        organizations::table.find(organization.id)
    )
    .set(values)
    .execute(conn))?;
    let expires_at = now + lifetimes::ACCESS_TOKEN;
    outdate_members(tx, organization.id, concerned, now, expires_at)
}

/// Sets the join policy to `closed`.
pub fn close(tx: &mut Tx<'_>, id: OrganizationId, now: DateTime<Utc>) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(organizations::table.find(id))
        .set((
            organizations::join_policy.eq(JoinPolicy::Closed.as_str()),
            organizations::updated_at.eq(Timestamp(now))
        ))
        .execute(conn))?;
    Ok(())
}

/// Deletes an organization and everything that belongs to it.
pub fn delete(tx: &mut Tx<'_>, id: OrganizationId) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::delete(organizations::table.find(id))
        .execute(conn))?;
    Ok(())
}

/// How many organizations have this join policy.
pub fn count_with_policy(tx: &mut Tx<'_>, policy: JoinPolicy) -> Result<i64, StoreError> {
    Ok(on!(tx, |conn| organizations::table
        .filter(organizations::join_policy.eq(policy.as_str()))
        .count()
        .get_result(conn))?)
}

/// All organizations, oldest first.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Organization>, StoreError> {
    let rows: Vec<OrganizationRow> = on!(tx, |conn| organizations::table
        .order((organizations::created_at, organizations::id))
        .select(OrganizationRow::as_select())
        .load(conn))?;
    rows.into_iter().map(Organization::try_from).collect()
}

/// The rules of the organization; none if it does not exist.
pub fn rules(tx: &mut Tx<'_>, id: OrganizationId) -> Result<OrganizationRules, StoreError> {
    let row: Option<RulesRow> = on!(tx, |conn| organizations::table
        .find(id)
        .select(RulesRow::as_select())
        .get_result(conn)
        .optional())?;
    Ok(row.map(OrganizationRules::from).unwrap_or_default())
}

/// Whether all members of the organization must have a second factor.
pub fn requires_mfa(tx: &mut Tx<'_>, id: OrganizationId) -> Result<bool, StoreError> {
    Ok(rules(tx, id)?.requires_mfa)
}

/// Those of a user's organizations that require a second factor of all members.
pub fn requiring_mfa_of(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> Result<Vec<OrganizationId>, StoreError> {
    Ok(on!(tx, |conn| organizations::table
        .inner_join(memberships::table)
        .filter(memberships::user_id.eq(user_id))
        .filter(organizations::require_mfa)
        .select(organizations::id)
        .load(conn))?)
}

/// Some of the organizations of a user, at most `limit`.
pub fn list_of_user(
    tx: &mut Tx<'_>,
    user_id: UserId,
    limit: i64,
) -> Result<Vec<Organization>, StoreError> {
    let rows: Vec<OrganizationRow> = on!(tx, |conn| organizations::table
        .inner_join(memberships::table)
        .filter(memberships::user_id.eq(user_id))
        .limit(limit)
        .select(OrganizationRow::as_select())
        .load(conn))?;
    rows.into_iter().map(Organization::try_from).collect()
}
