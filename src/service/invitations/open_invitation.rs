//! The invitation that a link is for.

use chrono::{DateTime, Utc};

use crate::domain::{
    Email, Invitation, InvitationId, JoinPolicy, Membership, Organization, Role, User, UserId,
};
use crate::service::invitations::email::InvitationLink;
use crate::service::organizations::still_has_role::still_has_role;
use crate::service::organizations::switch::admit;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, Result, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::{
    StoreError, Tx, Unique, former_identities, invitations, memberships, organizations, users,
};

/// An invitation that can be accepted, or was just accepted.
pub(in crate::service) struct OpenInvitation {
    pub invitation: Invitation,
    pub organization: Organization,
}

impl OpenInvitation {
    /// The invitation of the link, which stays valid.
    ///
    /// # Errors
    /// `InvalidOrExpiredToken`, `OrganizationClosed`.
    pub(super) fn preview(tx: &mut Tx<'_>, token: &str, now: DateTime<Utc>) -> Result<Self> {
        let link: InvitationLink = one_time::find(tx, token, Purpose::Invitation, now)?
            .ok_or(Error::InvalidOrExpiredToken)?;
        let invitation = invitations::find_open(tx, link.invitation_id, now)?
            .filter(|invitation| invitation.email_number == link.email_number)
            .ok_or(Error::InvalidOrExpiredToken)?;
        Self::judge(tx, invitation)
    }

    /// Accepts the invitation of the link, which then leads only to [`accepted`]. Of concurrent requests, one succeeds;
    /// if the transaction fails later, the link stays valid.
    ///
    /// # Errors
    /// As [`preview`](Self::preview).
    pub(super) fn accept(unit: &mut UnitOfWork<'_, '_>, token: &str, by: UserId) -> Result<Self> {
        let link: InvitationLink = one_time::find(unit.tx, token, Purpose::Invitation, unit.now)?
            .ok_or(Error::InvalidOrExpiredToken)?;
        Self::accept_numbered(unit, link.invitation_id, link.email_number, by)
    }

    /// As [`accept`](Self::accept), without a link.
    ///
    /// # Errors
    /// As [`preview`](Self::preview).
    pub(super) fn accept_numbered(
        unit: &mut UnitOfWork<'_, '_>,
        id: InvitationId,
        email_number: i32,
        by: UserId,
    ) -> Result<Self> {
        let invitation = invitations::accept(unit.tx, id, email_number, by, unit.now)?
            .ok_or(Error::InvalidOrExpiredToken)?;
        Self::judge(unit.tx, invitation)
    }

    /// # Errors
    /// `InvalidOrExpiredToken` for an invitation that nobody backs any more; `OrganizationClosed`.
    pub(super) fn judge(tx: &mut Tx<'_>, invitation: Invitation) -> Result<Self> {
        let organization = organizations::find(tx, invitation.organization_id)?
            .ok_or(Error::InvalidOrExpiredToken)?;
        if organization.join_policy == JoinPolicy::Closed {
            return Err(Error::OrganizationClosed);
        }
        if !is_backed(tx, &invitation, &organization)? {
            return Err(Error::InvalidOrExpiredToken);
        }
        Ok(Self {
            invitation,
            organization,
        })
    }

    /// Verifies the account's address, or gives it the invited one if it has none.
    ///
    /// # Errors
    /// `InvitationNotYours`.
    pub(super) fn verify_address(&self, unit: &mut UnitOfWork<'_, '_>, user: User) -> Result<User> {
        let email: &Email = &self.invitation.email;
        if user.email.as_ref().is_some_and(|own| own != email) {
            return Err(Error::InvitationNotYours);
        }
        if user.email.is_some() {
            let verified = users::mark_email_verified(unit.tx, user.id, unit.now)?;
            unit.announce(verified);
        } else {
            let changed =
                users::set_verified_email(unit.tx, user.id, email, unit.now).map_err(|error| {
                    match error {
                        StoreError::Taken(Unique::UserEmail) => Error::InvitationNotYours,
                        other => other.into(),
                    }
                })?;
            unit.announce(changed);
        }
        Ok(User {
            email: Some(email.clone()),
            ..user
        })
    }

    /// Undoes an earlier removal, unless the invitation was sent by the join policy.
    pub(super) fn readmit(&self, unit: &mut UnitOfWork<'_, '_>, user: &User) -> Result<()> {
        if !self.invitation.is_by_policy() {
            let organization_id = self.invitation.organization_id;
            former_identities::forget_removal(unit.tx, user.id, organization_id)?;
        }
        Ok(())
    }

    /// # Errors
    /// `AlreadyMember`.
    pub(super) fn admit(&self, unit: &mut UnitOfWork<'_, '_>, user: &User) -> Result<Membership> {
        let (organization_id, role) = (self.invitation.organization_id, self.invitation.role);
        self.readmit(unit, user)?;
        admit(unit, user.id, organization_id, role)
    }
}

/// Whether a member or the operator has invited the address, and the invitation can be accepted.
pub(in crate::service) fn is_invited(
    tx: &mut Tx<'_>,
    organization: &Organization,
    email: &Email,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    match invitations::find_unanswered(tx, organization.id, email)? {
        Some(open) if now < open.expires_at && !open.is_by_policy() => {
            is_backed(tx, &open, organization)
        }
        _ => Ok(false),
    }
}

/// The membership of who accepted the invitation of this link, while both last.
pub(super) fn accepted(
    tx: &mut Tx<'_>,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Option<Membership>> {
    let link: Option<InvitationLink> = one_time::find(tx, token, Purpose::Invitation, now)?;
    let Some(link) = link else {
        return Ok(None);
    };
    accepted_by_id(tx, link.invitation_id)
        .map(|found| found.filter(|(invitation, _)| invitation.email_number == link.email_number))
        .map(|found| found.map(|(_, membership)| membership))
}

/// As [`accepted`], without a link.
pub(super) fn accepted_by_id(
    tx: &mut Tx<'_>,
    id: InvitationId,
) -> Result<Option<(Invitation, Membership)>> {
    let Some((invitation, Some(by))) = invitations::find_accepted(tx, id)? else {
        return Ok(None);
    };
    let membership = memberships::find(tx, by, invitation.organization_id)?;
    Ok(membership.map(|membership| (invitation, membership)))
}

/// An invitation by a member or by rule is valid only while the inviter's role, or the join policy, still allows it.
fn is_backed(
    tx: &mut Tx<'_>,
    invitation: &Invitation,
    organization: &Organization,
) -> Result<bool, StoreError> {
    if invitation.by_operator {
        return Ok(true);
    }
    let Some(inviter) = invitation.invited_by else {
        return Ok(
            invitation.role == Role::Employee && organization.lets_in(Some(&invitation.email))
        );
    };
    let needed = invitation.role.max(Role::Manager);
    still_has_role(tx, inviter, organization.id, needed)
}
