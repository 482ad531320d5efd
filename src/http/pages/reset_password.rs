//! `/reset-password`: where people ask for a new password, and where the letter leads that they get.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::link::{
    letter_form, letter_on_its_way, outcome, page_if_good, to_application, token_form, token_of,
};
use super::shell::{Field, Form as PageForm, Page};
use super::trouble::trouble;
use crate::domain::Email;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{InvalidOrExpiredToken, ValidationFailed};
use crate::http::form::Form;
use crate::http::settings::Settings;
use crate::service::mail::links::Link;
use crate::service::{self, Error, RequestContext, Services};

const ACTION: &str = "reset-password";

/// Page: choose a new password
///
/// Without a token, or with one that is no longer good, it offers a letter.
#[utoipa::path(
    get,
    path = "/reset-password",
    operation_id = "reset_password_page",
    tag = "Pages",
    params(("token" = Option<String>, Query, description = "From the letter.")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken]))),
)]
pub async fn open(services: Data<Services>, request: HttpRequest) -> HttpResponse {
    let Some(token) = token_of(&request) else {
        return asking("", Vec::new()).answer();
    };
    let page = choosing(&services, &token, Vec::new());
    page_if_good(&services, Link::ResetPassword, &token, page, stale()).await
}

/// Page: what the button does
#[utoipa::path(
    post,
    path = "/reset-password",
    operation_id = "submit_reset_password_page",
    tag = "Pages",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`token` and `password`, or `email` to ask for a letter."),
    responses((status = 200, description = "A page that says so.", content_type = "text/html", body = String)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken, ValidationFailed]))),
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
    let password = form.get("password").unwrap_or_default();
    let reset = service::reset_password(&services, &context, token, password).await;
    if let Err(Error::Invalid(faults)) = reset {
        let messages = faults.iter().map(|fault| fault.message.to_string());
        return choosing(&services, token, messages.collect()).refusal(faults.into());
    }
    let done = Page {
        title: "Your password is changed",
        text: vec![
            "You are signed out everywhere. Sign in with the new password from now on.".into(),
        ],
        link: to_application(&settings),
        ..Page::default()
    };
    outcome(reset, done, stale())
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
        "If this address has an account here, a letter with a link that is good for 30 minutes is on its way to it:",
    );
    let asked = service::forgot_password(services, context, email).await;
    outcome(asked, done, stale())
}

fn choosing(services: &Services, token: &str, faults: Vec<String>) -> Page {
    let field = Field {
        name: "password",
        label: "New password",
        kind: "password",
        autocomplete: "new-password",
        hint: Some(format!(
            "At least {} characters. Several words that have nothing to do with each other are good, and easy to keep in mind.",
            services.passwords.min_length()
        )),
        value: String::new(),
    };
    Page {
        title: "Choose a new password",
        text: vec!["It replaces the old one, and signs you out everywhere.".into()],
        faults,
        form: Some(PageForm {
            fields: vec![field],
            ..token_form(ACTION, token.to_owned(), "Save the password")
        }),
        ..Page::default()
    }
}

fn asking(email: &str, faults: Vec<String>) -> Page {
    Page {
        title: "Choose a new password",
        text: vec!["Enter the address of your account, and we send you a link to do so.".into()],
        faults,
        form: Some(letter_form(ACTION, email)),
        ..Page::default()
    }
}

fn stale() -> Page {
    Page {
        title: "This link is no longer good",
        text: vec![
            "It was used already, is older than 30 minutes, or another letter came after it."
                .into(),
            "Enter your address for a new one.".into(),
        ],
        form: Some(letter_form(ACTION, "")),
        ..Page::default()
    }
}
