//! `/reset-password`: the page that sends a link to choose a new password, and to which that link leads.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::link_page::{LinkPage, LinkRequest, Preview, SideEffect, to_application};
use super::shell::Field;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{InvalidOrExpiredToken, ValidationFailed};
use crate::http::form::Form;
use crate::http::settings::Settings;
use crate::service::mail::links::Link;
use crate::service::{self, Ending, RequestContext, Services};
use crate::texts::Text;

const END_API_TOKENS: &str = "endApiTokens";

const PAGE: LinkPage = LinkPage {
    purpose: Link::ResetPassword,
    path: "reset-password",
    title: "page.reset_password.title",
    text: "page.reset_password.text",
    fields: |services| {
        vec![
            new_password(services.min_password_length()),
            end_api_tokens(),
        ]
    },
    button: "page.reset_password.button",
    footnote: None,
    preview: |services, context, token| Box::pin(preview(services, context, token)),
    act: |services, context, token, form| {
        let password = form.get("password").unwrap_or_default();
        let api_tokens = Ending::all_if(form.get(END_API_TOKENS).is_some());
        Box::pin(async move {
            service::reset_password(services, context, token, password, api_tokens).await?;
            Ok(())
        })
    },
    done_title: "page.reset_password.done.title",
    done_text: "page.reset_password.done.text",
    expired: [
        "page.reset_password.expired.why",
        "page.reset_password.expired.next",
    ],
    next: to_application,
    request: Some(LinkRequest {
        text: "page.reset_password.request",
        send: |services, context, email| {
            Box::pin(service::forgot_password(services, context, email))
        },
        sent: "page.reset_password.sent",
    }),
};

async fn preview(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> service::Result<Preview> {
    let claim = service::preview_claim(services, context, token).await?;
    let slack = claim.effects.detaches_slack.then_some(SideEffect {
        before: "page.reset_password.detaches_slack",
        after: "page.reset_password.detached_slack",
    });
    let organizations = claim.effects.leaves_organizations.then_some(SideEffect {
        before: "page.reset_password.leaves_organizations",
        after: "page.reset_password.left_organizations",
    });
    Ok(Preview {
        email: claim.email,
        effects: slack.into_iter().chain(organizations).collect(),
    })
}

fn new_password(min_length: usize) -> Field {
    Field {
        name: "password",
        label: "page.reset_password.password",
        kind: "password",
        autocomplete: "new-password",
        hint: Some(Text::new("page.reset_password.hint").with("min_length", min_length)),
        value: String::new(),
    }
}

fn end_api_tokens() -> Field {
    Field {
        name: END_API_TOKENS,
        label: "page.reset_password.end_api_tokens",
        kind: "checkbox",
        autocomplete: "off",
        hint: Some("page.reset_password.end_api_tokens_hint".into()),
        value: "true".to_owned(),
    }
}

/// Page: choose a new password
///
/// Without a token, or with one that is no longer valid, it offers to send a new link.
#[utoipa::path(
    get,
    path = "/reset-password",
    operation_id = "reset_password_page",
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
    path = "/reset-password",
    operation_id = "submit_reset_password_page",
    tag = "Pages",
    request_body(
        content = String,
        content_type = "application/x-www-form-urlencoded",
        description = "`token`, `password` and perhaps `endApiTokens`, or `email` to request a link.",
    ),
    responses((status = 200, description = "A page with the result.", content_type = "text/html", body = String)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken, ValidationFailed]))),
)]
pub(crate) async fn submit(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    form: Result<Form, ApiError>,
) -> HttpResponse {
    PAGE.submit(&services, &settings, &context, form).await
}
