//! `/join`: the page behind a join link. It joins with the session of the browser, after a sign-in if there is none.

use actix_web::http::header::{HeaderValue, REFERRER_POLICY, SET_COOKIE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::accept_invitation::as_role;
use super::error_page::error_page;
use super::link_page::to_application;
use super::shell::{Form, Link, Page};
use crate::domain::JoinPolicy;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    self, CrossSiteRequest, InvalidOrExpiredToken, MfaEnrolmentRequired, OrganizationClosed,
    ReauthenticationRequired, SessionTooOld, TooManyOrganizations,
};
use crate::http::form::Form as Sent;
use crate::http::query::Query;
use crate::http::settings::Settings;
use crate::http::token_api::renewed::renewed_cookie;
use crate::service::join_links::{self, Preview};
use crate::service::{Caller, RequestContext, Services};
use crate::texts::Text;

/// Page: join an organization
///
/// Says which organization the link is for. Who is signed in with the session cookie joins by its button, others are
/// led to the sign-in page and back. Opening it changes nothing.
#[utoipa::path(
    get,
    path = "/join",
    operation_id = "join_page",
    tag = "Pages",
    params(("token" = String, Query, description = "Token of the join link.")),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken, OrganizationClosed]))),
)]
pub(crate) async fn open(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    query: Query,
    caller: Result<Caller, ApiError>,
) -> HttpResponse {
    let token = query
        .get("token")
        .filter(|_| !query.is_ambiguous())
        .unwrap_or_default();
    let caller = match signed_in(caller) {
        Ok(caller) => caller,
        Err(error) => return refused(error, token, &settings),
    };
    match join_links::preview(&services, &context, caller.as_ref(), token).await {
        Ok(preview) => offer(&preview, caller.as_ref(), token, (&services, &settings)),
        Err(error) => refused(error.into(), token, &settings),
    }
}

/// Page: submit the form
///
/// Joins the organization with the session cookie.
#[utoipa::path(
    post,
    path = "/join",
    operation_id = "submit_join_page",
    tag = "Pages",
    request_body(
        content = String,
        content_type = "application/x-www-form-urlencoded",
        description = "`token`.",
    ),
    responses((status = 200, description = "A page with the result.", body = String, content_type = "text/html")),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken, OrganizationClosed, CrossSiteRequest,
        ReauthenticationRequired, SessionTooOld, TooManyOrganizations]))),
)]
pub(crate) async fn submit(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    request: HttpRequest,
    caller: Result<Caller, ApiError>,
    form: Sent,
) -> HttpResponse {
    let token = form.get("token").unwrap_or_default();
    let caller = match signed_in(caller) {
        Ok(caller) => caller,
        Err(error) => return refused(error, token, &settings),
    };
    let preview = match join_links::preview(&services, &context, caller.as_ref(), token).await {
        Ok(preview) => preview,
        Err(error) => return refused(error.into(), token, &settings),
    };
    let Some(caller) = caller else {
        return offer(&preview, None, token, (&services, &settings));
    };
    match join_links::join(&services, &caller, token).await {
        Ok(sign_in) => {
            let mut answer = member(&preview, JOINED, &settings).answer();
            if let Some(cookie) = renewed_cookie(&sign_in, request.headers(), &settings) {
                answer.headers_mut().append(SET_COOKIE, cookie);
            }
            answer
        }
        Err(error) => refused(error.into(), token, &settings),
    }
}

/// `None` for a browser without a session, or whose session has ended.
fn signed_in(caller: Result<Caller, ApiError>) -> Result<Option<Caller>, ApiError> {
    match caller {
        Ok(caller) => Ok(Some(caller)),
        Err(error) if error.code().status() == 401 => Ok(None),
        Err(error) => Err(error),
    }
}

