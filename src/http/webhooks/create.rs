//! `POST /api/webhooks`

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::webhook::Webhook;
use crate::domain::{ChosenEvents, WebhookName, WebhookUrl};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, NoOrganization, ReauthenticationRequired, TooManyWebhooks,
};
use crate::service::webhooks::{self, CreateWebhook};
use crate::service::{MemberCaller, Services};

body! {
    pub struct CreateWebhookRequest {
        /// Where events are sent by POST: `https://`, on the public internet, without user name and password.
        #[schema(value_type = String, format = "uri", max_length = 2048,
            example = "https://intranet.example.com/hooks/hallpass")]
        url: WebhookUrl,
        /// The events to send, at least one; all by default, also those that are added later.
        #[schema(value_type = Option<Vec<String>>, example = json!(["member.added", "member.removed"]))]
        events: Option<ChosenEvents>,
        #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "directory of the intranet")]
        name: Option<WebhookName>,
    }
}

/// A new webhook. Its secret is shown only here.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedWebhook {
    /// The receiver verifies `webhook-signature` with it. It cannot be shown again.
    #[schema(example = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=")]
    secret: String,
    #[serde(flatten)]
    about: Webhook,
}

/// Create a webhook
///
/// For admins who have authenticated within the last fifteen minutes. What happens to the people of the organization is
/// sent there, signed by Standard Webhooks. It ends when the caller is no longer an admin of the organization, unless
/// another admin takes it over.
#[utoipa::path(
    post,
    path = "/api/webhooks",
    tag = "Webhooks",
    security(("bearer" = [])),
    request_body = CreateWebhookRequest,
    responses((status = 201, description = "Created.", body = CreatedWebhook)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, ReauthenticationRequired, TooManyWebhooks]))),
)]
pub(crate) async fn create_webhook(
    services: Data<Services>,
    caller: MemberCaller,
    Valid(body): Valid<CreateWebhookRequest>,
) -> Result<HttpResponse, ApiError> {
    let create = CreateWebhook {
        url: body.url,
        events: body.events.unwrap_or(ChosenEvents::All),
        name: body.name,
    };
    let created = webhooks::create(&services, &caller, create).await?;
    Ok(HttpResponse::Created().json(CreatedWebhook {
        secret: created.secret.expose(),
        about: created.webhook.into(),
    }))
}
