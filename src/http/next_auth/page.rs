//! The two pages of this dialect: they look as our others do, work without script, and load nothing.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, REFERRER_POLICY, SET_COOKIE,
};
use data_encoding::BASE64;
use minijinja::{Environment, Value, context};
use ring::digest::{SHA256, digest};
use url::Url;

use super::csrf;
use crate::http::error::ApiError;
use crate::http::settings::Settings;
use crate::service::Services;

const STYLE: &str = concat!(include_str!("../pages/shell.css"), include_str!("page.css"));
const TEMPLATE: &str = include_str!("page.html");

static STYLE_HASH: LazyLock<String> =
    LazyLock::new(|| BASE64.encode(digest(&SHA256, STYLE.as_bytes()).as_ref()));

/// Renders a page with a form that may lead on to `onward`.
pub fn answer(
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
        // What a form sends shall say whose it is, and to nobody else.
        .insert_header((REFERRER_POLICY, "same-origin"))
        .body(page))
}

fn render(values: Value) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.add_template("page.html", TEMPLATE)?;
    environment.get_template("page.html")?.render(values)
}

/// Nothing but our one style sheet, and a form that goes to us and on from there: browsers hold redirects to
/// it as well (CSP Level 3).
fn policy(onward: &Url, settings: &Settings) -> String {
    let own = settings.public_url.origin().ascii_serialization();
    let onward = onward.origin().ascii_serialization();
    let style = STYLE_HASH.as_str();
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; \
         form-action {own} {onward}; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_escaped_and_loads_nothing() {
        let evil = r#"https://a.example/"><script>alert(1)</script>"#;
        let page = render(context! {
            callback_url => evil, csrf_token => evil, action => evil, slack => evil, error => evil,
            asks_who => true, asks_for_code => true,
        });
        let page = page.unwrap();
        for bad in ["<script", "<link", "<img", "@import", "url("] {
            assert!(!page.contains(bad), "{bad} in {page}");
        }
    }
}
