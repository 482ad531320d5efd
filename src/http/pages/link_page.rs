//! Pages behind mailed links: they look at the link, show a form, do what it asks for, and show the outcome.

use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;
use url::form_urlencoded;

use super::error_page::error_page;
use super::shell::{Field, Form, Link, Page};
use crate::domain::Email;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;
use crate::http::form::Form as Sent;
use crate::http::settings::Settings;
use crate::service::mail::links;
use crate::service::{self, Error, RequestContext, Services};

type Outcome<'a> = LocalBoxFuture<'a, service::Result<()>>;

/// Something that the button ends as well: the sentences before and after it was pressed.
pub(super) struct SideEffect {
    pub before: &'static str,
    pub after: &'static str,
}

/// What a page says about the account of its link.
#[derive(Default)]
pub(super) struct Preview {
    /// Whose password the form sets: password managers need to know.
    pub email: Option<Email>,
    pub effects: Vec<SideEffect>,
}

pub(super) type Previewing<'a> = LocalBoxFuture<'a, service::Result<Preview>>;

/// One page: what its link is for, what it asks, what it does, and what it says afterwards. Texts are keys.
pub(super) struct LinkPage {
    pub purpose: links::Link,
    /// The page's own path, relative to itself.
    pub path: &'static str,
    pub title: &'static str,
    pub text: &'static str,
    pub fields: fn(&Services) -> Vec<Field>,
    pub button: &'static str,
    pub footnote: Option<&'static str>,
    /// Whose account it is, and what else the button does to it.
    pub preview: for<'a> fn(&'a Services, &'a RequestContext, &'a str) -> Previewing<'a>,
    /// What the button does with the token.
    pub act: for<'a> fn(&'a Services, &'a RequestContext, &'a str, &'a Sent) -> Outcome<'a>,
    pub done_title: &'static str,
    pub done_text: &'static str,
    /// Why a link can have expired, and what to do then.
    pub expired: [&'static str; 2],
    /// Where to go afterwards.
    pub next: fn(&Settings) -> Option<Link>,
    pub request: Option<LinkRequest>,
}

/// How the page sends a link to an address. It says the same for every address.
pub(super) struct LinkRequest {
    pub text: &'static str,
    pub send: for<'a> fn(&'a Services, &'a RequestContext, Email) -> Outcome<'a>,
    pub sent: &'static str,
}

impl LinkPage {
    /// Shows what the link is for. Changes nothing.
    pub(super) async fn open(
        &self,
        services: &Services,
        settings: &Settings,
        context: &RequestContext,
        request: &HttpRequest,
    ) -> HttpResponse {
        let token = token_of(request);
        let is_good = match (&token, &self.request) {
            (None, Some(request)) => return self.requesting(request, "", Vec::new()).answer(),
            (None, None) => Ok(false),
            (Some(token), _) => links::is_good(services, context, self.purpose, token).await,
        };
        match is_good {
            Ok(true) => {
                let token = token.unwrap_or_default();
                match (self.preview)(services, context, &token).await {
                    Ok(preview) => self.asking(services, &token, &preview, Vec::new()).answer(),
                    Err(error) => error_page(error.into()),
                }
            }
            Ok(false) => self.expired(settings, ErrorCode::InvalidOrExpiredToken.into()),
            Err(error) => error_page(error.into()),
        }
    }

    /// Does what the link is for, or sends a new link.
    pub(super) async fn submit(
        &self,
        services: &Services,
        settings: &Settings,
        context: &RequestContext,
        form: Result<Sent, ApiError>,
    ) -> HttpResponse {
        let form = match form {
            Ok(form) => form,
            Err(error) => return error_page(error),
        };
        let token = match (form.get("token"), &self.request) {
            (None, Some(request)) => {
                let email = form.get("email").unwrap_or_default();
                return self.send(request, services, context, email).await;
            }
            (token, _) => token.unwrap_or_default(),
        };
        let preview = match (self.preview)(services, context, token).await {
            Ok(preview) => preview,
            Err(error) => return error_page(error.into()),
        };
        let error = match (self.act)(services, context, token, &form).await {
            Ok(()) => return self.done(settings, &preview.effects).answer(),
            Err(Error::Invalid(faults)) => {
                let messages = faults.iter().map(|fault| fault.message.to_string());
                let page = self.asking(services, token, &preview, messages.collect());
                return page.refusal(faults.into());
            }
            Err(error) => ApiError::from(error),
        };
        if error.code() == ErrorCode::InvalidOrExpiredToken {
            self.expired(settings, error)
        } else {
            error_page(error)
        }
    }

