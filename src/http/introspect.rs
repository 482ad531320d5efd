//! `POST /api/auth/introspect`

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::error::ApiError;
use super::form::Form;
use crate::domain::{Email, OrganizationId, Role, UserId, Violation};
use crate::service::{
    ActiveToken, Credential, RequestContext, ServiceCaller, Services, TokenKind, introspect,
};

/// A token that Hallpass accepts (RFC 7662 §2.2). What a token does not have is left out.
#[derive(Serialize, ToSchema)]
pub(crate) struct Introspected {
    #[schema(example = true)]
    active: bool,
    /// `access` for a JWT, `api` for an API token (`hp_…`), `session` for a session token of `/api/v1`.
    #[schema(example = "access")]
    kind: &'static str,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// The user's id.
    sub: UserId,
    /// The id of the session, or of the API token.
    #[schema(format = "uuid")]
    sid: String,
    /// The id of the API token, for `api`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, format = "uuid")]
    client_id: Option<String>,
    /// The organization that the user acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, value_type = OrganizationId)]
    org_id: Option<OrganizationId>,
    /// The role there, as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, value_type = Role)]
    role: Option<Role>,
    /// The e-mail address, or the name of an account that has none.
    #[schema(example = "ada@example.com")]
    username: String,
    /// Seconds since 1970.
    #[schema(example = 1_764_495_000)]
    iat: i64,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, example = 1_765_099_800)]
    exp: Option<i64>,
    /// `JWT_ISSUER`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, example = "https://id.example.com")]
    iss: Option<String>,
    /// `JWT_AUDIENCE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        required = false,
        nullable = false,
        example = "https://api.example.com"
    )]
    aud: Option<String>,
}

/// Other fields are ignored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the form")]
pub(crate) struct IntrospectRequest {
    /// An access token, an API token or a session token.
    #[schema(example = "hp_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcQjZeTA")]
    token: String,
    /// Ignored.
    #[schema(required = false, nullable = false, example = "access_token")]
    token_type_hint: Option<String>,
}

/// Ask what a token is
///
/// For services that are shown a token and do not verify it themselves (RFC 7662). Whatever is not good – unknown,
/// expired, revoked, of a disabled user, without the second factor that is required – is `{"active": false}` and nothing
/// else. The service shows its key by Bearer, or by Basic with its name as the user.
#[utoipa::path(
    post,
    path = "/api/auth/introspect",
    tag = "Services",
    security(("serviceKey" = []), ("serviceBasic" = [])),
    request_body(content = IntrospectRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The token, or `{\"active\": false}`.", body = Introspected)),
)]
pub(crate) async fn introspect_token(
    services: Data<Services>,
    context: RequestContext,
    _: ServiceCaller,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let token = form.given("token").ok_or_else(|| {
        let why = "Please send the token in a field of a form.";
        ApiError::from(vec![Violation::new("token", "required", why)])
    })?;
    Ok(match introspect(&services, &context, token).await? {
        Some(active) => HttpResponse::Ok().json(Introspected::from(active)),
        None => HttpResponse::Ok().json(json!({"active": false})),
    })
}

impl From<ActiveToken> for Introspected {
    fn from(active: ActiveToken) -> Self {
        let profile = active.profile;
        let organization = profile.organization;
        let (sid, client_id) = match active.credential {
            Credential::Session(id) => (id.to_string(), None),
            Credential::ApiToken(id) => (id.to_string(), Some(id.to_string())),
        };
        let email = profile.email.as_ref().map(Email::as_str);
        Self {
            active: true,
            kind: match active.kind {
                TokenKind::Access => "access",
                TokenKind::Api => "api",
                TokenKind::Session => "session",
            },
            token_type: "Bearer",
            sub: profile.id,
            sid,
            client_id,
            org_id: organization.map(|it| it.id),
            role: organization.map(|it| it.role),
            username: email.unwrap_or(profile.name.as_str()).to_owned(),
            iat: active.validity.issued_at.timestamp(),
            exp: active.validity.expires_at.map(|end| end.timestamp()),
            iss: active.issuer,
            aud: active.audience,
        }
    }
}
