//! Begins a sign-in: builds the URL at Slack.

use url::Url;

use crate::crypto::sealed::{self, Purpose};
use crate::domain::slack::is_slack_id;
use crate::domain::typed::trimmed;
use crate::domain::{CodeChallenge, ReturnUrl, SlackStateId, Violation, lifetimes};
use crate::ports::slack::Authorize;
use crate::service::slack::BrowserKey;
use crate::service::slack::state::{Binding, Kind, State};
use crate::service::{Result, Services};

/// The maximum number of characters of a refused return URL that the error repeats.
const MAX_SHOWN: usize = 2_048;

/// The parameters of a sign-in with Slack.
pub struct Begin<'a> {
    /// Where Slack redirects to.
    pub callback_url: &'a Url,
    pub return_url: &'a str,
    pub code_challenge: Option<CodeChallenge>,
    /// The only workspace to accept, which Slack preselects.
    pub team: Option<&'a str>,
    /// The slug of the organization to sign in to, named in the request, or else by its host.
    pub tenant: Option<&'a str>,
    /// The browser that must complete the sign-in.
    pub browser: Option<&'a BrowserKey>,
}

pub struct Begun {
    /// At Slack.
    pub url: Url,
    pub state: String,
}

/// # Errors
/// `SlackNotSetUp`; `Invalid` for a return URL that is not allowed, an invalid team id, and a custom scheme
/// without a code challenge.
pub fn begin(services: &Services, begin: &Begin<'_>) -> Result<Begun> {
    begin_for(services, begin, Kind::SignIn)
}

pub(in crate::service) fn begin_for(
    services: &Services,
    begin: &Begin<'_>,
    kind: Kind,
) -> Result<Begun> {
    let slack = services.slack()?;
    let return_url =
        ReturnUrl::check(begin.return_url, &services.return_urls).map_err(|refusal| {
            let shown: String = begin.return_url.chars().take(MAX_SHOWN).collect();
            let why = format!(
                "\"{shown}\" {refusal}. ALLOWED_RETURN_URLS lists where a sign-in may lead back to."
            );
            Violation::new("returnUrl", "not_allowed", why)
        })?;
    if return_url.is_custom_scheme() && begin.code_challenge.is_none() {
        let why = "Please send one: any application may claim the scheme of this returnUrl.";
        return Err(Violation::new("codeChallenge", "required", why).into());
    }
    let team = begin.team.map(trimmed);
    if team.is_some_and(|team| !is_slack_id(team)) {
        let why = "Please send the id of a workspace, such as T0123ABCD.";
        return Err(Violation::new("team", "invalid_id", why).into());
    }

    let now = services.now();
    let id = SlackStateId::new(now, services.random());
    let state = sealed::seal(
        State {
            id,
            return_url: return_url.as_str().to_owned(),
            kind,
            binding: Binding::new(begin.browser, begin.code_challenge.as_ref()),
            team: team.map(str::to_owned),
            tenant: begin.tenant.map(str::to_owned),
        },
        now + lifetimes::SLACK_STATE,
        Purpose::SlackState,
        services.random(),
        &services.tokens.keyring(),
    );
    let url = slack.api.authorize_url(Authorize {
        redirect_uri: begin.callback_url,
        state: &state,
        nonce: &id.to_string(),
        team,
    });
    Ok(Begun { url, state })
}
