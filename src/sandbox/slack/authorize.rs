//! `GET /oauth/v2/authorize` and `GET /openid/connect/authorize`: who are you, and do you agree?

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use thiserror::Error;
use url::Url;

use super::CLIENT_ID;
use super::flow::Flow;
use super::pages::{self, ConsentPage, DENY, ErrorPage};
use super::parameters::Parameters;
use super::redirect_uri::is_registered;
use super::state::{Grant, State};

pub(super) async fn v2(request: HttpRequest, state: Data<State>) -> HttpResponse {
    authorize(Flow::V2, &request, &state)
}

pub(super) async fn oidc(request: HttpRequest, state: Data<State>) -> HttpResponse {
    authorize(Flow::Oidc, &request, &state)
}

fn authorize(flow: Flow, request: &HttpRequest, state: &State) -> HttpResponse {
    let query = Parameters::parse(request.query_string().as_bytes());
    answered(flow, &query, state).unwrap_or_else(|refusal| {
        pages::error(&ErrorPage {
            why: refusal.to_string(),
            mend: refusal.mend(),
            registered: match refusal {
                Refusal::UnknownRedirectUri(_) => {
                    state.redirect_uris().into_iter().map(Into::into).collect()
                }
                _ => Vec::new(),
            },
        })
    })
}

fn answered(flow: Flow, query: &Parameters, state: &State) -> Result<HttpResponse, Refusal> {
    let asked = Asked::read(flow, query, &state.redirect_uris())?;
    let Some(answer) = query.get("as") else {
        return Ok(pages::consent(&ConsentPage::new(
            flow,
            &asked.scopes,
            &asked.redirect_uri,
            &state.personas(),
            query,
        )));
    };
    if answer == DENY {
        return Ok(asked.back(&[("error", "access_denied")]));
    }
    let persona = state
        .persona(answer)
        .ok_or_else(|| Refusal::UnknownPersona(answer.to_owned()))?;
    let code = state.issue_code(Grant {
        flow,
        persona: persona.key,
        redirect_uri: query.get("redirect_uri").map(str::to_owned),
        scopes: asked.scopes.clone(),
        nonce: query.get("nonce").unwrap_or_default().to_owned(),
        issued_at: state.now(),
        is_used: false,
    });
    Ok(asked.back(&[("code", &code)]))
}

/// An authorization request that can be answered.
struct Asked {
    redirect_uri: Url,
    scopes: Vec<String>,
    state: Option<String>,
}

impl Asked {
    fn read(flow: Flow, query: &Parameters, registered: &[Url]) -> Result<Self, Refusal> {
        let client_id = query.get("client_id").unwrap_or_default();
        if client_id != CLIENT_ID {
            return Err(Refusal::UnknownClient(client_id.to_owned()));
        }
        let redirect_uri = match query.get("redirect_uri") {
            Some(given) => Url::parse(given)
                .ok()
                .filter(|url| is_registered(url, registered))
                .ok_or_else(|| Refusal::UnknownRedirectUri(given.to_owned()))?,
            // Slack takes the registered one then.
            None => registered.first().ok_or(Refusal::NoRedirectUri)?.clone(),
        };
        if flow == Flow::Oidc && query.get("response_type") != Some("code") {
            return Err(Refusal::ResponseType);
        }
        Ok(Self {
            redirect_uri,
            scopes: scopes(flow, query)?,
            state: query.get("state").map(str::to_owned),
        })
    }

    fn back(&self, answer: &[(&str, &str)]) -> HttpResponse {
        let mut url = self.redirect_uri.clone();
        url.query_pairs_mut()
            .extend_pairs(answer)
            .extend_pairs(self.state.iter().map(|state| ("state", state)));
        HttpResponse::Found()
            .insert_header((LOCATION, url.as_str()))
            .insert_header((CACHE_CONTROL, "no-store"))
            .finish()
    }
}

fn scopes(flow: Flow, query: &Parameters) -> Result<Vec<String>, Refusal> {
    if flow == Flow::V2 && query.get("scope").is_some_and(|scope| !scope.is_empty()) {
        return Err(Refusal::BotScope);
    }
    let asked: Vec<String> = query
        .get(flow.scope_parameter())
        .unwrap_or_default()
        .split(flow.scope_separator())
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    let knows = |scope: &str| flow.scopes().iter().any(|(known, _)| *known == scope);
    if let Some(unknown) = asked.iter().find(|scope| !knows(scope)) {
        return Err(Refusal::UnknownScope(unknown.clone(), flow));
    }
    if !asked.iter().any(|scope| scope == flow.needed_scope()) {
        return Err(Refusal::MissingScope(flow));
    }
    Ok(asked)
}

/// Why a request is answered with a page instead of a redirect.
#[derive(Debug, Error)]
enum Refusal {
    #[error("There is no app with the client_id “{0}”.")]
    UnknownClient(String),
    #[error("The redirect_uri “{0}” is neither registered nor below a registered one.")]
    UnknownRedirectUri(String),
    #[error("There is no redirect_uri, and none is registered either.")]
    NoRedirectUri,
    #[error("The response_type is not “code”.")]
    ResponseType,
    #[error("It asks with scope, which would install a bot.")]
    BotScope,
    #[error("There is no scope “{0}” in this flow.")]
    UnknownScope(String, Flow),
    #[error("The scope “{}” is missing.", .0.needed_scope())]
    MissingScope(Flow),
    #[error("There is no persona “{0}”.")]
    UnknownPersona(String),
}

impl Refusal {
    fn mend(&self) -> String {
        match self {
            Self::UnknownClient(_) => format!("Set SLACK_CLIENT_ID to {CLIENT_ID}."),
            Self::UnknownRedirectUri(_) | Self::NoRedirectUri => {
                "Open Hallpass under its PUBLIC_URL, from which the registered one is made."
                    .to_owned()
            }
            Self::ResponseType => "Send response_type=code.".to_owned(),
            Self::BotScope => "Ask with user_scope.".to_owned(),
            Self::UnknownScope(_, flow) | Self::MissingScope(flow) => {
                let known: Vec<&str> = flow.scopes().iter().map(|(scope, _)| *scope).collect();
                let separator = flow.scope_separator().to_string();
                let parameter = flow.scope_parameter();
                format!("Send at most {parameter}={}.", known.join(&separator))
            }
            Self::UnknownPersona(_) => {
                "Leave out “as” to be asked, or take one from the sandbox's own page.".to_owned()
            }
        }
    }
}
