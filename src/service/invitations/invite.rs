//! Invites an address, by a member, by the join policy, or by the operator.

use url::Url;

use crate::domain::audit::Action;
use crate::domain::{
    AddressBlock, Email, Invitation, InvitationId, JoinPolicy, Organization, OrganizationId, Role,
    UserId, lifetimes,
};
use crate::email_templates::{ACCEPT_INVITATION, page_url};
use crate::service::accounts::minimum_duration::MinimumDuration;
use crate::service::invitations::email::{send_decoy, send_invitation, store_link};
use crate::service::limits::{Group, Key, draw, draw_as};
use crate::service::unit_of_work::{MemberActor, UnitOfWork};
use crate::service::{Error, MemberCaller, RequestContext, Result, Services};
use crate::store::{Tx, identities, invitations, memberships, organizations};

pub struct Invite {
    pub email: Email,
    pub role: Role,
}

/// Inviting an address again replaces its open invitation: role, link and expiry.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `manager`, for a role above the
/// caller's, for an address that was invited to such a role, and for a service that invites an admin;
/// `ReauthenticationRequired` for inviting an admin; `InviterNotVerified`; `AlreadyMember`; `OrganizationClosed`;
/// `TooManyRequests` by account, by organization and by address.
pub async fn invite(
    services: &Services,
    caller: &MemberCaller,
    organization_id: OrganizationId,
    invite: Invite,
) -> Result<Invitation> {
    caller.must_act_in(organization_id)?;
    // Before the limits, because those who may not invite must not use up their organization's.
    caller.must_be(Role::Manager)?;
    let together = Group::InvitationsTogether;
    let address = Key::Address(caller.address().map(AddressBlock::from));
    let account = Key::Account(caller.profile.id);
    draw_as(services, caller, Group::Invitations, account).await?;
    draw_as(services, caller, together, address).await?;
    draw_as(
        services,
        caller,
        together,
        Key::Organization(organization_id),
    )
    .await?;
    services
        .administer(caller, None, move |unit, actor| {
            actor.must_be(Role::Manager)?;
            actor.must_be(invite.role)?;
            must_be_vouched_for(unit, actor)?;
            let organization = organizations::find(unit.tx, organization_id)?
                .ok_or(Error::OrganizationNotFound)?;
            let unanswered = unanswered(unit.tx, &organization, &invite.email)?;
            if let Some(open) = unanswered
                .as_ref()
                .filter(|open| unit.now < open.expires_at)
            {
                actor.must_be(open.role)?;
            }
            if invite.role == Role::Admin {
                actor.must_be_fresh(unit.now)?;
            }
            let wanted = Wanted {
                organization_id,
                email: invite.email,
                role: invite.role,
                invited_by: Some(actor.id()),
                by_operator: false,
            };
            let invitation = wanted.store(unit, unanswered)?;
            let inviter = Some(&actor.user().name);
            send_invitation(unit, &invitation, &organization.name, inviter)?;
            let event = unit.event(Action::InvitationSent).about(None);
            unit.finish(event, invitation)
        })
        .await
}

/// Requires an inviter with a verified address, or one whom Slack calls an owner or admin of the organization's
/// workspace: otherwise anyone could have us write to strangers.
fn must_be_vouched_for(unit: &mut UnitOfWork<'_, '_>, actor: &MemberActor) -> Result<()> {
    let is_vouched_for = actor.account.email_verified_at.is_some()
        || identities::is_workspace_admin(unit.tx, actor.id(), actor.organization_id())?;
    if is_vouched_for {
        Ok(())
    } else {
        Err(Error::InviterNotVerified)
    }
}

