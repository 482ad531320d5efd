//! Unlinks an identity from its owner's account.

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::{EmailMessage, IdentityId};
use crate::service::mail::gate;
use crate::service::mfa::after_change::end_other_sessions;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Caller, Error, Result, Services};
use crate::store::users::Account;
use crate::store::{former_identities, identities};

/// Unlinks one of the caller's identities, which is remembered as theirs, so that a removal from its workspace's
/// organization still holds. Other sessions end, because they may have begun with it, and the owner is told.
///
/// # Errors
/// `ReauthenticationRequired`; `IdentityNotFound`; `LastWayIn` without a password for an address that can sign in, and
/// without another identity that leads into an organization; `Forbidden` for a service.
pub async fn unlink_identity(
    services: &Services,
    caller: &Caller,
    identity_id: IdentityId,
) -> Result<()> {
    caller.session_id()?;
    let must_be_verified = services.require_verified_email;
    let has_slack = services.slack().is_ok();
    services
        .write_as(caller, move |unit, actor| {
            actor.must_be_fresh(unit.now)?;
            let (user_id, account) = (actor.id(), &actor.account);
            let mut linked = identities::list_of_user(unit.tx, user_id)?;
            linked.retain(|identity| identity.id == identity_id);
            let identity = linked.first().ok_or(Error::IdentityNotFound)?;
            let except = Some(identity_id);
            let remains = account.signs_in_by_password(must_be_verified)
                || has_slack && identities::another_leads_in(unit.tx, user_id, except)?;
            if !remains {
                return Err(Error::LastWayIn);
            }
            let event = unit.event(Action::IdentityUnlinked);
            let event = event.detail(json!({"identities": 1, "team": identity.team}));
            former_identities::detach(unit.tx, user_id, &linked, unit.now)?;
            end_other_sessions(unit, user_id, actor.session_id()?)?;
            notify_of_link(unit, account, false)?;
            unit.finish(event, ())
        })
        .await
}

/// Tells the owner that an identity was linked or unlinked, in case someone else did it.
pub(in crate::service) fn notify_of_link(
    unit: &mut UnitOfWork<'_, '_>,
    account: &Account,
    linked: bool,
) -> Result<()> {
    if let Some(email) = account.user.email.clone() {
        let name = account.user.name.to_string();
        let message = EmailMessage::SlackLinkChanged { name, linked };
        let is_verified = account.email_verified_at.is_some();
        gate::send_notice(unit, account.user.id, email, &message, is_verified)?;
    }
    Ok(())
}
