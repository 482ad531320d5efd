//! `PATCH /api/webhooks/{id}`

use actix_web::web::{Data, Json, Path};

use super::webhook::Webhook;
use super::webhook_id;
use crate::domain::{ChosenEvents, WebhookId, WebhookName, WebhookUrl};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, NoOrganization, ReauthenticationRequired, WebhookNotFound,
};
use crate::http::field::Patch;
use crate::service::webhooks::{self, UpdateWebhook};
use crate::service::{MemberCaller, Services};

body! {
    /// Fields that are left out do not change.
    pub struct UpdateWebhookRequest {
        /// Where events are sent from now on, also those that wait.
        #[schema(value_type = Option<String>, format = "uri", max_length = 2048,
            example = "https://intranet.example.com/hooks/hallpass")]
        url: Option<WebhookUrl>,
        /// The events to send, at least one; null for all.
        #[schema(value_type = Option<Vec<String>>, example = json!(["member.added", "member.removed"]))]
        events: Patch<ChosenEvents>,
        /// Null for none.
        #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "directory of the intranet")]
        name: Patch<WebhookName>,
        /// False switches it off and gives up what waits to be sent; true switches it on again.
        #[schema(example = true)]
        enabled: Option<bool>,
    }
}

/// Update a webhook
///
/// For admins who have authenticated within the last fifteen minutes. All changes or none.
#[utoipa::path(
    patch,
    path = "/api/webhooks/{id}",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(("id" = WebhookId, Path, description = "The webhook's id.")),
    request_body = UpdateWebhookRequest,
    responses((status = 200, description = "The updated webhook.", body = Webhook)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, ReauthenticationRequired, WebhookNotFound]))),
)]
pub(crate) async fn update_webhook(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
    Valid(body): Valid<UpdateWebhookRequest>,
) -> Result<Json<Webhook>, ApiError> {
    let events = body.events.into_change();
    let update = UpdateWebhook {
        url: body.url,
        events: events.map(|chosen| chosen.unwrap_or(ChosenEvents::All)),
        name: body.name.into_change(),
        enabled: body.enabled,
    };
    let webhook = webhooks::update(&services, &caller, webhook_id(&id), update).await?;
    Ok(Json(webhook.into()))
}
