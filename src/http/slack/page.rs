//! The page for people whose sign-in cannot go on, on our own origin: what happened, and where to begin.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::header::{
    ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, REFERRER_POLICY,
};
use data_encoding::BASE64;
use minijinja::{Environment, context};
use ring::digest::{SHA256, digest};

use super::public;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;
use crate::http::settings::Settings;
use crate::service::slack::WayBack;

const STYLE: &str = include_str!("page.css");
const TEMPLATE: &str = include_str!("page.html");

/// Nothing but our one style sheet, known by its hash (CSP Level 3).
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64.encode(digest(&SHA256, STYLE.as_bytes()).as_ref());
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

/// What an error is told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preferred {
    Page,
    Json,
}

impl Preferred {
    /// JSON for those alone who ask for it and not for pages.
    pub fn by_most(headers: &HeaderMap) -> Self {
        if accepts(headers, "application/json") && !accepts(headers, "text/html") {
            Self::Json
        } else {
            Self::Page
        }
    }

    /// A page for those alone who ask for pages, as browsers do.
    pub fn by_browsers(headers: &HeaderMap) -> Self {
        if accepts(headers, "text/html") {
            Self::Page
        } else {
            Self::Json
        }
    }
}

fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    headers
        .get_all(ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case(media_type))
}

/// The error's own answer, and for people its page.
pub fn refusal(
    error: ApiError,
    preferred: Preferred,
    settings: &Settings,
    way_back: Option<Box<WayBack>>,
) -> HttpResponse {
    let code = error.code();
    let details: Vec<String> = error.messages().map(str::to_owned).collect();
    let answer = HttpResponse::from_error(error);
    if preferred == Preferred::Json {
        return answer;
    }
    let Ok(page) = render(code, &details, way_back.map(|way| href(&way, settings))) else {
        return answer;
    };
    let mut answer = answer.set_body(BoxBody::new(page));
    let headers = answer.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

fn href(way_back: &WayBack, settings: &Settings) -> String {
    match way_back {
        WayBack::Application(url) => url.as_str().to_owned(),
        WayBack::Start(url) => {
            let mut start = public(settings, "/api/auth/slack/start");
            start
                .query_pairs_mut()
                .append_pair("returnUrl", url.as_str());
            start.into()
        }
    }
}

fn render(
    code: ErrorCode,
    details: &[String],
    start_again: Option<String>,
) -> Result<String, minijinja::Error> {
    let (title, text) = words(code);
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.add_template("page.html", TEMPLATE)?;
    environment.get_template("page.html")?.render(context! {
        style => STYLE,
        title,
        text,
        details,
        start_again,
        code => code.as_str(),
    })
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

    fn headers(accept: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        headers
    }

    #[test]
    fn programs_are_told_in_json_and_people_by_a_page() {
        const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(Preferred::by_most(&headers(BROWSER)), Preferred::Page);
        assert_eq!(Preferred::by_most(&headers("*/*")), Preferred::Page);
        assert_eq!(Preferred::by_most(&HeaderMap::new()), Preferred::Page);
        assert_eq!(
            Preferred::by_most(&headers("application/json;q=1")),
            Preferred::Json
        );
        assert_eq!(Preferred::by_browsers(&headers(BROWSER)), Preferred::Page);
        assert_eq!(Preferred::by_browsers(&headers("*/*")), Preferred::Json);
    }

    #[test]
    fn the_page_is_escaped_and_loads_nothing() {
        let details = ["<script>alert(1)</script> is not in the list".to_owned()];
        let evil = r#"https://a.example/"onclick="x"#.to_owned();
        let page = render(ErrorCode::ValidationFailed, &details, Some(evil)).unwrap();
        for bad in ["<script", "\"onclick", "<link", "<img", "@import", "url("] {
            assert!(!page.contains(bad), "{bad} in {page}");
        }
        assert!(page.contains("&lt;script&gt;"), "{page}");
    }

    #[test]
    fn the_page_offers_to_start_again_when_there_is_somewhere_to_start() {
        let with = render(ErrorCode::SignInExpired, &[], Some("/there".into())).unwrap();
        assert!(with.contains("Start again"), "{with}");
        let without = render(ErrorCode::SignInExpired, &[], None).unwrap();
        assert!(!without.contains("<a "), "{without}");
        assert!(without.contains("application"), "{without}");
    }
}
