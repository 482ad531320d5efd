//! `/undo`: the page that undoes the new API token or authenticator which an e-mail has reported.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::link_page::{LinkPage, no_fields, no_preview};
use super::shell;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::InvalidOrExpiredToken;
use crate::http::form::Form;
use crate::http::settings::Settings;
use crate::service::mail::links::Link;
use crate::service::{self, RequestContext, Services};

const PAGE: LinkPage = LinkPage {
    purpose: Link::Undo,
    path: "undo",
    title: "page.undo.title",
    text: "page.undo.text",
    fields: no_fields,
    button: "page.undo.button",
    footnote: Some("page.undo.footnote"),
    preview: no_preview,
    act: |services, context, token, _| Box::pin(service::undo_by_link(services, context, token)),
    done_title: "page.undo.done.title",
    done_text: "page.undo.done.text",
    expired: ["page.undo.expired.why", "page.undo.expired.next"],
    next: |_| {
        Some(shell::Link {
            href: "reset-password".to_owned(),
            text: "page.end_session.choose_password",
        })
    },
    request: None,
};

/// Page: undo a change
#[utoipa::path(
    get,
    path = "/undo",
    operation_id = "undo_page",
    tag = "Pages",
    params(("token" = Option<String>, Query, description = "Token from the e-mail link.")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken]))),
)]
pub(crate) async fn open(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    request: HttpRequest,
) -> HttpResponse {
    PAGE.open(&services, &settings, &context, &request).await
}

/// Page: submit the form
#[utoipa::path(
    post,
    path = "/undo",
    operation_id = "submit_undo_page",
    tag = "Pages",
    request_body(
        content = String,
        content_type = "application/x-www-form-urlencoded",
        description = "`token`.",
    ),
    responses((status = 200, description = "A page with the result.", content_type = "text/html", body = String)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken]))),
)]
pub(crate) async fn submit(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    form: Result<Form, ApiError>,
) -> HttpResponse {
    PAGE.submit(&services, &settings, &context, form).await
}