/// Invites an address that the join policy admits once it is verified. Members and addresses already invited get no
/// e-mail: any client can request this, and must not be able to replace a link. They take the same queries and writes
/// (decision 16), so that the time shows neither. An admin who allows the domain of a mail provider could have its users
/// written to in bulk, so the organization draws from a bucket, and so does the client.
pub(in crate::service) async fn invite_by_rule(
    services: &Services,
    context: &RequestContext,
    organization_id: OrganizationId,
    email: Email,
) -> Result<()> {
    let address = Key::Address(context.address.map(AddressBlock::from));
    draw(services, context, Group::Mail, address).await?;
    let organization = Key::Organization(organization_id);
    draw(services, context, Group::Mail, organization).await?;
    let time = MinimumDuration::begin();
    let written = services
        .write(context, move |unit| {
            let organization = organizations::lock(unit.tx, organization_id)?
                .ok_or(Error::OrganizationNotFound)?;
            if !organization.lets_in(Some(&email)) {
                return unit.unrecorded(());
            }
            let unanswered = invitations::find_unanswered(unit.tx, organization_id, &email)?;
            let is_member = memberships::includes_email(unit.tx, organization_id, &email)?;
            let is_open = |open: &Invitation| unit.now < open.expires_at;
            let refusal = if is_member {
                Some("already_member")
            } else if unanswered.as_ref().is_some_and(is_open) {
                Some("already_invited")
            } else {
                None
            };
            let wanted = Wanted {
                organization_id,
                email,
                role: Role::Employee,
                invited_by: None,
                by_operator: false,
            };
            let event = unit.event(Action::InvitationSent).within(organization_id);
            if let Some(reason) = refusal {
                let invitation = unanswered.unwrap_or_else(|| wanted.new_invitation(unit));
                send_decoy(unit, &invitation, &organization.name)?;
                return unit.finish(event.refused(reason), ());
            }
            let invitation = wanted.store(unit, unanswered)?;
            send_invitation(unit, &invitation, &organization.name, None)?;
            unit.finish(event, ())
        })
        .await;
    time.end().await;
    written
}

/// Invites an address for the operator, whose invitations need no member to back them. `app_url` is where links point.
///
/// Returns the link if no e-mail is sent: without `by_email`, or if the address has reached its limit of e-mails.
///
/// # Errors
/// `OrganizationNotFound`, `AlreadyMember`, `OrganizationClosed`.
pub async fn invite_by_operator(
    services: &Services,
    context: &RequestContext,
    organization_id: OrganizationId,
    invite: Invite,
    by_email: bool,
    app_url: &Url,
) -> Result<(Invitation, Option<String>)> {
    let app_url = app_url.clone();
    services
        .operate(context, move |unit| {
            let organization = organizations::lock(unit.tx, organization_id)?
                .ok_or(Error::OrganizationNotFound)?;
            let unanswered = unanswered(unit.tx, &organization, &invite.email)?;
            let wanted = Wanted {
                organization_id,
                email: invite.email,
                role: invite.role,
                invited_by: None,
                by_operator: true,
            };
            let invitation = wanted.store(unit, unanswered)?;
            let is_sent = by_email && send_invitation(unit, &invitation, &organization.name, None)?;
            let link = if is_sent {
                None
            } else {
                let secret = unit.secret();
                store_link(unit, &invitation, &secret)?;
                Some(page_url(&app_url, ACCEPT_INVITATION, secret.expose()))
            };
            let event = unit.event(Action::InvitationSent).within(organization_id);
            unit.finish(event, (invitation, link))
        })
        .await
}

/// The invitation that a new one to this address replaces.
///
/// # Errors
/// `OrganizationClosed`, `AlreadyMember`.
fn unanswered(
    tx: &mut Tx<'_>,
    organization: &Organization,
    email: &Email,
) -> Result<Option<Invitation>> {
    if organization.join_policy == JoinPolicy::Closed {
        return Err(Error::OrganizationClosed);
    }
    if memberships::includes_email(tx, organization.id, email)? {
        return Err(Error::AlreadyMember);
    }
    Ok(invitations::find_unanswered(tx, organization.id, email)?)
}

/// The invitation to store.
struct Wanted {
    organization_id: OrganizationId,
    email: Email,
    role: Role,
    invited_by: Option<UserId>,
    by_operator: bool,
}

impl Wanted {
    /// Renews the unanswered invitation, or inserts a new one. The organization is locked, so that an address never has
    /// two.
    fn store(
        self,
        unit: &mut UnitOfWork<'_, '_>,
        unanswered: Option<Invitation>,
    ) -> Result<Invitation> {
        if let Some(unanswered) = unanswered {
            let renewed = Invitation {
                role: self.role,
                invited_by: self.invited_by,
                by_operator: self.by_operator,
                expires_at: unit.now + lifetimes::INVITATION,
                ..unanswered
            };
            invitations::renew(unit.tx, &renewed)?;
            return Ok(renewed);
        }
        let new = self.new_invitation(unit);
        invitations::insert(unit.tx, &new)?;
        Ok(new)
    }

    fn new_invitation(self, unit: &mut UnitOfWork<'_, '_>) -> Invitation {
        Invitation {
            id: InvitationId::new(unit.now, unit.random()),
            organization_id: self.organization_id,
            email: self.email,
            role: self.role,
            invited_by: self.invited_by,
            by_operator: self.by_operator,
            email_number: 0,
            created_at: unit.now,
            expires_at: unit.now + lifetimes::INVITATION,
        }
    }
}
