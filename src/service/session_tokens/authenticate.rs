//! Authenticates session tokens.

use chrono::{DateTime, Utc};

use crate::domain::{Lifetimes, OrganizationId, Session, SessionId, UserId, Validity};
use crate::service::session_tokens::SessionToken;
use crate::service::sessions::lifetimes::lifetimes_in;
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
/// `InvalidToken` for a token without a session; `TokenExpired` after 30 days, or less as the organization has it;
/// `TokenRevoked` if the session was ended, or its user was disabled or left the organization.
pub async fn authenticate(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<TokenSession> {
    Ok(identify(services, context, token).await?.0)
}

/// As [`authenticate`], with the life of the token.
///
/// # Errors
/// As [`authenticate`].
pub(in crate::service) async fn identify(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<(TokenSession, Validity)> {
    let hash = SessionToken::parse(token)
        .ok_or(Error::InvalidToken)?
        .hash();
    let (now, instance) = (services.now(), services.lifetimes);
    let (mut session, lifetimes, found) = services
        .store
        .read(context, {
            let context = context.clone();
            move |tx| find(tx, &context, hash.as_str(), instance, now)
        })
        .await?;
    if lifetimes.is_use_outdated(&session, now) {
        let by = match session.organization_id {
            Some(organization_id) => Requester::member(organization_id, session.user_id),
            None => context.into(),
        };
        session = lifetimes.renew(session, now);
        let used = session.clone();
        services
            .store
            .record_use(by, move |tx| {
                if sessions::touch(tx, &used)? {
                    Ok(())
                } else {
                    Err(Error::TokenRevoked)
                }
            })
            .await?;
    }
    let validity = Validity {
        issued_at: session.created_at,
        expires_at: Some(lifetimes.end_of(&session)),
    };
    Ok((found, validity))
}

fn find(
    tx: &mut Tx<'_>,
    context: &RequestContext,
    hash: &str,
    instance: Lifetimes,
    now: DateTime<Utc>,
) -> Result<(Session, Lifetimes, TokenSession)> {
    let found = session_tokens::find(tx, hash)?.ok_or(Error::InvalidToken)?;
    let session = found.session;
    let lifetimes = lifetimes_in(tx, instance, session.organization_id)?;
    lifetimes.must_be_live(&session, now)?;
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
    Ok((session, lifetimes, found))
}
