//! How many letters strangers can have us write to an address.

use super::Services;
use crate::domain::{Letter, lifetimes};
use crate::store::outbox::{self, BLANK, NewLetter};
use crate::store::{StoreError, Tx};

/// Letters of a sort to one address within [`lifetimes::LETTERS_COUNT_FOR`].
const LETTERS_TO_AN_ADDRESS: u8 = 3;

/// Whether one more letter that a stranger can cause may go to its address: a fourth within an hour may not, and
/// nobody is told. The address is held until the transaction ends, so that of any number at once three go out.
pub(super) fn may_send(tx: &mut Tx<'_>, letter: &NewLetter) -> Result<bool, StoreError> {
    let mut kinds = vec![BLANK];
    kinds.extend(Letter::ASKED_FOR);
    has_room(tx, letter, &kinds)
}

/// Tells an account's owner of something that has happened to it.
///
/// Who has proved the address is always told. Any other may be somebody whose address a stranger has put into an
/// account, to have us write to them: for them it ends as with [`may_send`].
pub(super) fn send_notice(
    tx: &mut Tx<'_>,
    letter: &NewLetter,
    is_proved: bool,
) -> Result<(), StoreError> {
    if is_proved || has_room(tx, letter, &Letter::NOTICES)? {
        outbox::insert(tx, letter)?;
    }
    Ok(())
}

fn has_room(tx: &mut Tx<'_>, letter: &NewLetter, kinds: &[&str]) -> Result<bool, StoreError> {
    let to = &letter.recipient;
    let since = letter.created_at - lifetimes::LETTERS_COUNT_FOR;
    outbox::hold_recipient(tx, to)?;
    Ok(!outbox::are_as_many_since(
        tx,
        to,
        kinds,
        since,
        LETTERS_TO_AN_ADDRESS,
    )?)
}

/// Forgets what stood in place of letters and counts no more.
///
/// # Errors
/// When the database cannot be written.
pub async fn forget_blanks(services: &Services) -> Result<(), StoreError> {
    let before = services.now() - lifetimes::LETTERS_COUNT_FOR;
    services
        .store
        .write(move |tx| outbox::delete_blanks(tx, before).map(|_| ()))
        .await
}
