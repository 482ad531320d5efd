//! `/change-email`: the page that confirms the new address of an account.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::link_page::{LinkPage, no_fields, no_preview, to_application};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{EmailTaken, InvalidOrExpiredToken};
use crate::http::form::Form;
use crate::http::settings::Settings;
use crate::service::mail::links::Link;
use crate::service::{self, RequestContext, Services};

const PAGE: LinkPage = LinkPage {
    purpose: Link::ChangeEmail,
    path: "change-email",
    title: "page.change_email.title",
    text: "page.change_email.text",
    fields: no_fields,
    button: "page.change_email.button",
    footnote: Some("page.change_email.footnote"),
    preview: no_preview,
    act: |services, context, token, _| Box::pin(service::verify_email(services, context, token)),
    done_title: "page.change_email.done.title",
    done_text: "page.change_email.done.text",
    expired: [
        "page.change_email.expired.why",
        "page.change_email.expired.next",
    ],
    next: to_application,
    request: None,
};

/// Page: confirm a new e-mail address
#[utoipa::path(
    get,
    path = "/change-email",
    operation_id = "change_email_page",
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
    path = "/change-email",
    operation_id = "submit_change_email_page",
    tag = "Pages",
    request_body(
        content = String,
        content_type = "application/x-www-form-urlencoded",
        description = "`token`.",
    ),
    responses((status = 200, description = "A page with the result.", content_type = "text/html", body = String)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken, EmailTaken]))),
)]
pub(crate) async fn submit(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    form: Result<Form, ApiError>,
) -> HttpResponse {
    PAGE.submit(&services, &settings, &context, form).await
}
