//! The beginning of a session, by whatever door, and a letter to its owner when it comes from somewhere new.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::mail::Stationery;
use super::{Result, Services, mail_limit, one_time};
use crate::crypto::opaque::Opaque;
use crate::domain::{Letter, Session, SessionId, UserId, lifetimes};
use crate::store::one_time_tokens::Purpose;
use crate::store::{Tx, sessions, users};

/// What tells of a sign-in, if it has to be told of.
#[derive(Clone)]
pub(super) struct SignInNotice {
    secret: Opaque,
    stationery: Stationery,
}

/// What is kept of the link in it.
#[derive(Serialize, Deserialize)]
pub(super) struct EndableSession {
    pub user_id: UserId,
    pub session_id: SessionId,
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
    let link = EndableSession {
        user_id: session.user_id,
        session_id: session.id,
    };
    let expires_at = session.created_at + lifetimes::END_SESSION_LINK;
    let purpose = Purpose::EndSession;
    one_time::keep(
        tx,
        &secret,
        purpose,
        Some(session.user_id),
        &link,
        expires_at,
    )?;
    let letter = stationery.write(email, &letter);
    mail_limit::send_notice(tx, &letter, account.email_verified_at.is_some())?;
    Ok(())
}
