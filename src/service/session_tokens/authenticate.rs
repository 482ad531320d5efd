//! Authenticates session tokens.

use chrono::{DateTime, Utc};

use crate::domain::{OrganizationId, Session, SessionId, UserId, lifetimes};
use crate::service::session_tokens::SessionToken;
use crate::service::sign_in::challenge::{Missing, PendingSignIn};
use crate::service::sign_in::subject::Subject;
use crate::service::{Caller, Credential, Error, RequestContext, Result, Services};
use crate::store::{Requester, Tx, session_tokens, sessions, users};

/// A live session.
pub enum TokenSession {
    Open(Caller),
    Locked(LockedSession),
}

/// A session whose second factor is not verified yet, or is required only since it began. It has no profile, so no data
/// can be read with it.
#[derive(Debug, Clone, Copy)]
pub struct LockedSession {
    pub(in crate::service) session_id: SessionId,
    pub(in crate::service) user_id: UserId,
    pub(in crate::service) organization_id: Option<OrganizationId>,
}

/// # Errors
/// `InvalidToken` for a token without a session; `TokenExpired` after 30 days; `TokenRevoked` if the session was ended,
/// or its user was disabled or left the organization.
pub async fn authenticate(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<TokenSession> {
    let hash = SessionToken::parse(token)
        .ok_or(Error::InvalidToken)?
        .hash();
    let now = services.now();
    let (session, found) = services
        .store
        .read(context, {
            let context = context.clone();
            move |tx| find(tx, &context, hash.as_str(), now)
        })
        .await?;
    if session.last_used_at + lifetimes::LAST_USED_PRECISION <= now {
        let (id, organization_id) = (session.id, session.organization_id);
        let by = match organization_id {
            Some(organization_id) => Requester::member(organization_id, session.user_id),
            None => context.into(),
        };
        services
            .store
            .record_use(by, move |tx| {
                if sessions::touch(tx, id, organization_id, now)? {
                    Ok(())
                } else {
                    Err(Error::TokenRevoked)
                }
            })
            .await?;
    }
    Ok(found)
}

fn find(
    tx: &mut Tx<'_>,
    context: &RequestContext,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<(Session, TokenSession)> {
    let found = session_tokens::find(tx, hash)?.ok_or(Error::InvalidToken)?;
    let session = found.session;
    session.must_be_live(now)?;
    let user = users::find(tx, session.user_id)?
        .filter(|user| user.disabled_at.is_none())
        .ok_or(Error::TokenRevoked)?;
    let subject = Subject::of_session(tx, user, &session)?;
    let pending = PendingSignIn::from(&subject);
    let found = if found.locked || Missing::of_session(tx, pending)?.is_some() {
        TokenSession::Locked(LockedSession {
            session_id: session.id,
            user_id: session.user_id,
            organization_id: session.organization_id,
        })
    } else {
        let credential = Credential::Session(session.id);
        let version = subject.user.token_version;
        TokenSession::Open(Caller::new(subject.profile(), credential, version, context))
    };
    Ok((session, found))
}
