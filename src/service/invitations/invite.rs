//! Somebody is invited, by a member or by the organization's rules.

use chrono::{DateTime, Utc};

use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{
    Email, Invitation, InvitationId, JoinPolicy, Organization, OrganizationId, Role, UserId,
    lifetimes,
};
use crate::service::invitations::letter::InvitingLetter;
use crate::service::{Caller, Error, RequestContext, Result, Services};
use crate::store::{Tx, audit, invitations, memberships, organizations};

pub struct Invite {
    pub email: Email,
    pub role: Role,
}

/// Inviting an address again replaces its open invitation: the role, the link, the seven days.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `manager`, for a role above the
/// caller's, and for an address that somebody above the caller has invited to such a role; `AlreadyMember`;
/// `OrganizationClosed`.
pub async fn invite(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    organization_id: OrganizationId,
    invite: Invite,
) -> Result<Invitation> {
    caller.must_speak_for(organization_id)?;
    caller.must_be(Role::Manager)?;
    caller.must_be(invite.role)?;
    let organization = find(services, organization_id).await?;
    let now = services.now();
    let inviter = &caller.profile;
    let letter = InvitingLetter::new(
        services,
        now,
        &invite.email,
        &organization.name,
        Some(&inviter.name),
        invite.role,
    );
    let highest_role = inviter.role;
    let wanted = Wanted {
        id: InvitationId::new(now, services.random()),
        organization_id,
        email: invite.email,
        role: invite.role,
        invited_by: Some(inviter.id),
    };
    let entry = AuditEntry {
        subject_id: None,
        ..services.audit_own(context, now, Action::InvitationSent, caller)
    };
    services
        .store
        .write(move |tx| {
            let organization =
                organizations::lock(tx, organization_id)?.ok_or(Error::OrganizationNotFound)?;
            if organization.join_policy == JoinPolicy::Closed {
                return Err(Error::OrganizationClosed);
            }
            if memberships::includes_email(tx, organization_id, &wanted.email)? {
                return Err(Error::AlreadyMember);
            }
            let unanswered = invitations::find_unanswered(tx, organization_id, &wanted.email)?;
            if unanswered
                .as_ref()
                .is_some_and(|open| now < open.expires_at && open.role > highest_role)
            {
                return Err(Error::Forbidden);
            }
            let invitation = wanted.write(tx, unanswered, now)?;
            letter.send(tx, &invitation)?;
            audit::insert(tx, &entry)?;
            Ok(invitation)
        })
        .await
}

/// Invites an address that may join by the organization's rules once it is proved. Somebody who is a member or
/// invited already gets no letter: strangers can ask for this, and shall not be able to outdate a link.
pub(in crate::service) async fn invite_by_rule(
    services: &Services,
    context: &RequestContext,
    organization_id: OrganizationId,
    email: Email,
) -> Result<()> {
    let role = Role::Employee;
    let organization = find(services, organization_id).await?;
    let now = services.now();
    let letter = InvitingLetter::new(services, now, &email, &organization.name, None, role);
    let wanted = Wanted {
        id: InvitationId::new(now, services.random()),
        organization_id,
        email,
        role,
        invited_by: None,
    };
    let entry = AuditEntry {
        organization_id: Some(organization_id),
        ..services.audit(context, now, Action::InvitationSent, Outcome::Ok)
    };
    services
        .store
        .write(move |tx| {
            let organization =
                organizations::lock(tx, organization_id)?.ok_or(Error::OrganizationNotFound)?;
            let unanswered = invitations::find_unanswered(tx, organization_id, &wanted.email)?;
            let is_invited = unanswered
                .as_ref()
                .is_some_and(|open| now < open.expires_at);
            if is_invited
                || !organization.lets_in(Some(&wanted.email))
                || memberships::includes_email(tx, organization_id, &wanted.email)?
            {
                return Ok(());
            }
            let invitation = wanted.write(tx, unanswered, now)?;
            letter.send(tx, &invitation)?;
            audit::insert(tx, &entry)?;
            Ok::<_, Error>(())
        })
        .await
}

/// An invitation as it is to be.
struct Wanted {
    id: InvitationId,
    organization_id: OrganizationId,
    email: Email,
    role: Role,
    invited_by: Option<UserId>,
}

impl Wanted {
    /// Renews what is unanswered, or makes a new invitation. Whoever calls holds the organization, so that one
    /// address never has two.
    fn write(
        self,
        tx: &mut Tx<'_>,
        unanswered: Option<Invitation>,
        now: DateTime<Utc>,
    ) -> Result<Invitation> {
        let expires_at = now + lifetimes::INVITATION;
        let (role, invited_by) = (self.role, self.invited_by);
        if let Some(unanswered) = unanswered {
            let renewed = Invitation {
                role,
                invited_by,
                expires_at,
                ..unanswered
            };
            invitations::renew(tx, &renewed)?;
            return Ok(renewed);
        }
        let new = Invitation {
            id: self.id,
            organization_id: self.organization_id,
            email: self.email,
            role,
            invited_by,
            letter: 0,
            created_at: now,
            expires_at,
        };
        invitations::insert(tx, &new)?;
        Ok(new)
    }
}

async fn find(services: &Services, id: OrganizationId) -> Result<Organization> {
    services
        .store
        .read(move |tx| organizations::find(tx, id)?.ok_or(Error::OrganizationNotFound))
        .await
}
