//! The beginning of a session, by whatever door, and a letter to its owner when it comes from somewhere new.

use chrono::{DateTime, Utc};

use super::end_session_by_link::keep_link;
use super::mail::Stationery;
use super::{Result, Services, mail_limit};
use crate::crypto::opaque::Opaque;
use crate::domain::{Letter, Session};
use crate::store::{Tx, sessions, users};

/// What tells of a sign-in, if it has to be told of.
#[derive(Clone)]
pub(super) struct SignInNotice {
    secret: Opaque,
    stationery: Stationery,
}

impl Services {
    /// For one session.
    pub(super) fn sign_in_notice(&self, now: DateTime<Utc>) -> SignInNotice {
        SignInNotice {
            secret: Opaque::new(self.random()),
            stationery: self.stationery(now),
        }
    }
}

/// Writes the session down. Who has signed in before, and never from this device at this address, gets a letter
/// whose link ends this session.
pub(super) fn begin_session(
    tx: &mut Tx<'_>,
    session: &Session,
    notice: SignInNotice,
) -> Result<()> {
    let is_from_elsewhere = sessions::is_from_elsewhere(tx, session)?;
    sessions::insert(tx, session)?;
    if is_from_elsewhere {
        tell_owner(tx, session, notice)?;
    }
    Ok(())
}

/// Writes the letter, whose link ends this session, if there is an address for it.
pub(super) fn tell_owner(tx: &mut Tx<'_>, session: &Session, notice: SignInNotice) -> Result<()> {
    let Some(account) = users::find_account(tx, session.user_id)? else {
        return Ok(());
    };
    let Some(email) = account.user.email else {
        return Ok(());
    };
    let SignInNotice { secret, stationery } = notice;
    let letter = Letter::NewSignIn {
        name: account.user.name.to_string(),
        device: session.device.clone(),
        address: session.address,
        at: session.created_at,
        token: secret.expose().to_owned(),
    };
    keep_link(tx, &secret, session.user_id, session.id, session.created_at)?;
    let letter = stationery.write(email, &letter);
    mail_limit::send_notice(tx, &letter, account.email_verified_at.is_some())?;
    Ok(())
}
