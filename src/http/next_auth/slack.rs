//! `POST /api/auth/signin/slack`

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Deserialize;
use url::Url;
use utoipa::ToSchema;

use super::answer::{self, Next};
use super::providers::leads_through_slack;
use super::redirect_target;
use super::sent::{Sent, wants_url};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::ProviderNotFound;
use crate::http::settings::Settings;
use crate::http::tenant_host::TenantHost;
use crate::service::Services;

/// Other fields are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SlackSignIn {
    /// The URL to return to after the sign-in; one of `ALLOWED_RETURN_URLS`.
    #[schema(example = "https://app.example.com/dashboard")]
    callback_url: Option<String>,
    /// Answer with the URL instead of a redirect.
    #[schema(value_type = Option<bool>, example = true)]
    json: Option<String>,
}

/// Start sign-in with Slack
///
/// Redirects to `/api/auth/slack/start`. Available only if `/api/auth/providers` lists it: where tokens are delivered
/// as cookies.
#[utoipa::path(
    post,
    path = "/api/auth/signin/slack",
    tag = "NextAuth",
    request_body(content((SlackSignIn = "application/json"), (SlackSignIn = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The URL to redirect the browser to, with `json: true`.", body = Next),
        (status = 302, description = "Redirects to `/api/auth/slack/start`.", headers(("Location" = String))),
    ),
    extensions(("x-error-codes" = json!([ProviderNotFound]))),
)]
pub(crate) async fn slack(
    services: Data<Services>,
    settings: Data<Settings>,
    tenant: TenantHost,
    Sent { fields, .. }: Sent<SlackSignIn>,
) -> Result<HttpResponse, ApiError> {
    if !leads_through_slack(&services, &settings) {
        return Err(ProviderNotFound.into());
    }
    let onward =
        redirect_target::callback_url(fields.callback_url.as_deref(), &services, &settings);
    let way = way(&onward, tenant.0.as_deref(), &settings);
    Ok(answer::lead_to(
        &way,
        wants_url(fields.json.as_deref()),
        &[],
    ))
}

/// The URL that starts a sign-in to the tenant which ends at `onward`.
pub(crate) fn way(onward: &Url, tenant: Option<&str>, settings: &Settings) -> Url {
    let mut parameters = vec![("returnUrl", onward.as_str())];
    parameters.extend(tenant.map(|tenant| ("tenant", tenant)));
    redirect_target::page("/api/auth/slack/start", &parameters, settings)
}
