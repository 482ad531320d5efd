//! `GET /oauth/v2/authorize` and `GET /openid/connect/authorize`: choosing a persona and granting access.

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
    respond(flow, &query, state).unwrap_or_else(|error| {
        pages::error(&ErrorPage {
            why: error.to_string(),
            hint: error.hint(),
            registered: match error {
                AuthorizeError::UnknownRedirectUri(_) => {
                    state.redirect_uris().into_iter().map(Into::into).collect()
                }
                _ => Vec::new(),
            },
        })
    })
}

fn respond(flow: Flow, query: &Parameters, state: &State) -> Result<HttpResponse, AuthorizeError> {
    let authorization = Authorization::parse(flow, query, &state.redirect_uris())?;
    let Some(answer) = query.get("as") else {
        return Ok(pages::consent(&ConsentPage::new(
            flow,
            &authorization.scopes,
            &authorization.redirect_uri,
            &state.personas(),
            query,
        )));
    };
    if answer == DENY {
        return Ok(authorization.redirect(&[("error", "access_denied")]));
    }
    let persona = state
        .persona(answer)
        .ok_or_else(|| AuthorizeError::UnknownPersona(answer.to_owned()))?;
    let code = state.issue_code(Grant {
        flow,
        persona: persona.key,
        redirect_uri: query.get("redirect_uri").map(str::to_owned),
        scopes: authorization.scopes.clone(),
        nonce: query.get("nonce").unwrap_or_default().to_owned(),
        issued_at: state.now(),
        is_used: false,
    });
    Ok(authorization.redirect(&[("code", &code)]))
}

/// A valid authorization request.
struct Authorization {
    redirect_uri: Url,
    scopes: Vec<String>,
    state: Option<String>,
}

impl Authorization {
    fn parse(flow: Flow, query: &Parameters, registered: &[Url]) -> Result<Self, AuthorizeError> {
        let client_id = query.get("client_id").unwrap_or_default();
        if client_id != CLIENT_ID {
            return Err(AuthorizeError::UnknownClient(client_id.to_owned()));
        }
        let redirect_uri = match query.get("redirect_uri") {
            Some(given) => Url::parse(given)
                .ok()
                .filter(|url| is_registered(url, registered))
                .ok_or_else(|| AuthorizeError::UnknownRedirectUri(given.to_owned()))?,
            // Slack then uses the registered one.
            None => registered
                .first()
                .ok_or(AuthorizeError::NoRedirectUri)?
                .clone(),
        };
        if flow == Flow::Oidc && query.get("response_type") != Some("code") {
            return Err(AuthorizeError::ResponseType);
        }
        Ok(Self {
            redirect_uri,
            scopes: scopes(flow, query)?,
            state: query.get("state").map(str::to_owned),
        })
    }

    fn redirect(&self, answer: &[(&str, &str)]) -> HttpResponse {
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

fn scopes(flow: Flow, query: &Parameters) -> Result<Vec<String>, AuthorizeError> {
    if flow == Flow::V2 && query.get("scope").is_some_and(|scope| !scope.is_empty()) {
        return Err(AuthorizeError::BotScope);
    }
    let requested: Vec<String> = query
        .get(flow.scope_parameter())
        .unwrap_or_default()
        .split(flow.scope_separator())
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    let knows = |scope: &str| flow.scopes().iter().any(|(known, _)| *known == scope);
    if let Some(unknown) = requested.iter().find(|scope| !knows(scope)) {
        return Err(AuthorizeError::UnknownScope(unknown.clone(), flow));
    }
    if !requested.iter().any(|scope| scope == flow.required_scope()) {
        return Err(AuthorizeError::MissingScope(flow));
    }
    Ok(requested)
}

/// Errors that are shown on a page instead of redirecting.
#[derive(Debug, Error)]
enum AuthorizeError {
    #[error("There is no app with the client_id “{0}”.")]
    UnknownClient(String),
    #[error("The redirect_uri “{0}” is neither registered nor below a registered one.")]
    UnknownRedirectUri(String),
    #[error("The request has no redirect_uri, and none is registered.")]
    NoRedirectUri,
    #[error("The response_type is not “code”.")]
    ResponseType,
    #[error("The parameter scope would install a bot.")]
    BotScope,
    #[error("The scope “{0}” does not exist in this flow.")]
    UnknownScope(String, Flow),
    #[error("The scope “{}” is missing.", .0.required_scope())]
    MissingScope(Flow),
    #[error("There is no persona “{0}”.")]
    UnknownPersona(String),
}

impl AuthorizeError {
    fn hint(&self) -> String {
        match self {
            Self::UnknownClient(_) => format!("Set SLACK_CLIENT_ID to {CLIENT_ID}."),
            Self::UnknownRedirectUri(_) | Self::NoRedirectUri => {
                "Open Hallpass at its PUBLIC_URL: the registered redirect URI starts with it."
                    .to_owned()
            }
            Self::ResponseType => "Send response_type=code.".to_owned(),
            Self::BotScope => "Use user_scope instead.".to_owned(),
            Self::UnknownScope(_, flow) | Self::MissingScope(flow) => {
                let known: Vec<&str> = flow.scopes().iter().map(|(scope, _)| *scope).collect();
                let separator = flow.scope_separator().to_string();
                let parameter = flow.scope_parameter();
                format!("Allowed is {parameter}={}.", known.join(&separator))
            }
            Self::UnknownPersona(_) => {
                "Leave out “as” to choose a persona, or use one from the sandbox's page.".to_owned()
            }
        }
    }
}
