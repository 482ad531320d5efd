//! `GET /docs`, the reference page, and `GET /`, which redirects to it.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, LOCATION, REFERRER_POLICY,
};
use actix_web::web::Data;
use data_encoding::BASE64;
use minijinja::{Environment, HtmlEscape, Value};
use ring::digest::{SHA256, digest};

use super::reference_page::{self, ReferencePage};
use crate::http::error::ApiError;
use crate::http::settings::Settings;

const STYLE: &str = include_str!("docs.css");
const TEMPLATE: &str = include_str!("docs.html");

/// Only our own style sheet, identified by its hash (CSP Level 3).
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64.encode(digest(&SHA256, STYLE.as_bytes()).as_ref());
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
});

/// Redirect to the reference page
#[utoipa::path(
    get,
    path = "/",
    tag = "Operations",
    responses((status = 302, description = "Redirects to `/docs`.", headers(("Location" = String))))
)]
pub(crate) async fn front_door(settings: Data<Settings>) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, settings.public("/docs").path()))
        .finish()
}

/// This contract for people
#[utoipa::path(
    get,
    path = "/docs",
    tag = "Operations",
    responses((status = 200, description = "This page.", content_type = "text/html", body = String))
)]
pub(crate) async fn docs(settings: Data<Settings>) -> Result<HttpResponse, ApiError> {
    let page = match settings.reference_page.get() {
        Some(page) => page,
        None => {
            let page = render(&reference_page::build(&settings.public_url))
                .map_err(|error| ApiError::internal(format!("reference page: {error}")))?;
            settings.reference_page.get_or_init(|| page.into())
        }
    };
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(page.clone()))
}

fn render(page: &ReferencePage) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.add_filter("prose", prose);
    environment.add_template("docs.html", TEMPLATE)?;
    environment
        .get_template("docs.html")?
        .render(minijinja::context! { style => STYLE, page => page })
}

/// Escapes text and marks what is between backticks as code.
fn prose(text: &str) -> Value {
    let mut html = String::new();
    for (i, part) in text.split('`').enumerate() {
        let part = HtmlEscape(part);
        html += &if i % 2 == 1 {
            format!("<code>{part}</code>")
        } else {
            part.to_string()
        };
    }
    Value::from_safe_string(html)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        let url = "https://id.example.com/".parse().unwrap();
        render(&reference_page::build(&url)).unwrap()
    }

    #[test]
    fn prose_is_escaped_and_its_code_is_marked() {
        assert_eq!(prose("a <b> `c`").to_string(), "a &lt;b&gt; <code>c</code>");
    }

    #[test]
    fn the_page_loads_nothing_from_anywhere() {
        let page = page();
        for loader in ["<script", "<link", "<img", "<iframe", "@import", "url("] {
            assert!(!page.contains(loader), "{loader}");
        }
    }

    #[test]
    fn the_page_shows_every_route_and_calls_it_by_the_public_url() {
        let page = page().replace("&#x2f;", "/");
        for (path, methods) in crate::http::routes::REGISTERED {
            assert!(page.contains(path), "{path}");
            for method in *methods {
                assert!(page.contains(&method.to_uppercase()), "{method} {path}");
            }
        }
        assert!(page.contains("curl https://id.example.com/api/auth/login"));
    }
}
