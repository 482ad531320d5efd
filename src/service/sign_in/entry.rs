//! The sign-in entry point: the one function that turns a proof into a session or a challenge.
//!
//! Each kind of sign-in – password, Slack, registration, invitation, second step, an earlier system's session,
//! `/api/v1` – verifies its own proof
//! and calls [`enter`] in the transaction that verified it, with the account locked. No other code can insert a
//! session, because that requires a [`Cleared`], which only this file can create.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::crypto::opaque::OpaqueHash;
use crate::domain::audit::{Action, Method};
use crate::domain::{
    Clearance, Lifetimes, OrganizationId, Session, SessionId, SessionKind, UserId,
};
use crate::service::limits::remember_place;
use crate::service::sessions::end_many::{Beginning, end_excess, open_sessions};
use crate::service::sessions::lifetimes::lifetimes_in;
use crate::service::sign_in::answer::MfaChallenge;
use crate::service::sign_in::challenge::{Missing, PendingSignIn, challenge};
use crate::service::sign_in::issuer::UserFacts;
use crate::service::sign_in::known_devices::{remember_device, remember_first_device};
use crate::service::sign_in::notice::notify_of_new_place;
use crate::service::sign_in::second_step::CompletedChallenge;
use crate::service::sign_in::subject::Subject;
use crate::service::unit_of_work::{UnitOfWork, recent_rows};
use crate::service::{Error, Profile, Result, Services, SignIn, SignedIn};
use crate::store::sessions::{self, NewSession};
use crate::store::{
    Tx, active_organizations, known_addresses, known_devices, memberships, organizations, totp,
};

/// How many sessions a sign-in ends at most, so that it stays quick; housekeeping ends the rest.
const ENDED_PER_SIGN_IN: u32 = 100;

/// How a user has authenticated.
pub(in crate::service) enum Proof {
    Password(Subject),
    Slack(Subject),
    /// They have just registered, which was recorded.
    Registration(Subject),
    /// They have answered a challenge that followed another proof.
    SecondStep(CompletedChallenge),
    /// They have a session of an earlier system.
    LegacySession(ContinuedSession),
}

/// A session of an earlier system that goes on here.
pub(in crate::service) struct ContinuedSession {
    pub subject: Subject,
    /// The name of the system.
    pub source: String,
    /// When it would have ended there.
    pub ends_at: DateTime<Utc>,
}

/// How a session begins.
enum Beginner {
    /// With the account.
    Registers,
    /// By a sign-in, of which the owner hears if it is from a new place.
    SignsIn(Method),
    /// With what an earlier system has proved: nobody signs in, so nothing is new, and nothing is fresh.
    Continues {
        source: String,
        ends_at: DateTime<Utc>,
    },
}

/// Which tokens the session has.
pub(in crate::service) enum Carrier {
    /// Access tokens that name it.
    Jwt,
    /// One opaque token, given by its hash. If the second factor is missing, the session begins locked instead of a
    /// challenge.
    Token(OpaqueHash),
}

/// The result of a sign-in.
pub(in crate::service) enum Entry {
    SignedIn(Begun),
    Challenge(MfaChallenge),
    /// A session that is locked until its second factor is verified; only with [`Carrier::Token`].
    Locked(Begun),
}

/// A session that has begun.
pub(in crate::service) struct Begun {
    pub session: Session,
    pub lifetimes: Lifetimes,
    pub facts: UserFacts,
    pub profile: Profile,
}

/// The permission to insert a session. Its field is private, so that no other file can create one.
struct Cleared {
    is_locked: bool,
}

impl Clearance for Cleared {
    fn is_locked(&self) -> bool {
        self.is_locked
    }
}

impl Proof {
    fn parts(self) -> (Subject, Beginner, bool) {
        let by = Beginner::SignsIn;
        match self {
            Self::Password(subject) => (subject, by(Method::Password), false),
            Self::Slack(subject) => (subject, by(Method::Slack), false),
            Self::Registration(subject) => (subject, Beginner::Registers, false),
            Self::SecondStep(completed) => {
                (completed.into_subject(), by(Method::SecondFactor), true)
            }
            Self::LegacySession(old) => {
                let (source, ends_at) = (old.source, old.ends_at);
                (old.subject, Beginner::Continues { source, ends_at }, false)
            }
        }
    }
}

/// What [`enter`] asks about a user in an organization, and which one is their usual one, for [`Tx::ahead`].
pub(in crate::service) fn questions(
    unit: &UnitOfWork<'_, '_>,
    user_id: UserId,
    organization_id: Option<OrganizationId>,
) -> impl FnOnce(&mut Tx<'_>) + use<> {
    let (now, most_sessions) = (unit.now, unit.sessions_per_user);
    move |tx| {
        let _ = (
            memberships::usual(tx, user_id),
            totp::is_enrolled(tx, user_id),
            // For the second factor, and for the lifetimes.
            organization_id.map(|id| (organizations::rules(tx, id), organizations::rules(tx, id))),
            known_devices::list(tx, user_id),
            organization_id.map(|id| organizations::hold(tx, id)),
            open_sessions(tx, user_id, most_sessions, ENDED_PER_SIGN_IN),
            active_organizations::find(tx, user_id),
            known_addresses::list(tx, user_id),
            recent_rows(tx, user_id, now),
        );
    }
}

