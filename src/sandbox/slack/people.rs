//! `users.info` and `openid.connect.userInfo`: user profiles.

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::answer::{ErrorName, answer};
use super::endpoint::Endpoint;
use super::flow::{OPENID, USERS_READ, USERS_READ_EMAIL};
use super::id_token::about;
use super::parameters::Parameters;
use super::persona::Persona;
use super::state::{Access, State};

pub(super) async fn users_info(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let query = Parameters::parse(request.query_string().as_bytes());
    answer(&state, Endpoint::UsersInfo, |_| {
        let (access, holder) = holder(&request, &state, USERS_READ)?;
        let wanted = query.get("user").unwrap_or_default();
        let found = state
            .personas()
            .into_iter()
            .find(|persona| {
                persona.user_id == wanted && persona.workspace.team_id == holder.workspace.team_id
            })
            .ok_or("user_not_found")?;
        Ok(json!({"ok": true, "user": user(&found, access.covers(USERS_READ_EMAIL))}))
    })
    .await
}

pub(super) async fn open_id_user_info(request: HttpRequest, state: Data<State>) -> HttpResponse {
    answer(&state, Endpoint::OpenIdUserInfo, |_| {
        let (access, holder) = holder(&request, &state, OPENID)?;
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("ok", true.into());
        claim("sub", holder.user_id.into());
        claim("https://slack.com/team_name", holder.workspace.name.into());
        claim(
            "https://slack.com/team_domain",
            holder.workspace.domain.into(),
        );
        if let Some(enterprise) = holder.workspace.enterprise {
            claim("https://slack.com/enterprise_name", enterprise.name.into());
        }
        claims.extend(about(&holder, &access.scopes));
        Ok(claims.into())
    })
    .await
}

/// The owner of the bearer token, if it has the `scope`.
fn holder(
    request: &HttpRequest,
    state: &State,
    scope: &str,
) -> Result<(Access, Persona), ErrorName> {
    let token = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or("not_authed")?;
    let access = state.access(token).ok_or("invalid_auth")?;
    if !access.covers(scope) {
        return Err("missing_scope");
    }
    let persona = state.persona(access.persona).ok_or("account_inactive")?;
    Ok((access, persona))
}

fn user(persona: &Persona, with_email: bool) -> Value {
    let mut profile = json!({"real_name": persona.name});
    if let (Some(profile), Some(email)) = (
        profile.as_object_mut(),
        persona.email.filter(|_| with_email),
    ) {
        profile.insert("email".to_owned(), email.into());
    }
    json!({
        "id": persona.user_id,
        "team_id": persona.workspace.team_id,
        "deleted": persona.is_deleted,
        "real_name": persona.name,
        "is_admin": persona.is_admin,
        "is_owner": persona.is_owner,
        "is_restricted": persona.is_restricted,
        "is_ultra_restricted": persona.is_ultra_restricted,
        "is_bot": persona.is_bot,
        "is_email_confirmed": persona.is_email_confirmed,
        "profile": profile,
    })
}
