//! `/accept-invitation`: where an invitation's link leads.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::shell::{Field, Form, Link, Page};
use crate::domain::{PersonName, Role};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    self, AlreadyMember, EmailTaken, InvalidCredentials, InvalidOrExpiredToken, OrganizationClosed,
    Unavailable,
};
use crate::http::form::Form as Filled;
use crate::http::query::Query;
use crate::http::settings::Settings;
use crate::service::invitations::{self, Invited, RegisterInvited};
use crate::service::{RequestContext, Services};

/// Page: accept an invitation
///
/// Where the letter's link leads: says who invites to what, and asks for a name and a password, or for the password of
/// the account that the invited address has. Looking changes nothing.
#[utoipa::path(
    get,
    path = "/accept-invitation",
    operation_id = "accept_invitation_page",
    tag = "Pages",
    params(("token" = String, Query, description = "Of the link.")),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken, OrganizationClosed, Unavailable]))),
)]
pub async fn open(services: Data<Services>, query: Query) -> HttpResponse {
    let token = query
        .get("token")
        .filter(|_| !query.is_ambiguous())
        .unwrap_or_default();
    match invitations::preview(&services, token).await {
        Ok(invited) => invitation(&invited, token, None, Vec::new()).answer(),
        Err(error) => refused(error.into()),
    }
}

/// Page: what the button does
///
/// Accepts the invitation. Nobody is signed in by it.
#[utoipa::path(
    post,
    path = "/accept-invitation",
    operation_id = "submit_accept_invitation_page",
    tag = "Pages",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`token`, `password` and, where the address has no account, `name`."),
    responses((status = 200, description = "The page that says so.", body = String, content_type = "text/html")),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken, InvalidCredentials, EmailTaken, AlreadyMember, OrganizationClosed]))),
)]
pub async fn submit(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    filled: Filled,
) -> HttpResponse {
    let token = filled.get("token").unwrap_or_default();
    let invited = match invitations::preview(&services, token).await {
        Ok(invited) => invited,
        Err(error) => return refused(error.into()),
    };
    match accept(&services, &context, &invited, &filled).await {
        Ok(()) => welcome(&invited, &settings).answer(),
        Err(error) => again(&invited, &filled, error),
    }
}

async fn accept(
    services: &Services,
    context: &RequestContext,
    invited: &Invited,
    filled: &Filled,
) -> Result<(), ApiError> {
    let token = filled.get("token").unwrap_or_default();
    let password = filled.get("password").unwrap_or_default();
    if invited.has_account {
        invitations::accept_with_password(services, context, token, password).await?;
        return Ok(());
    }
    let name = PersonName::parse(filled.get("name").unwrap_or_default())
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

/// The page once more, where something can be filled in better.
fn again(invited: &Invited, filled: &Filled, error: ApiError) -> HttpResponse {
    let faults: Vec<String> = match error.code() {
        ErrorCode::ValidationFailed => error.messages().map(str::to_owned).collect(),
        ErrorCode::InvalidCredentials => {
            vec!["This is not the password of that account.".into()]
        }
        ErrorCode::EmailTaken => vec!["There is an account with this address since now.".into()],
        ErrorCode::Busy => vec!["That did not work, please try again in a moment.".into()],
        _ => return refused(error),
    };
    let has_account = invited.has_account || error.code() == ErrorCode::EmailTaken;
    let invited = Invited {
        has_account,
        ..invited.clone()
    };
    let token = filled.get("token").unwrap_or_default();
    invitation(&invited, token, filled.get("name"), faults).refusal(error)
}

fn invitation(invited: &Invited, token: &str, name: Option<&str>, faults: Vec<String>) -> Page {
    let what = format!("{} {}", invited.organization, in_role(invited.role));
    let who_asks = match &invited.inviter {
        Some(inviter) => format!("{inviter} invites you to join {what}."),
        None => format!("You can join {what}: your address is of a domain of theirs."),
    };
    let password = |label, autocomplete, hint: Option<&str>| Field {
        name: "password",
        label,
        kind: "password",
        autocomplete,
        hint: hint.map(str::to_owned),
        value: String::new(),
    };
    let (how, fields) = if invited.has_account {
        (
            format!(
                "{} has an account already. Enter its password to accept.",
                invited.email
            ),
            vec![password("Password", "current-password", None)],
        )
    } else {
        let name = Field {
            name: "name",
            label: "Your name",
            kind: "text",
            autocomplete: "name",
            hint: Some("As the others will see it.".to_owned()),
            value: name.unwrap_or_default().to_owned(),
        };
        let hint = "Long and yours alone: several words that have nothing to do with each other.";
        (
            format!("Your account will have the address {}.", invited.email),
            vec![name, password("Password", "new-password", Some(hint))],
        )
    };
    Page {
        title: "You are invited",
        text: vec![who_asks.into(), how.into()],
        faults,
        form: Some(Form {
            action: "accept-invitation",
            hidden: vec![("token", token.to_owned())],
            fields,
            button: "Join",
        }),
        link: invited.has_account.then(|| Link {
            href: "reset-password".to_owned(),
            text: "I have forgotten it, or never chose one",
        }),
        footnote: Some("You did not expect this? Close the page, and nothing happens.".into()),
        ..Page::default()
    }
}

fn in_role(role: Role) -> &'static str {
    match role {
        Role::Employee => "as an employee",
        Role::Manager => "as a manager",
        Role::Admin => "as an admin",
    }
}

fn welcome(invited: &Invited, settings: &Settings) -> Page {
    Page {
        title: "Welcome",
        text: vec![
            format!(
                "You belong to {} now. You can sign in with {}.",
                invited.organization, invited.email
            )
            .into(),
        ],
        link: (settings.app_url != settings.public_url).then(|| Link {
            href: settings.app_url.to_string(),
            text: "Sign in",
        }),
        ..Page::default()
    }
}

/// The page of an invitation that nobody can accept now.
fn refused(error: ApiError) -> HttpResponse {
    let (title, text) = match error.code() {
        ErrorCode::InvalidOrExpiredToken => (
            "This invitation is no longer good",
            "It was accepted or taken back, is more than seven days old, or a newer letter has replaced it. \
             Ask whoever invited you for a new one.",
        ),
        ErrorCode::OrganizationClosed => (
            "Nobody can join now",
            "The organization takes in nobody at present. Ask whoever invited you.",
        ),
        ErrorCode::AlreadyMember => (
            "You belong to it already",
            "There is nothing left to accept: sign in as usual.",
        ),
        _ => (
            "That did not work",
            "Something that this service depends on does not answer. Please try again in a moment.",
        ),
    };
    let page = Page {
        title,
        text: vec![text.into()],
        footnote: Some(error.code().as_str().into()),
        ..Page::default()
    };
    page.refusal(error)
}
