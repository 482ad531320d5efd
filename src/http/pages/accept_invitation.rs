//! `/accept-invitation`: the page behind the link of an invitation.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::error_page::error_page;
use super::link_page::to_application;
use super::shell::{Field, Form, Link, Page};
use crate::domain::{PersonName, Role};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    self, AlreadyMember, EmailTaken, InvalidCredentials, InvalidOrExpiredToken, OrganizationClosed,
    RegistrationClosed, TooManyOrganizations, Unavailable,
};
use crate::http::form::Form as Sent;
use crate::http::query::Query;
use crate::http::settings::Settings;
use crate::service::invitations::{self, Invited, RegisterInvited};
use crate::service::{Error, RequestContext, Services};
use crate::texts::Text;

/// Page: accept an invitation
///
/// Says who invites to which organization, and asks for a name and a password, or for the password of the account that
/// the invited address has. Opening it changes nothing.
#[utoipa::path(
    get,
    path = "/accept-invitation",
    operation_id = "accept_invitation_page",
    tag = "Pages",
    params(("token" = String, Query, description = "Token from the e-mail link.")),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")),
    extensions(("x-error-codes" = json!([
        InvalidOrExpiredToken, OrganizationClosed, RegistrationClosed, Unavailable,
    ]))),
)]
pub(crate) async fn open(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    query: Query,
) -> HttpResponse {
    let token = query
        .get("token")
        .filter(|_| !query.is_ambiguous())
        .unwrap_or_default();
    match invitations::preview(&services, &context, token).await {
        Ok(invited) => invitation(&invited, token, None).answer(),
        Err(error) => no_invitation(&services, &settings, &context, token, error).await,
    }
}

/// The page for who has accepted the invitation of the link already, or the refusal.
async fn no_invitation(
    services: &Services,
    settings: &Settings,
    context: &RequestContext,
    token: &str,
    error: Error,
) -> HttpResponse {
    let Error::InvalidOrExpiredToken = error else {
        return refused(error.into());
    };
    let organization = match invitations::accepted_at(services, context, token).await {
        Ok(Some(organization)) => organization,
        Ok(None) => return refused(error.into()),
        Err(error) => return error_page(error.into()),
    };
    let sign_in_page = || settings.public("/api/auth/signin").into();
    Page {
        title: "page.invitation.member.title",
        text: vec![Text::new("page.join.member.text").with("organization", organization)],
        link: Some(Link {
            href: to_application(settings).map_or_else(sign_in_page, |link| link.href),
            text: "page.invitation.done.sign_in",
        }),
        ..Page::default()
    }
    .answer()
}

/// Page: submit the form
///
/// Accepts the invitation. It does not sign in.
#[utoipa::path(
    post,
    path = "/accept-invitation",
    operation_id = "submit_accept_invitation_page",
    tag = "Pages",
    request_body(
        content = String,
        content_type = "application/x-www-form-urlencoded",
        description = "`token`, `password` and, where the address has no account, `name`.",
    ),
    responses((status = 200, description = "A page with the result.", body = String, content_type = "text/html")),
    extensions(("x-error-codes" = json!([
        InvalidOrExpiredToken, InvalidCredentials, EmailTaken, AlreadyMember, OrganizationClosed, RegistrationClosed,
        TooManyOrganizations,
    ]))),
)]
pub(crate) async fn submit(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    form: Sent,
) -> HttpResponse {
    let token = form.get("token").unwrap_or_default();
    let invited = match invitations::preview(&services, &context, token).await {
        Ok(invited) => invited,
        Err(error) => return no_invitation(&services, &settings, &context, token, error).await,
    };
    match accept(&services, &context, &invited, &form).await {
        Ok(()) => welcome(&invited, &settings).answer(),
        Err(error) => again(&invited, &form, error),
    }
}

async fn accept(
    services: &Services,
    context: &RequestContext,
    invited: &Invited,
    form: &Sent,
) -> Result<(), ApiError> {
    let token = form.get("token").unwrap_or_default();
    let password = form.get("password").unwrap_or_default();
    if invited.has_account {
        invitations::accept_with_password(services, context, token, password).await?;
        return Ok(());
    }
    let name = PersonName::parse(form.get("name").unwrap_or_default())
        .map_err(|refusal| vec![refusal.of("name")])?;
    let register = RegisterInvited {
        email: invited.email.clone(),
        password,
        name,
        token,
    };
    invitations::create_account(services, context, register).await?;
    Ok(())
}

