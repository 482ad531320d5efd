//! `POST` and `DELETE /dev/slack/faults`: sets and clears faults, with JSON from programs and forms from
//! the panel.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

use super::answer::failing;
use super::endpoint::Endpoint;
use super::fault::{Fault, NAMED};
use super::parameters::Parameters;
use super::state::State;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    endpoint: String,
    fault: String,
    calls: u32,
}

#[derive(Debug, Error)]
enum OrderError {
    #[error("Send JSON like {{\"endpoint\":\"oauth.v2.access\",\"fault\":\"html\",\"calls\":1}}.")]
    Malformed,
    #[error("Unknown endpoint. Use one of: {}.", Endpoint::FALLIBLE.map(Endpoint::as_str).join(", "))]
    UnknownEndpoint,
    #[error("Unknown fault. Use one of: {}, error:<name>.", fault_names())]
    UnknownFault,
    #[error("Only {} returns an id_token.", Endpoint::OpenIdToken)]
    NoIdToken,
}

pub(super) async fn set(request: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    if is_cross_site(&request) {
        return failing(StatusCode::FORBIDDEN).finish();
    }
    // By content, because people who send JSON with curl often omit the content type.
    let is_form = !body.trim_ascii_start().starts_with(b"{");
    let order = if is_form {
        from_form(&body)
    } else {
        serde_json::from_slice(&body).map_err(|_| OrderError::Malformed)
    };
    match order.and_then(|order| set_fault(&order, &state)) {
        Ok(()) if is_form => back_to_panel("../slack#faults"),
        Ok(()) => HttpResponse::Ok().json(json!({"ok": true})),
        Err(error) => failing(StatusCode::BAD_REQUEST).json(json!({"error": error.to_string()})),
    }
}

pub(super) async fn clear(state: Data<State>) -> HttpResponse {
    state.faults.clear();
    HttpResponse::Ok().json(json!({"ok": true}))
}

/// For forms, which cannot send DELETE.
pub(super) async fn clear_and_return(request: HttpRequest, state: Data<State>) -> HttpResponse {
    if is_cross_site(&request) {
        return failing(StatusCode::FORBIDDEN).finish();
    }
    state.faults.clear();
    back_to_panel("../../slack#faults")
}

fn from_form(body: &[u8]) -> Result<Order, OrderError> {
    let form = Parameters::parse(body);
    let field = |name| form.get(name).ok_or(OrderError::Malformed);
    Ok(Order {
        endpoint: field("endpoint")?.to_owned(),
        fault: field("fault")?.to_owned(),
        calls: field("calls")?.parse().map_err(|_| OrderError::Malformed)?,
    })
}

fn set_fault(order: &Order, state: &State) -> Result<(), OrderError> {
    let endpoint = Endpoint::from_name(&order.endpoint).ok_or(OrderError::UnknownEndpoint)?;
    let fault = Fault::from_name(&order.fault).ok_or(OrderError::UnknownFault)?;
    if matches!(fault, Fault::IdToken(_)) && endpoint != Endpoint::OpenIdToken {
        return Err(OrderError::NoIdToken);
    }
    state.faults.set(endpoint, fault, order.calls);
    Ok(())
}

fn fault_names() -> String {
    let names: Vec<&str> = NAMED.iter().map(|(name, ..)| *name).collect();
    names.join(", ")
}

/// Whether another site's page sent the form (Fetch Metadata).
fn is_cross_site(request: &HttpRequest) -> bool {
    request
        .headers()
        .get("sec-fetch-site")
        .is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}

/// To the panel, whose URL is relative to the form's, so that it is right under any path of `PUBLIC_URL`.
fn back_to_panel(home: &'static str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, home))
        .finish()
}
