//! The e-mail about a sign-in from a new device or network, with a link that ends the session.

use crate::domain::{EmailMessage, Session};
use crate::service::Result;
use crate::service::mail::gate;
use crate::service::sessions::end_session_by_link::store_link;
use crate::service::unit_of_work::UnitOfWork;
use crate::store::users;

/// Queues the e-mail, if the account has an address.
pub(in crate::service) fn notify_of_new_place(
    unit: &mut UnitOfWork<'_, '_>,
    session: &Session,
) -> Result<()> {
    let Some(account) = users::find_account(unit.tx, session.user_id)? else {
        return Ok(());
    };
    let Some(email) = account.user.email else {
        return Ok(());
    };
    let secret = store_link(unit, session.user_id, session.id)?;
    let message = EmailMessage::NewSignIn {
        name: account.user.name.to_string(),
        device: session.device.clone(),
        address: session.address,
        at: session.created_at,
        token: secret.expose().to_owned(),
    };
    let is_verified = account.email_verified_at.is_some();
    gate::send_notice(unit, session.user_id, email, &message, is_verified)?;
    Ok(())
}
