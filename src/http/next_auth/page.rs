//! The sign-in and sign-out pages: they look like our other pages, work without script, and load nothing.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, REFERRER_POLICY, SET_COOKIE,
};
use data_encoding::BASE64;
use minijinja::{Value, context};
use ring::digest::{SHA256, digest};
use url::Url;

use super::csrf;
use crate::http::error::ApiError;
use crate::http::settings::Settings;
use crate::service::Services;
use crate::texts::Texts;

const STYLE: &str = concat!(include_str!("../pages/shell.css"), include_str!("page.css"));
const TEMPLATE: &str = include_str!("page.html");

static STYLE_HASH: LazyLock<String> =
    LazyLock::new(|| BASE64.encode(digest(&SHA256, STYLE.as_bytes()).as_ref()));

/// Renders a page whose form may redirect to `onward`.
pub(super) fn answer(
    onward: &Url,
    values: Value,
    headers: &HeaderMap,
    (services, settings): (&Services, &Settings),
) -> Result<HttpResponse, ApiError> {
    let (csrf_token, cookie) = csrf::token(headers, services, settings);
    let values = context! { csrf_token, style => STYLE, callback_url => onward.as_str(), ..values };
    let page = render(values)
        .map_err(|error| ApiError::internal(format!("a page cannot be rendered: {error}")))?;
    let mut response = HttpResponse::Ok();
    if let Some(cookie) = cookie {
        response.insert_header((SET_COOKIE, cookie));
    }
    Ok(response
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, policy(onward, settings)))
        // The form's request needs a Referer, and no other site may get one.
        .insert_header((REFERRER_POLICY, "same-origin"))
        .body(page))
}

fn render(values: Value) -> Result<String, minijinja::Error> {
    let mut environment = Texts::english().environment();
    environment.add_template("page.html", TEMPLATE)?;
    environment.get_template("page.html")?.render(values)
}

/// Only our one style sheet, and a form that is sent to us and redirected to `onward`: browsers apply `form-action` to
/// redirects as well (CSP Level 3).
fn policy(onward: &Url, settings: &Settings) -> String {
    let own = settings.public_url.origin().ascii_serialization();
    let onward = match onward.scheme() {
        "http" | "https" => onward.origin().ascii_serialization(),
        // The origin of a hybrid app (`capacitor://localhost`) is opaque to CSP.
        scheme => format!("{scheme}:"),
    };
    let style = STYLE_HASH.as_str();
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; \
         form-action 'self' {own} {onward}; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::settings::tests::settings;

    #[test]
    fn the_form_may_redirect_to_a_hybrid_app() {
        let settings = settings("https://example.com/id");
        for (onward, allowed) in [
            ("https://app.example.net/orders", "https://app.example.net"),
            ("capacitor://localhost/orders", "capacitor:"),
        ] {
            let policy = policy(&onward.parse().unwrap(), &settings);
            let expected = format!("form-action 'self' https://example.com {allowed}; ");
            assert!(policy.contains(&expected), "{policy}");
        }
    }

    #[test]
    fn a_page_is_escaped_and_loads_nothing() {
        let evil = r#"https://a.example/"><script>alert(1)</script>"#;
        let page = render(context! {
            title => "page.sign_in.title", error => "page.sign_in.error.other",
            callback_url => evil, csrf_token => evil, action => evil, slack => evil,
            asks_who => true, asks_for_code => true, tenant => evil, email => evil,
        });
        let page = page.unwrap();
        for bad in ["<script", "<link", "<img", "@import", "url("] {
            assert!(!page.contains(bad), "{bad} in {page}");
        }
    }
}
