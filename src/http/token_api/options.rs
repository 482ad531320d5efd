//! `GET /api/auth/options`

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::JoinPolicy;
use crate::service::Services;

/// What a front end offers to people who are not signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Options {
    /// Who may create an account. `domain`: addresses at domains of the operator's choice are refused like all others
    /// at first, and get an invitation by e-mail. `invite`, `closed`: invited people at most.
    registration: JoinPolicy,
    /// Who may create an organization. To do so while registering, `registration` must be `open` too.
    organizations: JoinPolicy,
    /// The ways to sign in.
    providers: Vec<ProviderOption>,
    /// The minimum length of a new password, in characters.
    #[schema(example = 8)]
    password_min_length: usize,
}

/// A way to sign in.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProviderOption {
    #[schema(example = "slack")]
    id: &'static str,
    #[schema(example = "Slack")]
    name: &'static str,
    #[serde(rename = "type")]
    #[schema(example = "oauth")]
    kind: &'static str,
    /// Who may create an account in this way.
    registration: JoinPolicy,
}

/// Read what is open to everyone
///
/// What a sign-in page needs to know before anyone signs in: who may register, who may create an organization, and the
/// ways to sign in, each with who may get an account by it. Organizations may be stricter.
#[utoipa::path(
    get,
    path = "/api/auth/options",
    tag = "Signing in",
    responses((status = 200, description = "What is open to everyone.", body = Options)),
)]
pub(crate) async fn options(services: Data<Services>) -> Json<Options> {
    let rules = services.self_service();
    let credentials = ProviderOption {
        id: "credentials",
        name: "E-mail and password",
        kind: "credentials",
        registration: rules.registration,
    };
    let slack = services.has_slack().then_some(ProviderOption {
        id: "slack",
        name: "Slack",
        kind: "oauth",
        registration: rules.slack_registration,
    });
    Json(Options {
        registration: rules.registration,
        organizations: rules.organization_creation,
        providers: [credentials].into_iter().chain(slack).collect(),
        password_min_length: services.min_password_length(),
    })
}
