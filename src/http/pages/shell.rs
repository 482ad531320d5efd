//! What all pages share: one look, one content security policy, and forms that need no script.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::header::{
    ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, REFERRER_POLICY,
};
use data_encoding::BASE64;
use minijinja::context;
use ring::digest::{SHA256, digest};
use serde::Serialize;

use crate::domain::Email;
use crate::http::error::ApiError;
use crate::texts::{Text, Texts};

const STYLE: &str = include_str!("shell.css");
const TEMPLATE: &str = include_str!("shell.html");

/// Nothing but our one style sheet, known by its hash, and forms to ourselves (CSP Level 3).
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64.encode(digest(&SHA256, STYLE.as_bytes()).as_ref());
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    )
});

/// A page. Its texts are keys of `texts/en.json` until it is rendered.
#[derive(Default, Serialize)]
pub(crate) struct Page {
    pub title: &'static str,
    /// Paragraphs.
    pub text: Vec<Text>,
    /// Values of others, set apart from our own text.
    pub details: Vec<String>,
    /// What is wrong with the form that was sent.
    pub fault: Option<&'static str>,
    /// The same in the API's own words.
    pub messages: Vec<String>,
    pub form: Option<Form>,
    /// Where to go next, as prominent as a button.
    pub link: Option<Link>,
    /// Another way, less prominent.
    pub other_link: Option<Link>,
    pub footnote: Option<&'static str>,
    pub error_code: Option<&'static str>,
}

/// A form that is posted to one of our pages.
#[derive(Serialize)]
pub(crate) struct Form {
    /// Relative to the page, so that it is right under any path of `PUBLIC_URL`.
    pub action: &'static str,
    /// Names and values of hidden fields.
    pub hidden: Vec<(&'static str, String)>,
    pub fields: Vec<Field>,
    pub button: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Field {
    pub name: &'static str,
    pub label: &'static str,
    /// The `type` of the input.
    pub kind: &'static str,
    pub autocomplete: &'static str,
    pub hint: Option<Text>,
    pub value: String,
}

impl Field {
    /// Whose password the field after it asks for or sets: shown for password managers, and not to be changed.
    pub(crate) fn username(email: &Email) -> Self {
        Self {
            name: "username",
            label: "page.link.email",
            kind: "email",
            autocomplete: "username",
            hint: None,
            value: email.as_str().to_owned(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Link {
    pub href: String,
    pub text: &'static str,
}

/// How an error is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preferred {
    Page,
    Json,
}

impl Preferred {
    /// JSON only for clients that ask for it and not for pages.
    pub(crate) fn by_most(headers: &HeaderMap) -> Self {
        if accepts(headers, "application/json") && !accepts(headers, "text/html") {
            Self::Json
        } else {
            Self::Page
        }
    }

    /// A page only for clients that ask for pages, as browsers do.
    pub(crate) fn by_browsers(headers: &HeaderMap) -> Self {
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

impl Page {
    /// Answers 200 with the page.
    pub(crate) fn answer(&self) -> HttpResponse {
        self.body_of(HttpResponse::Ok().finish())
    }

    /// The error's own answer, with the page as its body.
    pub(crate) fn refusal(&self, error: ApiError) -> HttpResponse {
        self.body_of(HttpResponse::from_error(error))
    }

    fn body_of(&self, answer: HttpResponse) -> HttpResponse {
        let page = match self.render() {
            Ok(page) => page,
            Err(error) => {
                return HttpResponse::from_error(ApiError::internal(format!("a page: {error}")));
            }
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

    fn render(&self) -> Result<String, minijinja::Error> {
        let mut environment = Texts::english().environment();
        environment.add_template("shell.html", TEMPLATE)?;
        environment
            .get_template("shell.html")?
            .render(context! { style => STYLE, page => self })
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
    fn programs_get_json_and_browsers_get_a_page() {
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
    fn a_page_is_escaped_and_loads_nothing() {
        let evil = r#"<script>alert(1)</script>"onclick="x"#;
        let page = Page {
            title: "page.reset_password.title",
            text: vec![Text::new("page.invitation.new_account").with("email", evil)],
            details: vec![evil.to_owned()],
            fault: Some("page.invitation.wrong_password"),
            messages: vec![evil.to_owned()],
            form: Some(Form {
                action: "page",
                hidden: vec![("token", evil.to_owned())],
                fields: vec![Field {
                    name: "email",
                    label: "page.link.email",
                    kind: "email",
                    autocomplete: "email",
                    hint: Some(Text::new("page.reset_password.hint").with("min_length", evil)),
                    value: evil.to_owned(),
                }],
                button: "page.link.send",
            }),
            link: Some(Link {
                href: evil.to_owned(),
                text: "page.link.to_application",
            }),
            other_link: Some(Link {
                href: evil.to_owned(),
                text: "page.link.to_application",
            }),
            footnote: Some("page.link.sent.footnote"),
            error_code: Some("busy"),
        };
        let page = page.render().unwrap();
        for bad in ["<script", "\"onclick", "<link", "<img", "@import", "url("] {
            assert!(!page.contains(bad), "{bad} in {page}");
        }
        assert_eq!(page.matches("&lt;script&gt;").count(), 8, "{page}");
    }

    #[test]
    fn words_without_a_break_wrap_on_every_page() {
        let body = STYLE.lines().find(|line| line.starts_with("body {"));
        assert!(body.unwrap().contains("overflow-wrap: anywhere;"));
    }

    #[test]
    fn a_page_has_no_empty_elements() {
        let page = Page {
            title: "page.sign_out.title",
            ..Page::default()
        };
        let page = page.render().unwrap();
        assert!(page.contains("<h1>Sign out</h1>"), "{page}");
        for absent in ["<form", "<a ", "role=\"alert\"", "<label"] {
            assert!(!page.contains(absent), "{absent} in {page}");
        }
    }
}
