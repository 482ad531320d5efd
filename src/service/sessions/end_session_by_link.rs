//! Ending a session that its owner was told of, by the link in that letter.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::crypto::opaque::Opaque;
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Change, SessionId, UserId, lifetimes};
use crate::service::{Error, RequestContext, Result, Services, one_time, record_changes};
use crate::store::one_time_tokens::Purpose;
use crate::store::{Tx, audit, sessions};

/// What is kept of the link.
#[derive(Serialize, Deserialize)]
struct EndableSession {
    user_id: UserId,
    session_id: SessionId,
}

/// Lets whoever brings `secret` end that session.
pub(in crate::service) fn keep_link(
    tx: &mut Tx<'_>,
    secret: &Opaque,
    user_id: UserId,
    session_id: SessionId,
    now: DateTime<Utc>,
) -> Result<()> {
    let link = EndableSession {
        user_id,
        session_id,
    };
    let expires_at = now + lifetimes::END_SESSION_LINK;
    one_time::issue(
        tx,
        secret,
        Purpose::EndSession,
        Some(user_id),
        &link,
        expires_at,
    )
}

/// Ends that session and no other; one that has ended meanwhile is as good.
///
/// # Errors
/// `InvalidOrExpiredToken`.
pub async fn end_session_by_link(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<()> {
    let now = services.now();
    let token = token.to_owned();
    let entry = services.audit(context, now, Action::SessionEnded, Outcome::Ok);
    let changes = services
        .store
        .write(move |tx| {
            let link: EndableSession = one_time::redeem(tx, &token, Purpose::EndSession, now)?
                .ok_or(Error::InvalidOrExpiredToken)?;
            let EndableSession {
                user_id,
                session_id,
            } = link;
            let changes = [Change::SessionEnded {
                user_id,
                session_id,
            }];
            if sessions::revoke(tx, user_id, session_id, now)? {
                let session = sessions::find(tx, session_id)?;
                let entry = AuditEntry {
                    subject_id: Some(user_id),
                    organization_id: session.map(|session| session.organization_id),
                    ..entry
                };
                audit::insert(tx, &entry)?;
                record_changes(tx, &changes, now)?;
            }
            Ok::<_, Error>(changes)
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}
