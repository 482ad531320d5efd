//! The page for a sign-in with Slack that failed: what happened, and where to start again.

use actix_web::HttpResponse;

use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;
use crate::http::pages::shell::{Link, Page, Preferred};
use crate::http::settings::Settings;
use crate::service::slack::ReturnTarget;

/// The error as JSON, or as a page for browsers.
pub(super) fn refusal(
    error: ApiError,
    preferred: Preferred,
    settings: &Settings,
    return_target: Option<Box<ReturnTarget>>,
) -> HttpResponse {
    if preferred == Preferred::Json {
        return HttpResponse::from_error(error);
    }
    page(&error, return_target.map(|way| href(&way, settings))).refusal(error)
}

fn page(error: &ApiError, start_again: Option<String>) -> Page {
    let (title, text) = texts(error.code());
    let mut text = vec![text.into()];
    if start_again.is_none() {
        text.push("page.slack.from_application".into());
    }
    Page {
        title,
        text,
        details: error.messages().map(str::to_owned).collect(),
        link: start_again.map(|href| Link {
            href,
            text: "page.slack.start_again",
        }),
        error_code: Some(error.code().as_str()),
        ..Page::default()
    }
}

fn href(return_target: &ReturnTarget, settings: &Settings) -> String {
    match return_target {
        ReturnTarget::Application(url) => url.as_str().to_owned(),
        ReturnTarget::Start(url, tenant) => {
            let mut start = settings.public("/api/auth/slack/start");
            start
                .query_pairs_mut()
                .append_pair("returnUrl", url.as_str())
                .extend_pairs(tenant.iter().map(|tenant| ("tenant", tenant)));
            start.into()
        }
    }
}

fn texts(code: ErrorCode) -> (&'static str, &'static str) {
    match code {
        ErrorCode::SignInExpired => ("page.slack.expired.title", "page.slack.expired.text"),
        ErrorCode::AccessDenied => ("page.slack.denied.title", "page.slack.denied.text"),
        ErrorCode::NotAllowed => (
            "page.slack.not_allowed.title",
            "page.slack.not_allowed.text",
        ),
        ErrorCode::SlackUnavailable => (
            "page.slack.not_responding.title",
            "page.slack.not_responding.text",
        ),
        ErrorCode::SlackMisconfigured | ErrorCode::SlackNotSetUp => {
            ("page.slack.not_set_up.title", "page.slack.not_set_up.text")
        }
        ErrorCode::ValidationFailed => (
            "page.slack.bad_request.title",
            "page.slack.bad_request.text",
        ),
        ErrorCode::TooManyRequests => ("page.slack.too_many.title", "page.slack.too_many.text"),
        ErrorCode::Busy | ErrorCode::Unavailable => (
            "page.slack.unavailable.title",
            "page.slack.unavailable.text",
        ),
        _ => ("page.error.internal.title", "page.error.internal.text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_offers_to_start_again_where_that_is_possible() {
        let expired = ErrorCode::SignInExpired.into();
        let with = page(&expired, Some("/there".into()));
        assert!(with.link.is_some());
        assert_eq!(with.text.len(), 1);
        let without = page(&expired, None);
        assert!(without.link.is_none());
        assert_eq!(without.text.len(), 2);
    }
}
