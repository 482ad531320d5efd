//! Which API tokens end when a user's sessions do.

use crate::domain::{Change, SessionId, UserId};
use crate::service::Result;
use crate::service::unit_of_work::UnitOfWork;
use crate::store::api_tokens;

/// Which API tokens end together with sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Those that the ending sessions made: a thief's token ends with the thief's session.
    MadeBySessions,
    /// Every one of the user, in all organizations.
    All,
}

impl Ending {
    pub fn all_if(all: bool) -> Self {
        if all { Self::All } else { Self::MadeBySessions }
    }
}

/// For a session of theirs that a user ends from elsewhere, as someone else's.
pub(in crate::service) fn end_made_by(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    session_id: SessionId,
) -> Result<()> {
    if api_tokens::revoke_made_by(unit.tx, user_id, session_id, unit.now)? > 0 {
        unit.changed(Change::PersonChanged { user_id });
    }
    Ok(())
}

/// Call it before every live session of the user ends, except one if given. Returns how many tokens ended.
pub(in crate::service) fn end_with_sessions(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    except: Option<SessionId>,
    which: Ending,
) -> Result<usize> {
    let now = unit.now;
    let ended = match which {
        Ending::All => api_tokens::revoke_all_of(unit.tx, user_id, now)?,
        Ending::MadeBySessions => {
            api_tokens::revoke_made_by_live_sessions(unit.tx, user_id, except, now)?
        }
    };
    if ended > 0 {
        unit.changed(Change::PersonChanged { user_id });
    }
    Ok(ended)
}
