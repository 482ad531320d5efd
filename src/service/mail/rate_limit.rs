//! How many letters strangers can have us write to an address.

use crate::domain::{EmailMessage, lifetimes};
use crate::service::Services;
use crate::store::outbox::{self, DECOY, NewEmail};
use crate::store::{StoreError, Tx};

/// Letters of a sort to one address within [`lifetimes::EMAIL_LIMIT_WINDOW`].
const EMAILS_PER_ADDRESS: u8 = 3;

/// Whether one more letter that a stranger can cause may go to its address: a fourth within an hour may not, and
/// nobody is told. The address is held until the transaction ends, so that of any number at once three go out.
pub(in crate::service) fn may_send(tx: &mut Tx<'_>, letter: &NewEmail) -> Result<bool, StoreError> {
    let mut kinds = vec![DECOY];
    kinds.extend(EmailMessage::ASKED_FOR);
    has_room(tx, letter, &kinds)
}

/// Tells an account's owner of something that has happened to it.
///
/// Who has proved the address is always told. Any other may be somebody whose address a stranger has put into an
/// account, to have us write to them: for them it ends as with [`may_send`].
pub(in crate::service) fn send_notice(
    tx: &mut Tx<'_>,
    letter: &NewEmail,
    is_proved: bool,
) -> Result<(), StoreError> {
    if is_proved || has_room(tx, letter, &EmailMessage::NOTICES)? {
        outbox::insert(tx, letter)?;
    }
    Ok(())
}

fn has_room(tx: &mut Tx<'_>, letter: &NewEmail, kinds: &[&str]) -> Result<bool, StoreError> {
    let to = &letter.recipient;
    let since = letter.created_at - lifetimes::EMAIL_LIMIT_WINDOW;
    outbox::lock_recipient(tx, to)?;
    Ok(!outbox::are_as_many_since(
        tx,
        to,
        kinds,
        since,
        EMAILS_PER_ADDRESS,
    )?)
}

/// Forgets what stood in place of letters and counts no more.
///
/// # Errors
/// When the database cannot be written.
pub async fn purge_decoys(services: &Services) -> Result<(), StoreError> {
    let before = services.now() - lifetimes::EMAIL_LIMIT_WINDOW;
    services
        .store
        .write(move |tx| outbox::delete_decoys(tx, before).map(|_| ()))
        .await
}
