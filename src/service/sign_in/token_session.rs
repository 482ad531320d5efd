//! Signs in with e-mail and password for a session token.

use chrono::TimeDelta;

use crate::crypto::session_token::SessionToken;
use crate::domain::{Email, SessionKind};
use crate::service::accounts::verify_credentials::verify_credentials;
use crate::service::session_tokens::view::View;
use crate::service::sign_in::entry::{Carrier, Entry, Proof, enter, questions};
use crate::service::sign_in::subject::{Subject, Wanted};
use crate::service::{RequestContext, Result, Services};

pub struct Login<'a> {
    pub email: Email,
    pub password: &'a str,
    pub wanted: Wanted,
}

/// A session that has just begun.
pub struct Begun {
    token: SessionToken,
    /// How long it is valid at most, if it is always in use.
    pub max_age: TimeDelta,
    /// Whether it waits for the second factor.
    pub is_locked: bool,
    pub view: View,
}

impl Begun {
    pub fn expose_token(&self) -> &str {
        self.token.expose()
    }
}

/// # Errors
/// As [`login`](crate::service::login()).
pub async fn login(
    services: &Services,
    context: &RequestContext,
    login: Login<'_>,
) -> Result<Begun> {
    let verified = verify_credentials(services, context, login.email, login.password).await?;
    let token = SessionToken::new(services.random());
    let hash = token.hash();
    let wanted = login.wanted;
    let (is_locked, max_age, view) = services
        .write(context, move |unit| {
            let entry = questions(unit, verified.user_id, verified.organization_id);
            verified.ask(unit, entry);
            let subject = match Subject::after_password(unit, &verified, &wanted)? {
                Ok(subject) => subject,
                Err(refusal) => return unit.refused(refusal),
            };
            let proof = Proof::Password(subject);
            // Users who must have a second factor and have none stay locked out: these clients cannot enrol one.
            let (is_locked, begun) = match enter(unit, proof, Carrier::Token(hash))? {
                Entry::Locked(begun) => (true, begun),
                entry => (false, entry.begun()?),
            };
            let max_age = begun.lifetimes.longest_session(SessionKind::Token);
            let view = View::of(unit.tx, begun.profile)?;
            unit.recorded_if_changed((is_locked, max_age, view))
        })
        .await?;
    Ok(Begun {
        token,
        max_age,
        is_locked,
        view,
    })
}