    async fn send(
        &self,
        request: &LinkRequest,
        services: &Services,
        context: &RequestContext,
        typed: &str,
    ) -> HttpResponse {
        let email = match Email::parse(typed) {
            Ok(email) => email,
            Err(refusal) => {
                let page = self.requesting(request, typed, vec![refusal.message.to_string()]);
                return page.refusal(vec![refusal.of("email")].into());
            }
        };
        let sent = Page {
            title: "page.link.sent.title",
            text: vec![request.sent.into()],
            details: vec![email.as_str().to_owned()],
            footnote: Some("page.link.sent.footnote"),
            ..Page::default()
        };
        match (request.send)(services, context, email).await {
            Ok(()) => sent.answer(),
            Err(error) => error_page(error.into()),
        }
    }

    fn asking(
        &self,
        services: &Services,
        token: &str,
        preview: &Preview,
        messages: Vec<String>,
    ) -> Page {
        let effects = preview.effects.iter().map(|effect| effect.before);
        let sentences = std::iter::once(self.text).chain(effects);
        Page {
            title: self.title,
            text: sentences.map(Into::into).collect(),
            messages,
            form: Some(Form {
                action: self.path,
                hidden: vec![("token", token.to_owned())],
                fields: preview
                    .email
                    .iter()
                    .map(Field::username)
                    .chain((self.fields)(services))
                    .collect(),
                button: self.button,
            }),
            footnote: self.footnote,
            ..Page::default()
        }
    }

    fn done(&self, settings: &Settings, effects: &[SideEffect]) -> Page {
        let effects = effects.iter().map(|effect| effect.after);
        let sentences = std::iter::once(self.done_text).chain(effects);
        Page {
            title: self.done_title,
            text: sentences.map(Into::into).collect(),
            link: (self.next)(settings),
            ..Page::default()
        }
    }

    fn expired(&self, settings: &Settings, error: ApiError) -> HttpResponse {
        let page = Page {
            title: "page.link.expired.title",
            text: self.expired.map(Into::into).into(),
            form: self.request.as_ref().map(|_| self.request_form("")),
            link: (self.next)(settings),
            error_code: Some(error.code().as_str()),
            ..Page::default()
        };
        page.refusal(error)
    }

    fn requesting(&self, request: &LinkRequest, email: &str, messages: Vec<String>) -> Page {
        Page {
            title: self.title,
            text: vec![request.text.into()],
            messages,
            form: Some(self.request_form(email)),
            ..Page::default()
        }
    }

    fn request_form(&self, email: &str) -> Form {
        Form {
            action: self.path,
            hidden: Vec::new(),
            fields: vec![Field {
                name: "email",
                label: "page.link.email",
                kind: "email",
                autocomplete: "email",
                hint: None,
                value: email.to_owned(),
            }],
            button: "page.link.send",
        }
    }
}

/// A page that asks for nothing but its button.
pub(super) fn no_fields(_: &Services) -> Vec<Field> {
    Vec::new()
}

/// A button that does nothing but what the page says.
pub(super) fn no_preview<'a>(_: &'a Services, _: &'a RequestContext, _: &'a str) -> Previewing<'a> {
    Box::pin(async { Ok(Preview::default()) })
}

/// The application, unless that is this service itself.
pub(super) fn to_application(settings: &Settings) -> Option<Link> {
    (settings.app_url != settings.public_url).then(|| Link {
        href: settings.app_url.as_str().to_owned(),
        text: "page.link.to_application",
    })
}

fn token_of(request: &HttpRequest) -> Option<String> {
    form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, value)| name == "token" && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}
