//! `GET /dev/slack`: the page with the personas and the faults.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;

use super::endpoint::Endpoint;
use super::fault::{Fault, NAMED};
use super::pages::{self, PersonaCard};
use super::state::State;
use super::{CLIENT_ID, CLIENT_SECRET};

/// Slack's known errors, most frequent first. Any other name works as well.
const KNOWN_ERRORS: &[&str] = &[
    "invalid_code",
    "code_already_used",
    "access_denied",
    "account_inactive",
    "token_revoked",
    "user_email_unverified",
    "two_factor_setup_required",
    "enterprise_is_restricted",
    "ratelimited",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "invalid_client_id",
    "bad_client_secret",
    "bad_redirect_uri",
    "oauth_authorization_url_mismatch",
    "invalid_scope",
    "no_scopes",
];

#[derive(Serialize)]
struct Panel {
    client_id: &'static str,
    client_secret: &'static str,
    redirect_uris: Vec<String>,
    personas: Vec<PersonaCard>,
    active_faults: Vec<ActiveFault>,
    endpoints: Vec<&'static str>,
    token_endpoint: &'static str,
    faults: Vec<FaultButton>,
    token_faults: Vec<FaultButton>,
    errors: &'static [&'static str],
}

#[derive(Serialize)]
struct ActiveFault {
    endpoint: &'static str,
    fault: String,
    calls: u32,
}

#[derive(Serialize)]
struct FaultButton {
    name: &'static str,
    meaning: &'static str,
}

pub(super) async fn show(state: Data<State>) -> HttpResponse {
    let (token_faults, faults) = NAMED
        .iter()
        .partition::<Vec<_>, _>(|(_, fault, _)| matches!(fault, Fault::IdToken(_)));
    pages::panel(&Panel {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: state.redirect_uris().into_iter().map(Into::into).collect(),
        personas: state.personas().iter().map(PersonaCard::of).collect(),
        active_faults: state
            .faults
            .list()
            .into_iter()
            .map(|active| ActiveFault {
                endpoint: active.endpoint.as_str(),
                fault: active.fault.name(),
                calls: active.calls,
            })
            .collect(),
        endpoints: Endpoint::FALLIBLE.map(Endpoint::as_str).to_vec(),
        token_endpoint: Endpoint::OpenIdToken.as_str(),
        faults: buttons(&faults),
        token_faults: buttons(&token_faults),
        errors: KNOWN_ERRORS,
    })
}

fn buttons(faults: &[&(&'static str, Fault, &'static str)]) -> Vec<FaultButton> {
    faults
        .iter()
        .map(|&&(name, _, meaning)| FaultButton { name, meaning })
        .collect()
}
