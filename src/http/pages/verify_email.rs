//! `/verify-email`: the page that verifies the address of an account.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::link_page::{LinkPage, LinkRequest, no_fields, no_preview, to_application};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::InvalidOrExpiredToken;
use crate::http::form::Form;
use crate::http::settings::Settings;
use crate::service::mail::links::Link;
use crate::service::{self, RequestContext, Services};

const PAGE: LinkPage = LinkPage {
    purpose: Link::VerifyEmail,
    path: "verify-email",
    title: "page.verify_email.title",
    text: "page.verify_email.text",
    fields: no_fields,
    button: "page.verify_email.button",
    footnote: Some("page.verify_email.footnote"),
    preview: no_preview,
    act: |services, context, token, _| Box::pin(service::verify_email(services, context, token)),
    done_title: "page.verify_email.done.title",
    done_text: "page.verify_email.done.text",
    expired: [
        "page.verify_email.expired.why",
        "page.verify_email.expired.next",
    ],
    next: to_application,
    request: Some(LinkRequest {
        text: "page.verify_email.request",
        send: |services, context, email| {
            Box::pin(service::resend_verification(services, context, email))
        },
        sent: "page.verify_email.sent",
    }),
};

/// Page: verify an e-mail address
///
/// Without a token, or with one that is no longer valid, it offers to send a new link.
#[utoipa::path(
    get,
    path = "/verify-email",
    operation_id = "verify_email_page",
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
    path = "/verify-email",
    operation_id = "submit_verify_email_page",
    tag = "Pages",
    request_body(
        content = String,
        content_type = "application/x-www-form-urlencoded",
        description = "`token`, or `email` to request a new link.",
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
