//! `/verify-email`: where a letter leads that asks to prove an address.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::link::{
    letter_form, letter_on_its_way, outcome, page_if_good, to_application, token_form, token_of,
};
use super::shell::{Form as PageForm, Page};
use super::trouble::trouble;
use crate::domain::Email;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::InvalidOrExpiredToken;
use crate::http::form::Form;
use crate::http::settings::Settings;
use crate::service::mail::links::Link;
use crate::service::{self, RequestContext, Services};

const ACTION: &str = "verify-email";

/// Page: verify an e-mail address
///
/// Without a token, or with one that is no longer good, it offers another letter.
#[utoipa::path(
    get,
    path = "/verify-email",
    operation_id = "verify_email_page",
    tag = "Pages",
    params(("token" = Option<String>, Query, description = "From the letter.")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken]))),
)]
pub async fn open(services: Data<Services>, request: HttpRequest) -> HttpResponse {
    let Some(token) = token_of(&request) else {
        return asking("", Vec::new()).answer();
    };
    let page = Page {
        title: "Verify your address",
        text: vec!["An account here was made with this address. If you made it, press the button.".into()],
        form: Some(token_form(ACTION, token.clone(), "Yes, that was me")),
        footnote: Some(
            "If you did not, close this page: the address stays unverified, and you can take the account over at any time by asking for a new password."
                .into(),
        ),
        ..Page::default()
    };
    page_if_good(&services, Link::VerifyEmail, &token, page, stale()).await
}

/// Page: what the button does
#[utoipa::path(
    post,
    path = "/verify-email",
    operation_id = "submit_verify_email_page",
    tag = "Pages",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`token`, or `email` to ask for another letter."),
    responses((status = 200, description = "A page that says so.", content_type = "text/html", body = String)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken]))),
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
    let Some(token) = form.get("token") else {
        return ask(&services, &context, form.get("email").unwrap_or_default()).await;
    };
    let done = Page {
        title: "Your address is verified",
        text: vec!["Thank you. You can close this page.".into()],
        link: to_application(&settings),
        ..Page::default()
    };
    let verified = service::verify_email(&services, &context, token).await;
    outcome(verified, done, stale())
}

async fn ask(services: &Services, context: &RequestContext, typed: &str) -> HttpResponse {
    let email = match Email::parse(typed) {
        Ok(email) => email,
        Err(refusal) => {
            let page = asking(typed, vec![refusal.message.to_string()]);
            return page.refusal(vec![refusal.of("email")].into());
        }
    };
    let done = letter_on_its_way(
        email.as_str(),
        "If this address is still to be verified, a letter with a link that is good for 24 hours is on its way to it:",
    );
    let asked = service::resend_verification(services, context, email).await;
    outcome(asked, done, stale())
}

fn asking(email: &str, faults: Vec<String>) -> Page {
    Page {
        title: "Verify your address",
        text: vec![
            "Enter the address of your account, and we send you a link that verifies it.".into(),
        ],
        faults,
        form: Some(another_letter(email)),
        ..Page::default()
    }
}

fn stale() -> Page {
    Page {
        title: "This link is no longer good",
        text: vec![
            "It was used already, is older than 24 hours, or another letter came after it. If you have used it yourself, all is well."
                .into(),
            "Otherwise enter your address for a new one.".into(),
        ],
        form: Some(another_letter("")),
        ..Page::default()
    }
}

fn another_letter(email: &str) -> PageForm {
    letter_form(ACTION, email)
}
