//! `/change-email`: where a letter leads that asks to prove the address an account is to have.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::link::{outcome, page_if_good, to_application, token_form, token_of};
use super::shell::Page;
use super::trouble::trouble;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{EmailTaken, InvalidOrExpiredToken};
use crate::http::form::Form;
use crate::http::settings::Settings;
use crate::service::mail::links::Link;
use crate::service::{self, RequestContext, Services};

/// Page: confirm a new e-mail address
#[utoipa::path(
    get,
    path = "/change-email",
    operation_id = "change_email_page",
    tag = "Pages",
    params(("token" = Option<String>, Query, description = "From the letter.")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken]))),
)]
pub async fn open(services: Data<Services>, request: HttpRequest) -> HttpResponse {
    let Some(token) = token_of(&request) else {
        return stale().refusal(InvalidOrExpiredToken.into());
    };
    let page = Page {
        title: "Use this address from now on?",
        text: vec![
            "Somebody who has an account here wants to sign in with this e-mail address. If it is you, press the button."
                .into(),
        ],
        form: Some(token_form("change-email", token.clone(), "Yes, use this address")),
        footnote: Some("If it is not you, close this page, and nothing changes.".into()),
        ..Page::default()
    };
    page_if_good(&services, Link::ChangeEmail, &token, page, stale()).await
}

/// Page: what the button does
#[utoipa::path(
    post,
    path = "/change-email",
    operation_id = "submit_change_email_page",
    tag = "Pages",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`token`."),
    responses((status = 200, description = "A page that says so.", content_type = "text/html", body = String)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken, EmailTaken]))),
)]
pub async fn submit(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    form: Result<Form, ApiError>,
) -> HttpResponse {
    let form = match form {
        Ok(form) => form,
        Err(error) => return trouble(error),
    };
    let done = Page {
        title: "Your new address is in use",
        text: vec!["Sign in with it from now on. The old one has been told.".into()],
        link: to_application(&settings),
        ..Page::default()
    };
    let token = form.get("token").unwrap_or_default();
    let changed = service::verify_email(&services, &context, token).await;
    outcome(changed, done, stale())
}

fn stale() -> Page {
    Page {
        title: "This link is no longer good",
        text: vec![
            "It was used already, is older than 24 hours, or another letter came after it.".into(),
            "If your account still has its old address, sign in to the application and change it there again."
                .into(),
        ],
        ..Page::default()
    }
}
