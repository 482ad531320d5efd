//! A one-time code for what was put aside for its holder.

use serde::{Deserialize, Serialize};

use crate::crypto::opaque::{self, Opaque};
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{CodeVerifier, OrganizationId, SessionId, SignInFailure, SlackPerson, UserId};
use crate::service::mfa::{self, PendingSignIn};
use crate::service::sign_in::begin_session::begin_session;
use crate::service::slack::admission::{SlackSignIn, attach};
use crate::service::slack::callback::refuse;
use crate::service::{Error, Profile, RequestContext, Result, Services, SignIn, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::{audit, memberships, users};

pub struct Redeem<'a> {
    pub code: &'a str,
    pub verifier: &'a CodeVerifier,
}

/// What a code stands for.
#[derive(Serialize, Deserialize)]
pub(in crate::service) enum Payload {
    SignIn {
        user_id: UserId,
        organization_id: OrganizationId,
    },
    Link {
        user_id: UserId,
        session_id: SessionId,
        person: SlackPerson,
        workspace_name: Option<String>,
    },
}

impl Payload {
    pub fn user_id(&self) -> UserId {
        match self {
            Self::SignIn { user_id, .. } | Self::Link { user_id, .. } => *user_id,
        }
    }
}

/// What is kept of a code.
#[derive(Serialize, Deserialize)]
pub(in crate::service) struct Kept {
    pub challenge: String,
    pub payload: Payload,
}

/// The code is used up, whether or not the verifier fits.
///
/// # Errors
/// `SignIn(SignInExpired)` for a code that is unknown, used, older than a minute or somebody else's;
/// the failures of signing in, and of linking.
pub async fn redeem(
    services: &Services,
    context: &RequestContext,
    redeem: Redeem<'_>,
) -> Result<SignIn> {
    services.slack()?;
    let expired = || Error::from(SignInFailure::SignInExpired);
    let code = redeem.code.to_owned();
    let now = services.now();
    let kept: Kept = services
        .store
        .write(move |tx| one_time::redeem(tx, &code, Purpose::SlackCode, now))
        .await?
        .ok_or_else(expired)?;
    if !opaque::verifies(redeem.verifier.expose(), &kept.challenge) {
        return Err(expired());
    }
    let sign_in = match kept.payload {
        Payload::SignIn {
            user_id,
            organization_id,
        } => sign_in(services, context, user_id, organization_id).await,
        Payload::Link {
            user_id,
            session_id,
            person,
            workspace_name,
        } => {
            let slack_sign_in = SlackSignIn::new(services, context, person, workspace_name)?;
            attach(services, slack_sign_in, user_id, session_id).await
        }
    };
    match sign_in {
        Err(Error::SignIn(
            failure @ (SignInFailure::NotAllowed | SignInFailure::AccountExists),
        )) => refuse(services, context, failure).await,
        sign_in => sign_in,
    }
}

async fn sign_in(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
    organization_id: OrganizationId,
) -> Result<SignIn> {
    let now = services.now();
    let session = services.new_session(context, now, user_id, organization_id);
    let notice = services.sign_in_notice(now);
    let entry = AuditEntry {
        actor_id: Some(user_id),
        subject_id: Some(user_id),
        organization_id: Some(organization_id),
        ..services.audit(context, now, Action::Login, Outcome::Ok)
    };
    let second_factor_token = Opaque::new(services.random());
    let begun = services
        .store
        .write(move |tx| {
            // Within the code's minute the account may have been disabled or removed.
            let user = users::lock_account(tx, user_id)?
                .map(|account| account.user)
                .filter(|user| user.disabled_at.is_none())
                .ok_or(SignInFailure::NotAllowed)?;
            let memberships = memberships::list_of_user(tx, user_id)?;
            let membership = memberships
                .iter()
                .find(|membership| membership.organization_id == organization_id)
                .ok_or(SignInFailure::NotAllowed)?;
            let half = PendingSignIn {
                user_id,
                organization_id,
            };
            if let Some(wanted) = mfa::still_needed(tx, second_factor_token, half, now)? {
                return Ok(Err(wanted));
            }
            begin_session(tx, &session, notice)?;
            audit::insert(tx, &entry)?;
            Ok::<_, Error>(Ok((
                session,
                user.token_version,
                Profile::of(&user, membership),
            )))
        })
        .await?;
    Ok(match begun {
        Ok((session, token_version, profile)) => {
            SignIn::Complete(services.tokens.issue(now, &session, token_version, profile))
        }
        Err(second_factor) => SignIn::SecondFactor(second_factor),
    })
}
