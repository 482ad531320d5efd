//! What follows a change of the second factor: other sessions end, and the owner is told.

use crate::domain::{Change, EmailMessage, SessionId, User, UserId};
use crate::service::accounts::undo_link::{self, Undoable};
use crate::service::api_tokens::end_with_sessions::{Ending, end_with_sessions};
use crate::service::mail::gate;
use crate::service::sessions::end_many;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Result, one_time};
use crate::store::{totp, users};

/// Ends the sessions that began before the change, except one, the API tokens that they made, and pending sign-ins.
pub(in crate::service) fn end_other_sessions(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    except: SessionId,
) -> Result<()> {
    one_time::revoke_after_credential_change(unit.tx, user_id)?;
    end_with_sessions(unit, user_id, Some(except), Ending::MadeBySessions)?;
    end_many::end_other_sessions(unit, user_id, except)?;
    unit.changed(Change::PersonChanged { user_id });
    Ok(())
}

/// What the notice says.
pub(in crate::service) enum MfaNotice {
    /// The account has its first authenticator; the notice has a link that removes it.
    Enabled,
    /// Another authenticator replaced the one before, whose code was shown. A link would let the holder of the mailbox
    /// alone remove a second factor that the account has had for long, so there is none.
    Replaced,
    Disabled,
}

/// Notifies the account's owner, in case someone else made the change.
pub(in crate::service) fn send_notice(
    unit: &mut UnitOfWork<'_, '_>,
    user: &User,
    notice: MfaNotice,
) -> Result<()> {
    let Some(account) = users::find_account(unit.tx, user.id)? else {
        return Ok(());
    };
    let Some(email) = account.user.email else {
        return Ok(());
    };
    let token = match notice {
        MfaNotice::Enabled => match totp::enrolled_at(unit.tx, user.id)? {
            Some(enrolled_at) => {
                let first = Undoable::Authenticator { enrolled_at };
                let secret = undo_link::store(unit, user.id, first)?;
                Some(secret.expose().to_owned())
            }
            None => None,
        },
        MfaNotice::Replaced | MfaNotice::Disabled => None,
    };
    let message = EmailMessage::MfaChanged {
        name: user.name.to_string(),
        enabled: !matches!(notice, MfaNotice::Disabled),
        token,
    };
    let is_verified = account.email_verified_at.is_some();
    gate::send_notice(unit, user.id, email, &message, is_verified)?;
    Ok(())
}