fn offer(
    preview: &Preview,
    caller: Option<&Caller>,
    token: &str,
    (services, settings): (&Services, &Settings),
) -> HttpResponse {
    if preview.is_member {
        return member(preview, ALREADY, settings).answer();
    }
    let offer = Text::new("page.join.text")
        .with("organization", &preview.organization)
        .with_text("as_role", as_role(preview.role));
    let page = match caller {
        Some(caller) => {
            let who = Text::new("page.join.signed_in").with("name", &caller.profile.name);
            Page {
                title: "page.join.title",
                text: vec![offer, who],
                form: Some(Form {
                    action: "join",
                    hidden: vec![("token", token.to_owned())],
                    fields: Vec::new(),
                    button: "page.join.button",
                }),
                footnote: Some("page.invitation.footnote"),
                ..Page::default()
            }
        }
        None => {
            let (without_account, application) = without_account(services, settings);
            Page {
                title: "page.join.title",
                text: vec![offer, "page.join.signed_out".into(), without_account.into()],
                link: Some(to_sign_in(token, settings)),
                other_link: application,
                footnote: Some("page.invitation.footnote"),
                ..Page::default()
            }
        }
    };
    let mut answer = page.answer();
    // The button's request needs an `Origin`, and no other site may learn of the link.
    let policy = HeaderValue::from_static("same-origin");
    answer.headers_mut().insert(REFERRER_POLICY, policy);
    answer
}

/// What people without an account are told, and where they get one.
fn without_account(services: &Services, settings: &Settings) -> (&'static str, Option<Link>) {
    match (
        services.self_service().registration,
        to_application(settings),
    ) {
        (JoinPolicy::Open, Some(link)) => ("page.join.register", Some(link)),
        (JoinPolicy::Closed, _) => ("page.join.ask_operator", None),
        _ => ("page.join.ask_for_invitation", None),
    }
}

/// The sign-in page, which leads back here.
fn to_sign_in(token: &str, settings: &Settings) -> Link {
    let mut back = settings.public("/join");
    back.query_pairs_mut().append_pair("token", token);
    let mut url = settings.public("/api/auth/signin");
    url.query_pairs_mut()
        .append_pair("callbackUrl", back.as_str());
    Link {
        href: url.into(),
        text: "page.invitation.done.sign_in",
    }
}

/// Title and text for who has just joined.
const JOINED: [&str; 2] = ["page.join.done.title", "page.join.done.text"];

/// Title and text for who was a member before.
const ALREADY: [&str; 2] = ["page.invitation.member.title", "page.join.member.text"];

fn member(preview: &Preview, [title, text]: [&'static str; 2], settings: &Settings) -> Page {
    Page {
        title,
        text: vec![Text::new(text).with("organization", &preview.organization)],
        link: to_application(settings),
        ..Page::default()
    }
}

/// The page of a link that cannot be used now.
fn refused(error: ApiError, token: &str, settings: &Settings) -> HttpResponse {
    let mut link = None;
    let (title, text) = match error.code() {
        code if asks_to_sign_in_again(code) => {
            link = Some(to_sign_in(token, settings));
            ("page.join.title", "page.join.sign_in_again")
        }
        MfaEnrolmentRequired => {
            link = to_application(settings);
            ("page.join.title", "page.join.mfa_enrolment_required")
        }
        InvalidOrExpiredToken => ("page.join.expired.title", "page.join.expired.text"),
        TooManyOrganizations => ("page.join.too_many.title", "page.join.too_many.text"),
        OrganizationClosed => (
            "page.invitation.closed.title",
            "page.invitation.closed.text",
        ),
        _ => return error_page(error),
    };
    let page = Page {
        title,
        text: vec![text.into()],
        link,
        error_code: Some(error.code().as_str()),
        ..Page::default()
    };
    page.refusal(error)
}

/// Whether a new session can join where this one cannot.
fn asks_to_sign_in_again(code: ErrorCode) -> bool {
    code.status() == 401 || matches!(code, ReauthenticationRequired | SessionTooOld)
}
