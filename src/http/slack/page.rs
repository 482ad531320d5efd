//! The page for people whose sign-in cannot go on, on our own origin: what happened, and where to begin.

use actix_web::HttpResponse;

use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;
use crate::http::pages::shell::{Link, Page, Preferred};
use crate::http::settings::Settings;
use crate::service::slack::ReturnTarget;

/// The error's own answer, and for people its page.
pub fn refusal(
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
    let (title, text) = words(error.code());
    let mut text = vec![text.into()];
    if start_again.is_none() {
        text.push("Go back to the application and sign in from there.".into());
    }
    Page {
        title,
        text,
        details: error.messages().map(str::to_owned).collect(),
        link: start_again.map(|href| Link {
            href,
            text: "Start again",
        }),
        footnote: Some(error.code().as_str().into()),
        ..Page::default()
    }
}

fn href(return_target: &ReturnTarget, settings: &Settings) -> String {
    match return_target {
        ReturnTarget::Application(url) => url.as_str().to_owned(),
        ReturnTarget::Start(url) => {
            let mut start = settings.public("/api/auth/slack/start");
            start
                .query_pairs_mut()
                .append_pair("returnUrl", url.as_str());
            start.into()
        }
    }
}

/// For people who have never heard of a state.
fn words(code: ErrorCode) -> (&'static str, &'static str) {
    match code {
        ErrorCode::SignInExpired => (
            "This sign-in is over",
            "It took more than ten minutes, was finished already, or began in another browser. \
             You can start again at any time.",
        ),
        ErrorCode::AccessDenied => (
            "You are not signed in",
            "You said no at Slack, so Slack told us nothing about you.",
        ),
        ErrorCode::NotAllowed => (
            "You cannot sign in here",
            "Slack or this service keeps you out. Ask an administrator of your workspace.",
        ),
        ErrorCode::SlackUnavailable => (
            "Slack does not answer",
            "That is usually over in a few minutes. Please try again then.",
        ),
        ErrorCode::SlackMisconfigured | ErrorCode::SlackNotSetUp => (
            "Sign-in with Slack is not ready",
            "Something has to be set up first. Please tell whoever runs this service.",
        ),
        ErrorCode::ValidationFailed => (
            "This link is not right",
            "The application that sent you here asked for something that is not allowed:",
        ),
        ErrorCode::Busy | ErrorCode::Unavailable => (
            "We cannot sign you in right now",
            "Something that this service depends on does not answer. Please try again in a moment.",
        ),
        _ => (
            "Something went wrong",
            "That is our fault, and it has been written down. Please try again.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_offers_to_start_again_when_there_is_somewhere_to_start() {
        let expired = ErrorCode::SignInExpired.into();
        let with = page(&expired, Some("/there".into()));
        assert_eq!(with.link.unwrap().text, "Start again");
        let without = page(&expired, None);
        assert!(without.link.is_none());
        assert!(without.text.iter().any(|text| text.contains("application")));
    }
}
