//! Handles the redirect from Slack.

use url::Url;

use crate::crypto::opaque::Opaque;
use crate::crypto::sealed::{self, Purpose, SealError};
use crate::domain::slack::meaning_of;
use crate::domain::{AddressBlock, ReturnUrl, SignInFailure, SlackPerson, lifetimes};
use crate::ports::slack::{Arrival, Exchange, WorkspaceName};
use crate::service::limits::{Group, Key, draw};
use crate::service::sign_in::answer::MfaChallenge;
use crate::service::slack::code::{Payload, StoredCode};
use crate::service::slack::provision_user::{SlackSignIn, find_or_create, link, sign_in};
use crate::service::slack::reauthenticate;
use crate::service::slack::refuse::refuse;
use crate::service::slack::state::{Kind, State};
use crate::service::{Error, RequestContext, Result, Services, SignIn, SignedIn, one_time};
use crate::store::one_time_tokens::Purpose as OneTime;
use crate::store::{slack_states, workspaces};

/// What the user's browser sends.
pub struct Callback<'a> {
    /// The same as in the request to Slack.
    pub callback_url: &'a Url,
    pub state: Option<&'a str>,
    pub code: Option<&'a str>,
    /// Slack's error, if there is no code.
    pub error: Option<&'a str>,
    /// The browser's key, if it has one.
    pub browser: Option<&'a str>,
}

/// How to redirect the user, after success or failure.
pub struct CallbackResult {
    pub return_url: ReturnUrl,
    pub state: String,
    /// Whether the client expects a code, and so reads the answer from the query.
    pub is_by_code: bool,
    pub outcome: CallbackOutcome,
}

pub enum CallbackOutcome {
    Token(Box<SignedIn>),
    Challenge(MfaChallenge),
    Code(Opaque),
    Failure(SignInFailure),
}

impl From<SignIn> for CallbackOutcome {
    fn from(sign_in: SignIn) -> Self {
        match sign_in {
            SignIn::Complete(signed_in) => Self::Token(Box::new(signed_in)),
            SignIn::Challenge(challenge) => Self::Challenge(challenge),
        }
    }
}

/// An untrusted state, or an error of ours: there is no redirect.
pub struct CallbackError {
    pub why: Error,
    /// For a link on the error page.
    pub return_target: Option<Box<ReturnTarget>>,
}

/// Where the user can start again.
pub enum ReturnTarget {
    /// At our own button, with this return URL, and the slug of the organization that the sign-in was for.
    Start(ReturnUrl, Option<String>),
    /// In the application, which has what it needs to start.
    Application(ReturnUrl),
}

/// # Errors
/// `CallbackError` if the state is missing, not ours, expired, used, or another browser's, if its return URL is no
/// longer allowed, or if the database fails.
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
            draw_call(services, context).await.map_err(callback_error)?;
            let is_unused = use_up(services, context, &state).await;
            if !is_unused.map_err(callback_error)? {
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

/// Takes the call that is about to be made from the bucket of the client's address and from that of the instance.
/// Before the state is used up, so that the user can reload the page later.
async fn draw_call(services: &Services, context: &RequestContext) -> Result<()> {
    let address = Key::Address(context.address.map(AddressBlock::from));
    draw(services, context, Group::Slack, address).await?;
    draw(services, context, Group::SlackTogether, Key::Instance).await
}

/// Slack's error when the user cancels on the consent page.
const CANCELLED: &str = "access_denied";

/// Slack's error as the browser sends it, which could send any.
fn refusal(slack_error: &str) -> SignInFailure {
    if slack_error == CANCELLED {
        return SignInFailure::AccessDenied;
    }
    let (failure, name) = meaning_of(slack_error);
    if failure == SignInFailure::SlackMisconfigured {
        tracing::warn!(
            slack_error = name,
            "Slack may have rejected the SLACK_ settings: a browser sent this error"
        );
    }
    failure
}

fn trusted_state(
    services: &Services,
    callback: &Callback<'_>,
) -> Result<(State, ReturnUrl), CallbackError> {
    let without_redirect = |why| CallbackError {
        why,
        return_target: first_web_page(services).map(|url| Box::new(ReturnTarget::Start(url, None))),
    };
    services.slack().map_err(|why| CallbackError {
        why,
        return_target: None,
    })?;
    let Some(sealed) = callback.state else {
        // After cancelling, the redirect may lack the state. No other error is believed without it.
        let why = match callback.error {
            Some(CANCELLED) => SignInFailure::AccessDenied,
            _ => SignInFailure::SignInExpired,
        };
        return Err(without_redirect(why.into()));
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
        Err(SealError::Invalid) => {
            return Err(without_redirect(SignInFailure::SignInExpired.into()));
        }
    };
    // The list may have changed since the sign-in began.
    let Ok(return_url) = ReturnUrl::check(&state.return_url, &services.return_urls) else {
        return Err(without_redirect(SignInFailure::SignInExpired.into()));
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
        ReturnTarget::Start(return_url, state.tenant.clone())
    } else {
        ReturnTarget::Application(return_url)
    })
}

