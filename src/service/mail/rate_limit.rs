//! How many e-mails unauthenticated clients can cause to one address.

use crate::domain::{Email, EmailMessage, lifetimes};
use crate::service::Services;
use crate::service::unit_of_work::UnitOfWork;
use crate::store::StoreError;
use crate::store::outbox::{self, DECOY, NewEmail};

/// E-mails of one group to one address within [`lifetimes::EMAIL_LIMIT_WINDOW`].
const EMAILS_PER_ADDRESS: u8 = 3;

/// Whether one more e-mail that any client can cause may be sent to its address: not a fourth within an hour, and the
/// answer does not say so. The address is locked until the transaction ends, so that concurrent requests cannot exceed
/// the limit.
pub(in crate::service) fn may_send(
    unit: &mut UnitOfWork<'_, '_>,
    email: &NewEmail,
) -> Result<bool, StoreError> {
    let mut kinds = vec![DECOY];
    kinds.extend(EmailMessage::ASKED_FOR);
    has_room(unit, email, &kinds)
}

/// Notifies an account's owner of an event.
///
/// A verified address always gets it. An unverified one may be a victim's, entered to have us send them e-mails: it is
/// limited like [`may_send`].
pub(in crate::service) fn send_notice(
    unit: &mut UnitOfWork<'_, '_>,
    to: Email,
    message: &EmailMessage,
    is_verified: bool,
) -> Result<(), StoreError> {
    let email = unit.draft(to, message);
    if is_verified || has_room(unit, &email, &EmailMessage::NOTICES)? {
        unit.queue(&email)?;
    }
    Ok(())
}

fn has_room(
    unit: &mut UnitOfWork<'_, '_>,
    email: &NewEmail,
    kinds: &[&str],
) -> Result<bool, StoreError> {
    let to = &email.recipient;
    let since = email.created_at - lifetimes::EMAIL_LIMIT_WINDOW;
    outbox::lock_recipient(unit.tx, to)?;
    Ok(!outbox::are_as_many_since(
        unit.tx,
        to,
        kinds,
        since,
        EMAILS_PER_ADDRESS,
    )?)
}

/// Deletes decoy rows that no longer count towards the limit.
///
/// # Errors
/// When the database cannot be written.
pub async fn purge_decoys(services: &Services) -> Result<(), StoreError> {
    let before = services.now() - lifetimes::EMAIL_LIMIT_WINDOW;
    services
        .store
        .maintain(move |tx| outbox::delete_decoys(tx, before).map(|_| ()))
        .await
}
