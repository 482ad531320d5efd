//! `/end-session`: where a letter leads that tells of a sign-in or a new password.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::link::{outcome, page_if_good, token_form, token_of};
use super::shell::{Link as Way, Page};
use super::trouble::trouble;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::InvalidOrExpiredToken;
use crate::http::form::Form;
use crate::service::mail::links::Link;
use crate::service::{self, RequestContext, Services};

/// Page: end a session
#[utoipa::path(
    get,
    path = "/end-session",
    operation_id = "end_session_page",
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
        title: "Was it not you?",
        text: vec!["The button ends the session that the mail tells of, and no other.".into()],
        form: Some(token_form("end-session", token.clone(), "End that session")),
        footnote: Some("If it was you, close this page.".into()),
        ..Page::default()
    };
    page_if_good(&services, Link::EndSession, &token, page, stale()).await
}

/// Page: what the button does
#[utoipa::path(
    post,
    path = "/end-session",
    operation_id = "submit_end_session_page",
    tag = "Pages",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`token`."),
    responses((status = 200, description = "A page that says so.", content_type = "text/html", body = String)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken]))),
)]
pub async fn submit(
    services: Data<Services>,
    context: RequestContext,
    form: Result<Form, ApiError>,
) -> HttpResponse {
    let form = match form {
        Ok(form) => form,
        Err(error) => return trouble(error),
    };
    let done = Page {
        title: "That session has ended",
        text: vec![
            "Whoever was signed in there is signed out. If it was not you, they may know your password: choose another one now."
                .into(),
        ],
        link: Some(to_new_password()),
        ..Page::default()
    };
    let token = form.get("token").unwrap_or_default();
    let ended = service::end_session_by_link(&services, &context, token).await;
    outcome(ended, done, stale())
}

fn stale() -> Page {
    Page {
        title: "This link is no longer good",
        text: vec![
            "It was used already, or is older than seven days. The application has a list of your sessions."
                .into(),
            "If you think that somebody else is in your account, choose another password: that ends every session."
                .into(),
        ],
        link: Some(to_new_password()),
        ..Page::default()
    }
}

fn to_new_password() -> Way {
    Way {
        href: "reset-password".to_owned(),
        text: "Choose another password",
    }
}