/// Begins a session, records the sign-in and notifies the owner of a new device or network; or, if the second factor is
/// missing, returns a challenge or a locked session.
///
/// # Errors
/// `OrganizationNotFound` if the organization was deleted meanwhile; when the database fails.
pub(in crate::service) fn enter(
    unit: &mut UnitOfWork<'_, '_>,
    proof: Proof,
    carrier: Carrier,
) -> Result<Entry> {
    let (subject, beginner, has_second_factor) = proof.parts();
    let pending = PendingSignIn::from(&subject);
    let missing = if has_second_factor {
        None
    } else {
        Missing::of(unit.tx, pending)?
    };
    let Some(missing) = missing else {
        let cleared = Cleared { is_locked: false };
        let begun = begin(unit, &subject, &carrier, &beginner, cleared)?;
        record(unit, &subject, beginner)?;
        return Ok(Entry::SignedIn(begun));
    };
    match carrier {
        Carrier::Jwt => challenge(unit, pending, missing).map(Entry::Challenge),
        // Recorded once it is unlocked.
        Carrier::Token(_) => {
            let cleared = Cleared { is_locked: true };
            begin(unit, &subject, &carrier, &beginner, cleared).map(Entry::Locked)
        }
    }
}

/// A registration was recorded.
fn record(unit: &mut UnitOfWork<'_, '_>, subject: &Subject, beginner: Beginner) -> Result<()> {
    let event = match beginner {
        Beginner::Registers => return Ok(()),
        Beginner::SignsIn(method) => unit.event(Action::Login).by(method),
        Beginner::Continues { source, ends_at } => unit
            .event(Action::SessionExchanged)
            .by(Method::LegacySession)
            .detail(json!({"source": source, "endsAt": ends_at})),
    };
    Ok(unit.record(subject.own(event))?)
}

fn begin(
    unit: &mut UnitOfWork<'_, '_>,
    subject: &Subject,
    carrier: &Carrier,
    beginner: &Beginner,
    cleared: Cleared,
) -> Result<Begun> {
    let (kind, token_hash) = match carrier {
        Carrier::Jwt => (SessionKind::Jwt, None),
        Carrier::Token(hash) => (SessionKind::Token, Some(hash)),
    };
    let now = unit.now;
    let organization_id = subject.organization_id();
    let lifetimes = lifetimes_in(unit.tx, unit.lifetimes, organization_id)?;
    let (proven_at, must_end_at) = match beginner {
        Beginner::Registers | Beginner::SignsIn(_) => (Some(now), None),
        Beginner::Continues { ends_at, .. } => (None, Some(*ends_at)),
    };
    let end = lifetimes.session_end(kind, now, now);
    let session = Session {
        id: SessionId::new(now, unit.random()),
        kind,
        user_id: subject.user.id,
        organization_id,
        device: unit.device().map(str::to_owned),
        address: unit.address(),
        created_at: now,
        last_used_at: now,
        expires_at: must_end_at.map_or(end, |latest| end.min(latest)),
        is_revoked: false,
        proven_at,
        must_end_at,
    };
    let is_new = match beginner {
        Beginner::Registers => {
            remember_first_device(unit, &session)?;
            false
        }
        Beginner::SignsIn(_) => remember_device(unit, &session, &subject.user)?,
        Beginner::Continues { .. } => {
            remember_device(unit, &session, &subject.user)?;
            false
        }
    };
    let new = NewSession {
        session: &session,
        token_hash: token_hash.map(OpaqueHash::as_str),
    };
    let beginning = Beginning {
        is_locked: cleared.is_locked,
        organization_id: session.organization_id,
    };
    if let Some(id) = session.organization_id
        && !organizations::hold(unit.tx, id)?
    {
        return Err(Error::OrganizationNotFound);
    }
    end_excess(unit, session.user_id, Some(beginning), ENDED_PER_SIGN_IN)?;
    sessions::insert(unit.tx, &new, &cleared)?;
    if let Some(id) = session.organization_id {
        active_organizations::remember(unit.tx, session.user_id, id)?;
    }
    let is_proof = !matches!(beginner, Beginner::Continues { .. });
    if is_proof && !cleared.is_locked {
        remember_place(unit, &subject.user)?;
    }
    if is_new {
        notify_of_new_place(unit, &session)?;
    }
    Ok(Begun {
        session,
        lifetimes,
        facts: UserFacts::of(unit.tx, &subject.user, unit.external_ids)?,
        profile: subject.profile(),
    })
}

impl Begun {
    /// The first access token of the session.
    pub(crate) fn issue(self, services: &Services) -> SignedIn {
        let now = self.session.created_at;
        services.tokens.issue(
            now,
            (&self.session, self.lifetimes),
            self.facts,
            self.profile,
        )
    }
}

impl Entry {
    /// The answer for clients that carry their session in access tokens.
    ///
    /// # Errors
    /// `Internal` for a locked session, which has none.
    pub(crate) fn issue(self, services: &Services) -> Result<SignIn> {
        match self {
            Self::Challenge(challenge) => Ok(SignIn::Challenge(challenge)),
            begun => Ok(SignIn::Complete(begun.begun()?.issue(services))),
        }
    }

    /// The session, if no challenge is possible any more.
    ///
    /// # Errors
    /// `Internal` if there is none.
    pub(crate) fn begun(self) -> Result<Begun> {
        match self {
            Self::SignedIn(begun) => Ok(begun),
            Self::Challenge(_) | Self::Locked(_) => Err(Error::Internal(
                "a sign-in ended without a session".to_owned(),
            )),
        }
    }
}
