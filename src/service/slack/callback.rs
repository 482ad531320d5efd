//! The way back from Slack.

use url::Url;

use crate::crypto::opaque::Opaque;
use crate::crypto::sealed::{self, Purpose, SealError};
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::slack::meaning_of;
use crate::domain::{ReturnUrl, SignInFailure, SlackPerson, lifetimes};
use crate::ports::slack::{Arrival, Exchange, WorkspaceName};
use crate::service::mfa::SecondFactor;
use crate::service::slack::admission::{Admission, Admitted, SlackSignIn, admit, attach};
use crate::service::slack::redeem::{Kept, Payload};
use crate::service::slack::state::{Kind, State};
use crate::service::{Error, RequestContext, Result, Services, SignIn, SignedIn, one_time};
use crate::store::one_time_tokens::Purpose as OneTime;
use crate::store::{audit, slack_states, workspaces};

/// What the person's browser brings.
pub struct Callback<'a> {
    /// As at the beginning.
    pub callback_url: &'a Url,
    pub state: Option<&'a str>,
    pub code: Option<&'a str>,
    /// Slack's word for why there is no code.
    pub error: Option<&'a str>,
    /// The browser's key, if it has one.
    pub browser: Option<&'a str>,
}

/// Back where the person came from, one way or the other.
pub struct CallbackResult {
    pub return_url: ReturnUrl,
    pub state: String,
    /// Whether the client waits for a code, and so looks for its answer in the query.
    pub is_by_code: bool,
    pub outcome: CallbackOutcome,
}

pub enum CallbackOutcome {
    Token(Box<SignedIn>),
    SecondFactor(SecondFactor),
    Code(Opaque),
    Failure(SignInFailure),
}

impl From<SignIn> for CallbackOutcome {
    fn from(sign_in: SignIn) -> Self {
        match sign_in {
            SignIn::Complete(signed_in) => Self::Token(Box::new(signed_in)),
            SignIn::SecondFactor(second_factor) => Self::SecondFactor(second_factor),
        }
    }
}

/// A state that cannot be trusted, or a service that cannot go on: nobody is sent anywhere.
pub struct CallbackError {
    pub why: Error,
    /// For a link that the person may follow.
    pub return_target: Option<Box<ReturnTarget>>,
}

/// Where a person can begin anew.
pub enum ReturnTarget {
    /// By our own button, towards this URL.
    Start(ReturnUrl),
    /// In the application, which keeps what it needs to begin.
    Application(ReturnUrl),
}

/// # Errors
/// `CallbackError` when the state is missing, none of ours, expired, used, another browser's, or leads where
/// nobody may be sent any more; or when the database fails.
pub async fn callback(
    services: &Services,
    context: &RequestContext,
    callback: &Callback<'_>,
) -> Result<CallbackResult, CallbackError> {
    let (state, return_url) = trusted_state(services, callback)?;
    let callback_error = |why| CallbackError {
        why,
        return_target: Some(return_target(&state, return_url.clone())),
    };
    let outcome = match (callback.error, callback.code) {
        (Some(error), _) => CallbackOutcome::Failure(refusal(error)),
        (None, None) => CallbackOutcome::Failure(SignInFailure::SignInExpired),
        (None, Some(code)) => {
            if !use_up(services, &state).await.map_err(callback_error)? {
                return Err(callback_error(SignInFailure::SignInExpired.into()));
            }
            match arrive(services, context, callback, code, &state).await {
                Ok(outcome) => outcome,
                Err(Error::SignIn(failure)) => CallbackOutcome::Failure(failure),
                Err(why) => return Err(callback_error(why)),
            }
        }
    };
    Ok(CallbackResult {
        is_by_code: state.binding.code_challenge.is_some(),
        return_url,
        state: callback.state.unwrap_or_default().to_owned(),
        outcome,
    })
}

/// At the consent page it is the person's own no; as an answer to us it would be Slack's.
const PERSONS_NO: &str = "access_denied";

/// What Slack is said to have said. A browser brings it, and may bring any word as often as it likes.
fn refusal(slack_error: &str) -> SignInFailure {
    if slack_error == PERSONS_NO {
        return SignInFailure::AccessDenied;
    }
    let (failure, name) = meaning_of(slack_error);
    if failure == SignInFailure::SlackMisconfigured {
        tracing::warn!(
            slack_error = name,
            "Slack is said not to accept the SLACK_ settings"
        );
    }
    failure
}

fn trusted_state(
    services: &Services,
    callback: &Callback<'_>,
) -> Result<(State, ReturnUrl), CallbackError> {
    let nowhere = |why| CallbackError {
        why,
        return_target: first_web_page(services).map(|url| Box::new(ReturnTarget::Start(url))),
    };
    services.slack().map_err(|why| CallbackError {
        why,
        return_target: None,
    })?;
    let Some(sealed) = callback.state else {
        // A cancelled consent may come back without its state. No other word is believed of whoever has none.
        let why = match callback.error {
            Some(PERSONS_NO) => SignInFailure::AccessDenied,
            _ => SignInFailure::SignInExpired,
        };
        return Err(nowhere(why.into()));
    };
    let opened = sealed::open::<State>(
        sealed,
        services.now(),
        Purpose::SlackState,
        &services.tokens.keyring(),
    );
    let (state, is_in_time) = match opened {
        Ok(state) => (state, true),
        Err(SealError::Expired(state)) => (state, false),
        Err(SealError::Invalid) => return Err(nowhere(SignInFailure::SignInExpired.into())),
    };
    // The list may have been shortened since the person left.
    let Ok(return_url) = ReturnUrl::check(&state.return_url, &services.return_urls) else {
        return Err(nowhere(SignInFailure::SignInExpired.into()));
    };
    if !is_in_time || !state.binding.admits(callback.browser) {
        return Err(CallbackError {
            why: SignInFailure::SignInExpired.into(),
            return_target: Some(return_target(&state, return_url)),
        });
    }
    Ok((state, return_url))
}

