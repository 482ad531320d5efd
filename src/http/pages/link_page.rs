//! What the pages behind mailed links share: the token in the link, and the way to another letter.

use actix_web::{HttpRequest, HttpResponse};
use url::form_urlencoded;

use super::shell::{Field, Form, Link, Page};
use super::trouble::trouble;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;
use crate::http::settings::Settings;
use crate::service::mail::links;
use crate::service::{self, Services};

/// The token a link brings, if it brings one.
pub fn token_of(request: &HttpRequest) -> Option<String> {
    form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, value)| name == "token" && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

/// `page` while the link is good, `stale` when it is not.
pub async fn page_if_good(
    services: &Services,
    link: links::Link,
    token: &str,
    page: Page,
    stale: Page,
) -> HttpResponse {
    match links::is_good(services, link, token).await {
        Ok(true) => page.answer(),
        Ok(false) => stale.refusal(ErrorCode::InvalidOrExpiredToken.into()),
        Err(error) => trouble(error.into()),
    }
}

/// The answer to a form that was sent: `done`, `stale` for a link that is no longer good, or what went wrong.
pub fn outcome(result: service::Result<()>, done: Page, stale: Page) -> HttpResponse {
    match result.map_err(ApiError::from) {
        Ok(()) => done.answer(),
        Err(error) if error.code() == ErrorCode::InvalidOrExpiredToken => stale.refusal(error),
        Err(error) => trouble(error),
    }
}

/// A form of one button, which posts the token.
pub fn token_form(action: &'static str, token: String, button: &'static str) -> Form {
    Form {
        action,
        hidden: vec![("token", token)],
        fields: Vec::new(),
        button,
    }
}

/// A form that asks for a letter to an address.
pub fn letter_form(action: &'static str, email: &str) -> Form {
    let field = Field {
        name: "email",
        label: "E-mail address",
        kind: "email",
        autocomplete: "email",
        hint: None,
        value: email.to_owned(),
    };
    Form {
        action,
        hidden: Vec::new(),
        fields: vec![field],
        button: "Send me a link",
    }
}

/// Said to everybody who asks, whatever became of it.
pub fn letter_on_its_way(email: &str, text: &'static str) -> Page {
    Page {
        title: "Look into your mail",
        text: vec![text.into()],
        details: vec![email.to_owned()],
        footnote: Some(
            "Only the link in the newest letter is good. None after a few minutes? Look among the spam; an address gets at most three such letters an hour."
                .into(),
        ),
        ..Page::default()
    }
}

/// The way back to the application, where that is not this service itself.
pub fn to_application(settings: &Settings) -> Option<Link> {
    (settings.app_url != settings.public_url).then(|| Link {
        href: settings.app_url.as_str().to_owned(),
        text: "Go to the application",
    })
}
