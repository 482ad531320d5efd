//! `POST /api/oauth.v2.access` and `POST /api/openid.connect.token`: exchanges a code for tokens.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::answer::{ErrorName, answer};
use super::fault::Flaw;
use super::flow::{Flow, USERS_READ};
use super::id_token::id_token;
use super::parameters::Parameters;
use super::persona::Persona;
use super::state::{Access, Grant, State};
use super::{CLIENT_ID, CLIENT_SECRET};

const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(10);

const APP_ID: &str = "A0HALLPASS";

pub(super) async fn v2(request: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    exchange(Flow::V2, request.headers(), &body, &state).await
}

pub(super) async fn oidc(request: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    exchange(Flow::Oidc, request.headers(), &body, &state).await
}

async fn exchange(flow: Flow, headers: &HeaderMap, body: &[u8], state: &State) -> HttpResponse {
    let form = Parameters::parse(body);
    answer(state, flow.exchange(), |flaw| {
        authenticate_client(headers, &form)?;
        let grant = redeem(flow, &form, state)?;
        let persona = state.persona(grant.persona).ok_or("account_inactive")?;
        Ok(match flow {
            Flow::V2 => v2_tokens(&persona, &grant, state),
            Flow::Oidc => oidc_tokens(&persona, &grant, state, flaw),
        })
    })
    .await
}

/// Accepts HTTP Basic or form parameters.
fn authenticate_client(headers: &HeaderMap, form: &Parameters) -> Result<(), ErrorName> {
    let basic = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, encoded)| BASE64.decode(encoded.trim().as_bytes()).ok())
        .and_then(|decoded| String::from_utf8(decoded).ok());
    let (id, secret) = match basic.as_deref() {
        Some(pair) => pair.split_once(':').unwrap_or((pair, "")),
        None => (
            form.get("client_id").unwrap_or_default(),
            form.get("client_secret").unwrap_or_default(),
        ),
    };
    if id != CLIENT_ID {
        return Err("invalid_client_id");
    }
    if secret != CLIENT_SECRET {
        return Err("bad_client_secret");
    }
    Ok(())
}

fn redeem(flow: Flow, form: &Parameters, state: &State) -> Result<Grant, ErrorName> {
    if form
        .get("grant_type")
        .is_some_and(|grant_type| grant_type != "authorization_code")
    {
        return Err("invalid_grant_type");
    }
    // Slack's answer to PKCE combined with a client secret.
    if form.get("code_verifier").is_some() {
        return Err("internal_error");
    }
    let now = state.now();
    state.with_code(form.get("code").unwrap_or_default(), |grant| {
        let grant = grant.ok_or("invalid_code")?;
        if grant.flow != flow {
            return Err("oauth_authorization_url_mismatch");
        }
        if grant.redirect_uri.as_deref() != form.get("redirect_uri") {
            return Err("bad_redirect_uri");
        }
        if grant.is_used {
            return Err("code_already_used");
        }
        if has_expired(grant.issued_at, now) {
            return Err("invalid_code");
        }
        grant.is_used = true;
        Ok(grant.clone())
    })
}

fn has_expired(issued_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - issued_at >= CODE_LIFETIME
}

fn v2_tokens(persona: &Persona, grant: &Grant, state: &State) -> Value {
    let user_token = state.issue_token(
        "xoxp-",
        Access {
            persona: grant.persona,
            scopes: grant.scopes.clone(),
        },
    );
    let scope = grant.scopes.join(",");
    let workspace = persona.workspace;
    let Some(enterprise) = workspace.enterprise else {
        return json!({
            "ok": true,
            "app_id": APP_ID,
            "authed_user": {
                "id": persona.user_id,
                "scope": scope,
                "access_token": user_token,
                "token_type": "user",
            },
            "team": {"id": workspace.team_id, "name": workspace.name},
            "enterprise": null,
            "is_enterprise_install": false,
        });
    };
    // An app installed for a whole enterprise has a bot, whose token has fewer scopes than the user's.
    let bot_token = state.issue_token(
        "xoxb-",
        Access {
            persona: grant.persona,
            scopes: vec![USERS_READ.to_owned()],
        },
    );
    json!({
        "ok": true,
        "access_token": bot_token,
        "token_type": "bot",
        "scope": USERS_READ,
        "app_id": APP_ID,
        "team": null,
        "enterprise": {"id": enterprise.id, "name": enterprise.name},
        "is_enterprise_install": true,
        "authed_user": {
            "id": persona.user_id,
            "access_token": user_token,
            "scope": scope,
            "token_type": "user",
        },
    })
}

fn oidc_tokens(persona: &Persona, grant: &Grant, state: &State, flaw: Option<Flaw>) -> Value {
    let access = Access {
        persona: grant.persona,
        scopes: grant.scopes.clone(),
    };
    json!({
        "ok": true,
        "access_token": state.issue_token("xoxp-", access),
        "token_type": "Bearer",
        "id_token": id_token(&state.signing_key, persona, grant, state.now(), flaw),
    })
}
