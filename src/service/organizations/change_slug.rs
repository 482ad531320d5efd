//! Changes an organization's slug; the former one stays an alias.

use crate::domain::{Organization, Slug, Violation};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, Result};
use crate::store::{StoreError, Unique, organizations, slug_aliases};

/// How many former slugs an organization may have. Each is out of reach for all others.
const MAX_ALIASES: i64 = 20;

/// Links and host names with the former slug go on working, until the organization ends. No other organization can have
/// it, and this one can take it back. The organization is locked.
///
/// # Errors
/// `Invalid` for a reserved slug; `SlugTaken`, `TooManySlugs`.
pub(super) fn change_slug(
    unit: &mut UnitOfWork<'_, '_>,
    organization: &Organization,
    slug: &Slug,
) -> Result<()> {
    let (id, now) = (organization.id, unit.now);
    let is_own = slug_aliases::owner(unit.tx, slug)? == Some(id);
    if is_own {
        slug_aliases::delete(unit.tx, slug)?;
    } else {
        must_not_be_reserved(unit, slug)?;
        if slug_aliases::count_of(unit.tx, id)? >= MAX_ALIASES {
            return Err(Error::TooManySlugs);
        }
    }
    organizations::set_slug(unit.tx, id, slug, now).map_err(|error| match error {
        StoreError::Taken(Unique::OrganizationSlug) => Error::SlugTaken,
        other => other.into(),
    })?;
    // Afterwards, because from now on no other organization can have the slug, and leave it as an alias.
    if slug_aliases::owner(unit.tx, slug)?.is_some() {
        return Err(Error::SlugTaken);
    }
    slug_aliases::insert(unit.tx, &organization.slug, id, now)?;
    Ok(())
}

/// # Errors
/// `Invalid`.
pub(super) fn must_not_be_reserved(unit: &UnitOfWork<'_, '_>, slug: &Slug) -> Result<()> {
    if unit.reserved_slugs.contain(slug) {
        let why = "This slug is reserved. Please choose another one.";
        return Err(Violation::new("slug", "reserved", why).into());
    }
    Ok(())
}