fn return_target(state: &State, return_url: ReturnUrl) -> Box<ReturnTarget> {
    let may_start_here = state.kind == Kind::SignIn
        && state.binding.is_to_a_browser()
        && state.binding.code_challenge.is_none();
    Box::new(if may_start_here {
        ReturnTarget::Start(return_url)
    } else {
        ReturnTarget::Application(return_url)
    })
}

/// Where to begin when nothing is known of whoever is callback_error.
fn first_web_page(services: &Services) -> Option<ReturnUrl> {
    services
        .return_urls
        .iter()
        .filter_map(|entry| ReturnUrl::check(entry.as_url().as_str(), &services.return_urls).ok())
        .find(|url| !url.is_custom_scheme())
}

/// Whether the state was unused until now. Nobody is asked at Slack before this is written down.
async fn use_up(services: &Services, state: &State) -> Result<bool> {
    let id = state.id;
    // As long as the state could be shown again at the most.
    let expires_at = services.now() + lifetimes::SLACK_STATE;
    services
        .store
        .write(move |tx| slack_states::use_up(tx, id, expires_at).map_err(Error::from))
        .await
}

async fn arrive(
    services: &Services,
    context: &RequestContext,
    callback: &Callback<'_>,
    code: &str,
    state: &State,
) -> Result<CallbackOutcome> {
    let slack = services.slack()?;
    let exchange = Exchange {
        code,
        redirect_uri: callback.callback_url,
        nonce: &state.id.to_string(),
        now: services.now(),
    };
    let arrival = slack.api.exchange(exchange).await?;
    let person = &arrival.person;
    let is_elsewhere = |team: &String| *team != person.account.team_id;
    if !person.may_enter(slack.allow_guests) || state.team.as_ref().is_some_and(is_elsewhere) {
        return refuse(services, context, SignInFailure::NotAllowed).await;
    }
    let slack_sign_in = slack_sign_in(services, context, arrival).await?;
    let outcome = match (&state.kind, &state.binding.code_challenge) {
        (Kind::SignIn, None) => sign_in(services, slack_sign_in).await,
        (Kind::SignIn, Some(challenge)) => keep_sign_in(services, slack_sign_in, challenge).await,
        (
            &Kind::Link {
                user_id,
                session_id,
            },
            None,
        ) => attach(services, slack_sign_in, user_id, session_id)
            .await
            .map(CallbackOutcome::from),
        (
            &Kind::Link {
                user_id,
                session_id,
            },
            Some(challenge),
        ) => {
            let payload = Payload::Link {
                user_id,
                session_id,
                person: slack_sign_in.person,
                workspace_name: slack_sign_in.workspace_name,
            };
            keep(services, payload, challenge).await
        }
    };
    match outcome {
        Err(Error::SignIn(
            failure @ (SignInFailure::NotAllowed | SignInFailure::AccountExists),
        )) => refuse(services, context, failure).await,
        outcome => outcome,
    }
}

/// Everything that a transaction needs to know of the person, gathered before it begins.
async fn slack_sign_in(
    services: &Services,
    context: &RequestContext,
    arrival: Arrival,
) -> Result<SlackSignIn> {
    let workspace_name = match arrival.workspace_name {
        WorkspaceName::Told(name) => name,
        WorkspaceName::ToAsk(token) => {
            if is_known(services, &arrival.person).await? {
                None
            } else {
                services.slack()?.api.workspace_name(token).await?
            }
        }
    };
    SlackSignIn::new(services, context, arrival.person, workspace_name)
}

async fn is_known(services: &Services, person: &SlackPerson) -> Result<bool> {
    let team_id = person.account.team_id.clone();
    services
        .store
        .read(move |tx| Ok(workspaces::find(tx, &team_id)?.is_some()))
        .await
}

async fn sign_in(services: &Services, slack_sign_in: SlackSignIn) -> Result<CallbackOutcome> {
    let admitted = admit(services, slack_sign_in, Admission::Session).await?;
    Ok(admitted.issue(services).into())
}

async fn keep_sign_in(
    services: &Services,
    slack_sign_in: SlackSignIn,
    challenge: &str,
) -> Result<CallbackOutcome> {
    let Admitted { profile, .. } = admit(services, slack_sign_in, Admission::Later).await?;
    let payload = Payload::SignIn {
        user_id: profile.id,
        organization_id: profile.organization_id,
    };
    keep(services, payload, challenge).await
}

/// Puts aside what the holder of the challenge's verifier will collect.
async fn keep(services: &Services, payload: Payload, challenge: &str) -> Result<CallbackOutcome> {
    let code = Opaque::new(services.random());
    let (kept, user_id) = (code.clone(), payload.user_id());
    let payload = Kept {
        challenge: challenge.to_owned(),
        payload,
    };
    let expires_at = services.now() + lifetimes::ONE_TIME_CODE;
    services
        .store
        .write(move |tx| {
            let purpose = OneTime::SlackCode;
            one_time::issue(tx, &kept, purpose, Some(user_id), &payload, expires_at)
        })
        .await?;
    Ok(CallbackOutcome::Code(code))
}

/// Writes down that somebody was kept out.
pub(in crate::service) async fn refuse<T>(
    services: &Services,
    context: &RequestContext,
    failure: SignInFailure,
) -> Result<T> {
    let entry: AuditEntry =
        services.audit(context, services.now(), Action::Login, Outcome::Refused);
    services
        .store
        .write(move |tx| audit::insert(tx, &entry))
        .await?;
    Err(failure.into())
}
