//! Who enrols an authenticator.

use chrono::{DateTime, Utc};

use crate::domain::{Email, OrganizationId, PersonName, SessionId, UserId};
use crate::service::mfa::PendingSignIn;
use crate::service::sign_in::second_step::{Found, Resume};
use crate::service::{Caller, Error, RequestContext, Result, Services, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::{Tx, memberships, users};

/// Somebody who is signed in, or somebody whom an organization lets in with a second factor only.
pub enum EnrolmentSubject {
    Caller(Caller),
    /// The token of a sign-in with `enrolment_required`.
    PendingSignIn(String),
}

/// The same as a transaction knows them.
pub(in crate::service) enum Holder {
    Caller {
        user_id: UserId,
        organization_id: OrganizationId,
        session_id: SessionId,
    },
    PendingSignIn(Box<Resume>),
}

impl EnrolmentSubject {
    /// Whom to write to, if they have an address, and by what name.
    ///
    /// # Errors
    /// `InvalidOrExpiredToken`.
    pub(in crate::service) async fn addressee(
        &self,
        services: &Services,
        now: DateTime<Utc>,
    ) -> Result<(Option<Email>, PersonName)> {
        let token = match self {
            Self::Caller(Caller { profile, .. }) => {
                return Ok((profile.email.clone(), profile.name.clone()));
            }
            Self::PendingSignIn(token) => token.clone(),
        };
        services
            .store
            .read(move |tx| {
                let half: Option<PendingSignIn> =
                    one_time::find(tx, &token, Purpose::MfaEnrolment, now)?;
                let half = half.ok_or(Error::InvalidOrExpiredToken)?;
                let user = users::find(tx, half.user_id)?.ok_or(Error::InvalidOrExpiredToken)?;
                Ok((user.email, user.name))
            })
            .await
    }
}

impl Holder {
    /// # Errors
    /// `Forbidden` for a service.
    pub fn new(
        services: &Services,
        context: &RequestContext,
        now: DateTime<Utc>,
        who: EnrolmentSubject,
    ) -> Result<Self> {
        Ok(match who {
            EnrolmentSubject::Caller(caller) => Self::Caller {
                user_id: caller.profile.id,
                organization_id: caller.profile.organization_id,
                session_id: caller.session_id()?,
            },
            EnrolmentSubject::PendingSignIn(token) => {
                let purpose = Purpose::MfaEnrolment;
                let resume = Resume::new(services, context, now, &token, purpose);
                Self::PendingSignIn(Box::new(resume))
            }
        })
    }

    /// Who they are now, their account held.
    ///
    /// # Errors
    /// `InvalidOrExpiredToken`; `TokenRevoked` for a caller who was disabled or removed meanwhile.
    pub fn lock(&self, tx: &mut Tx<'_>) -> Result<Found> {
        let (user_id, organization_id) = match self {
            Self::PendingSignIn(resume) => return resume.find(tx),
            Self::Caller {
                user_id,
                organization_id,
                ..
            } => (*user_id, *organization_id),
        };
        let user = users::lock_account(tx, user_id)?
            .map(|account| account.user)
            .filter(|user| user.disabled_at.is_none())
            .ok_or(Error::TokenRevoked)?;
        let membership = memberships::list_of_user(tx, user_id)?
            .into_iter()
            .find(|membership| membership.organization_id == organization_id)
            .ok_or(Error::TokenRevoked)?;
        Ok(Found { user, membership })
    }
}