/// The form again, where other input can help.
fn again(invited: &Invited, form: &Sent, error: ApiError) -> HttpResponse {
    let fault = match error.code() {
        ErrorCode::ValidationFailed => None,
        ErrorCode::InvalidCredentials => Some("page.invitation.wrong_password"),
        ErrorCode::EmailTaken => Some("page.invitation.email_taken"),
        ErrorCode::Busy => Some("page.invitation.busy"),
        _ => return refused(error),
    };
    let invited = Invited {
        has_account: invited.has_account || error.code() == ErrorCode::EmailTaken,
        ..invited.clone()
    };
    let token = form.get("token").unwrap_or_default();
    let page = Page {
        fault,
        messages: error.messages().map(str::to_owned).collect(),
        ..invitation(&invited, token, form.get("name"))
    };
    page.refusal(error)
}

fn invitation(invited: &Invited, token: &str, name: Option<&str>) -> Page {
    let who = match &invited.inviter {
        Some(inviter) => Text::new("page.invitation.by_person").with("inviter", inviter),
        None => Text::new("page.invitation.by_domain"),
    };
    let who = who
        .with("organization", &invited.organization)
        .with_text("as_role", as_role(invited.role));
    let username = Field::username(&invited.email);
    let (account, fields) = if invited.has_account {
        (
            "page.invitation.has_account",
            vec![username, password("current-password", None)],
        )
    } else {
        let name = Field {
            name: "name",
            label: "page.invitation.name",
            kind: "text",
            autocomplete: "name",
            hint: Some("page.invitation.name_hint".into()),
            value: name.unwrap_or_default().to_owned(),
        };
        let hint = Some("page.invitation.password_hint".into());
        (
            "page.invitation.new_account",
            vec![name, username, password("new-password", hint)],
        )
    };
    Page {
        title: "page.invitation.title",
        text: vec![who, Text::new(account).with("email", &invited.email)],
        form: Some(Form {
            action: "accept-invitation",
            hidden: vec![("token", token.to_owned())],
            fields,
            button: "page.invitation.button",
        }),
        link: invited.has_account.then(|| Link {
            href: "reset-password".to_owned(),
            text: "page.invitation.forgot",
        }),
        footnote: Some("page.invitation.footnote"),
        ..Page::default()
    }
}

fn password(autocomplete: &'static str, hint: Option<Text>) -> Field {
    Field {
        name: "password",
        label: "page.invitation.password",
        kind: "password",
        autocomplete,
        hint,
        value: String::new(),
    }
}

pub(super) fn as_role(role: Role) -> &'static str {
    match role {
        Role::Employee => "role.employee",
        Role::Manager => "role.manager",
        Role::Admin => "role.admin",
    }
}

fn welcome(invited: &Invited, settings: &Settings) -> Page {
    let text = Text::new("page.invitation.done.text")
        .with("organization", &invited.organization)
        .with("email", &invited.email);
    Page {
        title: "page.invitation.done.title",
        text: vec![text],
        link: to_application(settings).map(|link| Link {
            text: "page.invitation.done.sign_in",
            ..link
        }),
        ..Page::default()
    }
}

/// The page of an invitation that cannot be accepted now.
fn refused(error: ApiError) -> HttpResponse {
    let (title, text) = match error.code() {
        ErrorCode::InvalidOrExpiredToken => (
            "page.invitation.expired.title",
            "page.invitation.expired.text",
        ),
        ErrorCode::OrganizationClosed => (
            "page.invitation.closed.title",
            "page.invitation.closed.text",
        ),
        ErrorCode::RegistrationClosed => (
            "page.invitation.no_registration.title",
            "page.invitation.no_registration.text",
        ),
        ErrorCode::AlreadyMember => (
            "page.invitation.member.title",
            "page.invitation.member.text",
        ),
        ErrorCode::TooManyOrganizations => ("page.join.too_many.title", "page.join.too_many.text"),
        _ => return error_page(error),
    };
    let page = Page {
        title,
        text: vec![text.into()],
        error_code: Some(error.code().as_str()),
        ..Page::default()
    };
    page.refusal(error)
}
