//! Exchanges a session token of the earlier system for a session of ours.

use chrono::{DateTime, Utc};

use crate::crypto::legacy_session::LegacyToken;
use crate::domain::UserId;
use crate::service::legacy_session::system::LegacySessions;
use crate::service::sign_in::entry::{Carrier, ContinuedSession, Entry, Proof, enter};
use crate::service::sign_in::subject::Subject;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, RequestContext, Result, Services, SignedIn};
use crate::store::legacy_sessions::{self, ImportedPerson};
use crate::store::one_time_tokens::{self, NewToken, Purpose};
use crate::store::{Tx, users};

/// `cookie` is the name of the cookie that the token came in, if it did.
///
/// # Errors
/// `InvalidToken` if no earlier system's sessions are exchanged, or no longer; for a token that the system did not issue,
/// or issued after the cut-over, and for people whom no import brought from there. `TokenExpired`. `TokenRevoked` if it
/// was exchanged before; if the person has changed their password here, or ended all sessions, since the import; if they
/// are disabled. `SecondFactorRequired` and `MfaEnrolmentRequired`: what they proved elsewhere is no second factor here.
/// `EmailNotVerified` where addresses must be.
pub async fn exchange(
    services: &Services,
    context: &RequestContext,
    token: &str,
    cookie: Option<&str>,
) -> Result<SignedIn> {
    let old = Presented::read(services, token, cookie).ok_or(Error::InvalidToken)?;
    let source = old.source.clone();
    let exchanged = old.exchange(services, context).await;
    if let Err(why) = &exchanged {
        tracing::info!(source, %why, "a session of the earlier system was not exchanged");
    }
    exchanged
}

impl Services {
    /// What is exchanged, while it is.
    fn open_legacy_sessions(&self) -> Option<&LegacySessions> {
        let now = self.now();
        self.legacy_sessions.as_ref().filter(|it| now < it.until)
    }

    /// The names of the cookies that may hold a token to exchange; empty when none is exchanged.
    pub fn legacy_cookies(&self) -> &[String] {
        self.open_legacy_sessions()
            .map_or(&[], |legacy| legacy.reader.cookies())
    }
}

/// A token that the earlier system has issued.
#[derive(Clone)]
struct Presented {
    source: String,
    token: LegacyToken,
    cut_over: Option<DateTime<Utc>>,
}

/// A session that may be exchanged.
struct Good {
    user_id: UserId,
    ends_at: DateTime<Utc>,
}

impl Presented {
    fn read(services: &Services, token: &str, cookie: Option<&str>) -> Option<Self> {
        let legacy = services.open_legacy_sessions()?;
        // An application may go on with the secret that it had; our own tokens still are no others.
        if !services.is_foreign_session(token) {
            return None;
        }
        Some(Self {
            source: legacy.source.clone(),
            token: legacy.reader.read(token, cookie, services.now())?,
            cut_over: legacy.cut_over,
        })
    }

    async fn exchange(self, services: &Services, context: &RequestContext) -> Result<SignedIn> {
        let (asked, now) = (self.clone(), services.now());
        // Whoever was refused may ask again and again, and the writer is for the others.
        services
            .store
            .read(context, move |tx| asked.judge(tx, now))
            .await?;
        let must_be_verified = services.require_verified_email;
        let entry = services
            .write(context, move |unit| {
                let entry = self.enter(unit, must_be_verified)?;
                unit.recorded(entry)
            })
            .await?;
        Ok(entry.begun()?.issue(services))
    }

    /// Whose session it is, and its end.
    fn find(&self, tx: &mut Tx<'_>) -> Result<Option<(ImportedPerson, DateTime<Utc>)>> {
        let Some(claims) = &self.token.claims else {
            let hash = self.token.hash.as_str();
            return Ok(legacy_sessions::find(tx, &self.source, hash)?);
        };
        let found = legacy_sessions::find_person(tx, &self.source, &claims.subject)?;
        let is_earlier = |person: &ImportedPerson| {
            claims.issued_at < self.cut_over.unwrap_or(person.imported_at)
        };
        Ok(found
            .filter(is_earlier)
            .map(|person| (person, claims.expires_at)))
    }

    fn judge(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<Good> {
        let (person, ends_at) = self.find(tx)?.ok_or(Error::InvalidToken)?;
        if ends_at <= now {
            return Err(Error::TokenExpired);
        }
        let hash = self.token.hash.as_str();
        let is_used = one_time_tokens::find(tx, hash, Purpose::LegacySession, now)?.is_some();
        if is_used || person.sessions_ended_at.is_some() {
            return Err(Error::TokenRevoked);
        }
        Ok(Good {
            user_id: person.user_id,
            ends_at,
        })
    }

    fn enter(self, unit: &mut UnitOfWork<'_, '_>, must_be_verified: bool) -> Result<Entry> {
        let now = unit.now;
        let user_id = self.judge(unit.tx, now)?.user_id;
        let account = users::lock_enabled_account(unit.tx, user_id)?.ok_or(Error::TokenRevoked)?;
        // Another request may have exchanged it, or ended the sessions, while this one waited for the lock.
        let ends_at = self.judge(unit.tx, now)?.ends_at;
        if must_be_verified && account.email_verified_at.is_none() {
            return Err(Error::EmailNotVerified);
        }
        let used = NewToken {
            hash: self.token.hash.as_str(),
            purpose: Purpose::LegacySession,
            user_id: Some(user_id),
            payload: "null",
            expires_at: ends_at,
        };
        one_time_tokens::insert(unit.tx, &used)?;
        let continued = ContinuedSession {
            subject: Subject::in_organization(unit.tx, account.user, None)?,
            source: self.source,
            ends_at,
        };
        match enter(unit, Proof::LegacySession(continued), Carrier::Jwt)? {
            // It is rolled back, so that the token remains good.
            Entry::Challenge(challenge) if challenge.enrolment_required => {
                Err(Error::MfaEnrolmentRequired)
            }
            Entry::Challenge(_) => Err(Error::SecondFactorRequired),
            entry => Ok(entry),
        }
    }
}
