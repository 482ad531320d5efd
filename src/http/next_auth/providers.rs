//! `GET /api/auth/providers`

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::TokenDelivery;
use crate::http::settings::Settings;
use crate::service::Services;

/// The ways to sign in, by id.
#[derive(Serialize, ToSchema)]
pub(crate) struct Providers {
    credentials: Provider,
    /// Present if sign-in with Slack is set up and delivers a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    slack: Option<Provider>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Provider {
    #[schema(example = "credentials")]
    id: &'static str,
    #[schema(example = "E-mail and password")]
    name: &'static str,
    #[serde(rename = "type")]
    #[schema(example = "credentials")]
    kind: &'static str,
    #[schema(example = "https://auth.example.com/api/auth/signin/credentials")]
    signin_url: String,
    #[schema(example = "https://auth.example.com/api/auth/callback/credentials")]
    callback_url: String,
}

/// List the ways to sign in
#[utoipa::path(
    get,
    path = "/api/auth/providers",
    tag = "NextAuth",
    responses((status = 200, description = "The ways to sign in, by id.", body = Providers)),
)]
pub(crate) async fn providers(
    services: Data<Services>,
    settings: Data<Settings>,
) -> Json<Providers> {
    let slack = leads_through_slack(&services, &settings);
    Json(Providers {
        credentials: Provider {
            id: "credentials",
            name: "E-mail and password",
            kind: "credentials",
            signin_url: settings.public("/api/auth/signin/credentials").into(),
            callback_url: settings.public("/api/auth/callback/credentials").into(),
        },
        slack: slack.then(|| Provider {
            id: "slack",
            name: "Slack",
            kind: "oauth",
            signin_url: settings.public("/api/auth/signin/slack").into(),
            callback_url: settings.public("/api/auth/slack/callback").into(),
        }),
    })
}

/// Whether a sign-in with Slack ends with the session cookie.
pub(crate) fn leads_through_slack(services: &Services, settings: &Settings) -> bool {
    services.has_slack() && settings.token_delivery == TokenDelivery::Cookie
}
