//! The first verification of an account's address.

use serde_json::json;

use crate::domain::audit::{Action, Method};
use crate::domain::{Change, Email, Membership, Role, UserId};
use crate::service::accounts::email_proof::EmailProof;
use crate::service::people::end_membership::end_membership;
use crate::service::unit_of_work::{LockedOrganizations, UnitOfWork};
use crate::service::{RequestContext, Result, Services, one_time};
use crate::store::one_time_tokens::{self, Purpose};
use crate::store::users::Account;
use crate::store::{
    Tx, api_tokens, former_identities, identities, invitations, join_links, memberships, users,
    webhooks,
};

/// What a password reset ends besides sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClaimEffects {
    /// Sign-in with Slack is unlinked.
    pub detaches_slack: bool,
    /// Memberships end.
    pub leaves_organizations: bool,
}

/// What a link to choose a new password is about.
#[derive(Debug, Default)]
pub struct ClaimPreview {
    /// The address of its account, whose mailbox the link was sent to.
    pub email: Option<Email>,
    pub effects: ClaimEffects,
}

/// Whose password the reset with this link would change, and what it would end; nothing if the link is not valid.
///
/// # Errors
/// When the database does not answer.
pub async fn preview_claim(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<ClaimPreview> {
    let (token, now) = (token.to_owned(), services.now());
    services
        .store
        .read(context, move |tx| {
            let link: Option<EmailProof> = one_time::find(tx, &token, Purpose::ResetPassword, now)?;
            let account = link.map(|link| link.find(tx)).transpose()?.flatten();
            let Some(account) = account else {
                return Ok(ClaimPreview::default());
            };
            Ok(ClaimPreview {
                effects: match account.email_verified_at {
                    Some(_) => ClaimEffects::default(),
                    None => effects_on(tx, account.user.id)?,
                },
                email: account.user.email,
            })
        })
        .await
}

fn effects_on(tx: &mut Tx<'_>, user_id: UserId) -> Result<ClaimEffects> {
    Ok(ClaimEffects {
        detaches_slack: identities::exists_for(tx, user_id)?,
        leaves_organizations: !laid_by_others(tx, user_id)?.is_empty(),
    })
}

/// The memberships in which somebody else has a right over the user: all but those in which the user is the only admin.
/// Without that admin the organization would have none, so a founder keeps what they founded.
fn laid_by_others(tx: &mut Tx<'_>, user_id: UserId) -> Result<Vec<Membership>> {
    let mut found = Vec::new();
    for membership in memberships::list_of_user(tx, user_id)? {
        let organization_id = membership.organization_id;
        if membership.role != Role::Admin
            || memberships::has_another_admin(tx, organization_id, user_id)?
        {
            found.push(membership);
        }
    }
    Ok(found)
}

/// Secures an account whose owner has just verified its address by setting a password with a link sent to it.
///
/// Until then an attacker may have created it, to get access once the owner uses it (Sudhodanan and Paverd,
/// "Pre-hijacked accounts", 2022). So every other way to sign in and every right that others have over the account is
/// removed: linked identities, API tokens, open links, the invitations and join links it made, memberships beside another admin, and
/// managers. The reset ends sessions anyway. A second factor stays: access to the mailbox must never bypass it.
///
/// # Errors
/// `Conflict` if the account has joined an organization that is not locked.
pub(in crate::service) fn claim_account(
    unit: &mut UnitOfWork<'_, '_>,
    account: &Account,
    locked: &LockedOrganizations,
) -> Result<ClaimEffects> {
    if account.email_verified_at.is_some() {
        return Ok(ClaimEffects::default());
    }
    let (user_id, now) = (account.user.id, unit.now);
    let effects = effects_on(unit.tx, user_id)?;
    locked.must_be_all_of(unit, user_id)?;
    for membership in laid_by_others(unit.tx, user_id)? {
        end_membership(unit, user_id, membership.organization_id)?;
        let event = unit.event(Action::MemberLeft).own(user_id);
        let event = event.within(membership.organization_id);
        // The address and the device are the owner's, and the organization's admins read the row.
        unit.record(event.by(Method::EmailLink).without_origin())?;
    }
    let kept = memberships::list_of_user(unit.tx, user_id)?;
    for membership in &kept {
        let updated =
            memberships::set_manager(unit.tx, user_id, membership.organization_id, None, now)?;
        unit.announce(updated);
    }
    let linked = identities::list_of_user(unit.tx, user_id)?;
    former_identities::detach(unit.tx, user_id, &linked, now)?;
    if !linked.is_empty() {
        let event = unit.event(Action::IdentityUnlinked).own(user_id);
        let event = event.within(kept.first().map(|membership| membership.organization_id));
        let event = event.detail(json!({"identities": linked.len()}));
        unit.record(event.by(Method::EmailLink))?;
    }
    api_tokens::revoke_all_of(unit.tx, user_id, now)?;
    invitations::revoke_all_by(unit.tx, user_id, now)?;
    join_links::delete_made_by(unit.tx, user_id, None)?;
    webhooks::delete_owned_by(unit.tx, user_id, None)?;
    one_time_tokens::delete_of_user(unit.tx, user_id, &[Purpose::VerifyEmail])?;
    let verified = users::mark_email_verified(unit.tx, user_id, now)?;
    unit.announce(verified);
    unit.changed(Change::PersonChanged { user_id });
    Ok(effects)
}
