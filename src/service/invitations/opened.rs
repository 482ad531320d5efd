//! What a link opens, and whether it does.

use chrono::{DateTime, Utc};

use crate::domain::{Email, Invitation, JoinPolicy, Membership, Organization, Role, User};
use crate::service::invitations::letter::Kept;
use crate::service::organizations::switch::admit;
use crate::service::{Error, Result, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::{StoreError, Tx, Unique, invitations, memberships, organizations, users};

/// An invitation that can be accepted, or has just been.
pub(in crate::service) struct Opened {
    pub invitation: Invitation,
    pub organization: Organization,
}

impl Opened {
    /// What the link would open; it stays good.
    ///
    /// # Errors
    /// `InvalidOrExpiredToken`, `OrganizationClosed`.
    pub fn look(tx: &mut Tx<'_>, token: &str, now: DateTime<Utc>) -> Result<Self> {
        let kept: Kept = one_time::find(tx, token, Purpose::Invitation, now)?
            .ok_or(Error::InvalidOrExpiredToken)?;
        let invitation = invitations::find_open(tx, kept.invitation_id, now)?
            .filter(|invitation| invitation.letter == kept.letter)
            .ok_or(Error::InvalidOrExpiredToken)?;
        Self::judge(tx, invitation)
    }

    /// Uses the link up. Of any number who try, one does; a transaction that fails afterwards leaves it good.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn accept(tx: &mut Tx<'_>, token: &str, now: DateTime<Utc>) -> Result<Self> {
        let kept: Kept = one_time::redeem(tx, token, Purpose::Invitation, now)?
            .ok_or(Error::InvalidOrExpiredToken)?;
        let invitation = invitations::accept(tx, kept.invitation_id, kept.letter, now)?
            .ok_or(Error::InvalidOrExpiredToken)?;
        Self::judge(tx, invitation)
    }

    fn judge(tx: &mut Tx<'_>, invitation: Invitation) -> Result<Self> {
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

    /// The account gets the invited address, which the link proves, unless it has another one.
    ///
    /// # Errors
    /// `InvitationNotYours`.
    pub fn prove_address(&self, tx: &mut Tx<'_>, user: User, now: DateTime<Utc>) -> Result<User> {
        let email: &Email = &self.invitation.email;
        if user.email.as_ref().is_some_and(|own| own != email) {
            return Err(Error::InvitationNotYours);
        }
        users::set_proved_email(tx, user.id, email, now).map_err(|error| match error {
            StoreError::Taken(Unique::UserEmail) => Error::InvitationNotYours,
            other => other.into(),
        })?;
        Ok(User {
            email: Some(email.clone()),
            ..user
        })
    }

    /// # Errors
    /// `AlreadyMember`.
    pub fn admit(&self, tx: &mut Tx<'_>, user: &User, now: DateTime<Utc>) -> Result<Membership> {
        let invitation = &self.invitation;
        admit(
            tx,
            user.id,
            invitation.organization_id,
            invitation.role,
            now,
        )
    }
}

/// An invitation is worth what those behind it could still grant: the inviter by their role, the organization by its
/// rules.
fn is_backed(
    tx: &mut Tx<'_>,
    invitation: &Invitation,
    organization: &Organization,
) -> Result<bool, StoreError> {
    let Some(inviter) = invitation.invited_by else {
        return Ok(
            invitation.role == Role::Employee && organization.lets_in(Some(&invitation.email))
        );
    };
    let is_enabled = users::find(tx, inviter)?.is_some_and(|user| user.disabled_at.is_none());
    let membership = memberships::find(tx, inviter, organization.id)?;
    let needed = invitation.role.max(Role::Manager);
    Ok(is_enabled && membership.is_some_and(|membership| membership.role >= needed))
}
