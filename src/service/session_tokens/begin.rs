//! The beginning of a session.

use chrono::{DateTime, Utc};

use crate::domain::{OrganizationId, Session, SessionKind, UserId, lifetimes};
use crate::service::session_tokens::SessionToken;
use crate::service::{RequestContext, Services};

impl Services {
    /// A session that begins `now` and the token that will carry it; the caller's transaction inserts it.
    pub(in crate::service) fn new_token_session(
        &self,
        context: &RequestContext,
        now: DateTime<Utc>,
        user_id: UserId,
    ) -> (Session, SessionToken) {
        let session = Session {
            kind: SessionKind::Token,
            expires_at: now + lifetimes::SESSION_TOKEN,
            // The organization is known once the transaction has read the memberships.
            ..self.new_session(context, now, user_id, OrganizationId::NIL)
        };
        (session, SessionToken::new(self.random()))
    }
}
