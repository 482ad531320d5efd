//! The beginning of a session, by whatever door, and a letter to its owner when it comes from somewhere new.

use chrono::{DateTime, Utc};

use crate::crypto::opaque::Opaque;
use crate::domain::{EmailMessage, Session};
use crate::service::mail::EmailSealer;
use crate::service::mail::rate_limit;
use crate::service::sessions::end_session_by_link::keep_link;
use crate::service::{Result, Services};
use crate::store::{Tx, sessions, users};

/// What tells of a sign-in, if it has to be told of.
#[derive(Clone)]
pub(in crate::service) struct SignInNotice {
    secret: Opaque,
    email_sealer: EmailSealer,
}

impl Services {
    /// For one session.
    pub(in crate::service) fn sign_in_notice(&self, now: DateTime<Utc>) -> SignInNotice {
        SignInNotice {
            secret: Opaque::new(self.random()),
            email_sealer: self.email_sealer(now),
        }
    }
}

/// Writes the session down. Who has signed in before, and never from this device at this address, gets a letter
/// whose link ends this session.
pub(in crate::service) fn begin_session(
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
pub(in crate::service) fn tell_owner(
    tx: &mut Tx<'_>,
    session: &Session,
    notice: SignInNotice,
) -> Result<()> {
    let Some(account) = users::find_account(tx, session.user_id)? else {
        return Ok(());
    };
    let Some(email) = account.user.email else {
        return Ok(());
    };
    let SignInNotice {
        secret,
        email_sealer,
    } = notice;
    let letter = EmailMessage::NewSignIn {
        name: account.user.name.to_string(),
        device: session.device.clone(),
        address: session.address,
        at: session.created_at,
        token: secret.expose().to_owned(),
    };
    keep_link(tx, &secret, session.user_id, session.id, session.created_at)?;
    let letter = email_sealer.write(email, &letter);
    rate_limit::send_notice(tx, &letter, account.email_verified_at.is_some())?;
    Ok(())
}
