//! The join link that a token is for.

use chrono::{DateTime, Utc};

use crate::crypto::opaque::Opaque;
use crate::domain::{JoinLink, JoinPolicy, Organization, Role};
use crate::service::organizations::still_has_role::still_has_role;
use crate::service::{Error, Result};
use crate::store::{Tx, join_links, organizations};

/// A link that is valid; it may be used up.
pub(super) struct OpenLink {
    pub link: JoinLink,
    pub organization: Organization,
}

impl OpenLink {
    /// # Errors
    /// `InvalidOrExpiredToken`, `OrganizationClosed`.
    pub(super) fn find(tx: &mut Tx<'_>, token: &str, now: DateTime<Utc>) -> Result<Self> {
        let secret = Opaque::parse(token).ok_or(Error::InvalidOrExpiredToken)?;
        let link = join_links::find_by_hash(tx, secret.hash().as_str(), now)?;
        Self::judge(tx, link)
    }

    /// As [`find`](Self::find), locked until the transaction ends.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub(super) fn lock(tx: &mut Tx<'_>, token: &str, now: DateTime<Utc>) -> Result<Self> {
        let secret = Opaque::parse(token).ok_or(Error::InvalidOrExpiredToken)?;
        let link = join_links::lock_by_hash(tx, secret.hash().as_str(), now)?;
        Self::judge(tx, link)
    }

    fn judge(tx: &mut Tx<'_>, link: Option<JoinLink>) -> Result<Self> {
        let link = link.ok_or(Error::InvalidOrExpiredToken)?;
        let organization =
            organizations::find(tx, link.organization_id)?.ok_or(Error::InvalidOrExpiredToken)?;
        if organization.join_policy == JoinPolicy::Closed {
            return Err(Error::OrganizationClosed);
        }
        if !still_has_role(tx, link.maker_id, organization.id, Role::Admin)? {
            return Err(Error::InvalidOrExpiredToken);
        }
        Ok(Self { link, organization })
    }
}