/// Where to start again if the state is unknown.
fn first_web_page(services: &Services) -> Option<ReturnUrl> {
    services
        .return_urls
        .iter()
        .filter_map(|entry| ReturnUrl::check(entry.as_url().as_str(), &services.return_urls).ok())
        .find(|url| !url.is_custom_scheme())
}

/// Marks the state as used; returns whether it was unused. This happens before the code is exchanged.
async fn use_up(services: &Services, context: &RequestContext, state: &State) -> Result<bool> {
    let id = state.id;
    // After that, the state has expired anyway.
    let expires_at = services.now() + lifetimes::SLACK_STATE;
    services
        .store
        .record_use(context, move |tx| {
            slack_states::use_up(tx, id, expires_at).map_err(Error::from)
        })
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
    if !person.may_enter(slack.allow_guests)
        || !services
            .self_service
            .lets_in_workspace(&person.account.team_id)
        || state.team.as_ref().is_some_and(is_elsewhere)
    {
        return refuse(services, context, SignInFailure::NotAllowed).await;
    }
    let mut slack_sign_in = slack_sign_in(services, context, arrival).await?;
    slack_sign_in.tenant.clone_from(&state.tenant);
    let outcome = match (&state.kind, &state.binding.code_challenge) {
        (Kind::SignIn, None) => sign_in(services, context, slack_sign_in)
            .await
            .and_then(|entry| entry.issue(services))
            .map(CallbackOutcome::from),
        (Kind::SignIn, Some(challenge)) => {
            store_sign_in(services, context, slack_sign_in, challenge).await
        }
        (
            &Kind::Link {
                user_id,
                session_id,
            },
            None,
        ) => link(services, context, slack_sign_in, user_id, session_id)
            .await
            .map(|switch| switch.issue(services).into()),
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
            store_code(services, context, payload, challenge).await
        }
        (
            &Kind::Reauthenticate {
                user_id,
                session_id,
            },
            challenge,
        ) => {
            let account = slack_sign_in.person.account;
            let Some(challenge) = challenge else {
                return reauthenticate::complete(services, context, account, user_id, session_id)
                    .await
                    .map(|signed_in| CallbackOutcome::Token(Box::new(signed_in)));
            };
            let payload = Payload::Reauthenticate {
                user_id,
                session_id,
                account,
            };
            store_code(services, context, payload, challenge).await
        }
    };
    match outcome {
        Err(Error::SignIn(
            failure @ (SignInFailure::NotAllowed | SignInFailure::AccountExists),
        )) => refuse(services, context, failure).await,
        outcome => outcome,
    }
}

/// Collects what the transaction needs before it begins.
async fn slack_sign_in(
    services: &Services,
    context: &RequestContext,
    arrival: Arrival,
) -> Result<SlackSignIn> {
    let workspace_name = match arrival.workspace_name {
        WorkspaceName::Told(name) => name,
        WorkspaceName::ToAsk(token) => {
            if is_known(services, context, &arrival.person).await? {
                None
            } else {
                services.slack()?.api.workspace_name(token).await?
            }
        }
    };
    SlackSignIn::new(services, arrival.person, workspace_name)
}

async fn is_known(
    services: &Services,
    context: &RequestContext,
    person: &SlackPerson,
) -> Result<bool> {
    let team_id = person.account.team_id.clone();
    services
        .store
        .read(context, move |tx| {
            Ok(workspaces::find(tx, &team_id)?.is_some())
        })
        .await
}

async fn store_sign_in(
    services: &Services,
    context: &RequestContext,
    slack_sign_in: SlackSignIn,
    challenge: &str,
) -> Result<CallbackOutcome> {
    let subject = find_or_create(services, context, slack_sign_in).await?;
    let payload = Payload::SignIn {
        user_id: subject.user.id,
        organization_id: subject.organization_id(),
    };
    store_code(services, context, payload, challenge).await
}

/// Stores what the holder of the challenge's verifier can redeem.
async fn store_code(
    services: &Services,
    context: &RequestContext,
    payload: Payload,
    challenge: &str,
) -> Result<CallbackOutcome> {
    let code = StoredCode {
        challenge: challenge.to_owned(),
        payload,
    };
    services
        .write(context, move |unit| {
            let secret = unit.secret();
            let user_id = Some(code.payload.user_id());
            let expires_at = unit.now + lifetimes::ONE_TIME_CODE;
            one_time::issue(
                unit.tx,
                &secret,
                OneTime::SlackCode,
                user_id,
                &code,
                expires_at,
            )?;
            unit.unrecorded(CallbackOutcome::Code(secret))
        })
        .await
}
