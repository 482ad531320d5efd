//! The sandbox's HTML pages, without scripts and without resources from other hosts.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, REFERRER_POLICY,
};
use data_encoding::BASE64;
use minijinja::{Environment, Value, context};
use ring::digest::{SHA256, digest};
use serde::Serialize;
use url::Url;

use super::answer::failing;
use super::flow::Flow;
use super::parameters::Parameters;
use super::persona::Persona;

/// The answer of a person who does not agree.
pub(super) const DENY: &str = "deny";

const STYLE: &str = include_str!("pages/style.css");

const TEMPLATES: [(&str, &str); 4] = [
    ("frame.html", include_str!("pages/frame.html")),
    ("consent.html", include_str!("pages/consent.html")),
    ("error.html", include_str!("pages/error.html")),
    ("panel.html", include_str!("pages/panel.html")),
];

/// Allows only our style sheet, by its hash, and forms to our own origin.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64.encode(digest(&SHA256, STYLE.as_bytes()).as_ref());
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    )
});

/// The consent page uses links instead of a form, because browsers may apply `form-action` to the redirects that
/// follow a form.
#[derive(Serialize)]
pub(super) struct ConsentPage {
    /// The origin that the browser returns to.
    back_to: String,
    scopes: Vec<RequestedScope>,
    personas: Vec<PersonaCard>,
    deny: String,
}

#[derive(Serialize)]
struct RequestedScope {
    name: &'static str,
    meaning: &'static str,
}

/// A persona as the pages show them.
#[derive(Serialize)]
pub(super) struct PersonaCard {
    key: &'static str,
    shows: &'static str,
    name: &'static str,
    initials: String,
    email: Option<&'static str>,
    workspace: &'static str,
    user_id: &'static str,
    allow: Option<String>,
}

#[derive(Serialize)]
pub(super) struct ErrorPage {
    pub why: String,
    pub hint: String,
    /// The registered redirect URIs, if the error is about the redirect URI.
    pub registered: Vec<String>,
}

impl ConsentPage {
    pub(super) fn new(
        flow: Flow,
        scopes: &[String],
        redirect_uri: &Url,
        personas: &[Persona],
        query: &Parameters,
    ) -> Self {
        let is_requested = |name: &str| scopes.iter().any(|scope| scope == name);
        Self {
            back_to: redirect_uri.origin().ascii_serialization(),
            scopes: flow
                .scopes()
                .iter()
                .filter(|(name, _)| is_requested(name))
                .map(|&(name, meaning)| RequestedScope { name, meaning })
                .collect(),
            personas: personas
                .iter()
                .map(|persona| PersonaCard {
                    allow: Some(query.answered_as(persona.key)),
                    ..PersonaCard::of(persona)
                })
                .collect(),
            deny: query.answered_as(DENY),
        }
    }
}

impl PersonaCard {
    pub(super) fn of(persona: &Persona) -> Self {
        let workspace = persona.workspace;
        Self {
            key: persona.key,
            shows: persona.shows,
            name: persona.name,
            initials: persona
                .name
                .split_whitespace()
                .take(2)
                .filter_map(|word| word.chars().next())
                .collect(),
            email: persona.email,
            workspace: workspace
                .enterprise
                .map_or(workspace.name, |enterprise| enterprise.name),
            user_id: persona.user_id,
            allow: None,
        }
    }
}

pub(super) fn consent(page: &ConsentPage) -> HttpResponse {
    show(HttpResponse::Ok(), "consent.html", "Who are you?", page)
}

pub(super) fn error(page: &ErrorPage) -> HttpResponse {
    show(
        failing(StatusCode::BAD_REQUEST),
        "error.html",
        "This sign-in cannot start",
        page,
    )
}

pub(super) fn panel(page: &impl Serialize) -> HttpResponse {
    show(
        HttpResponse::Ok(),
        "panel.html",
        "Settings and faults",
        page,
    )
}

fn show(
    mut response: actix_web::HttpResponseBuilder,
    template: &str,
    title: &str,
    page: &impl Serialize,
) -> HttpResponse {
    // Relative, so that it is right under any path of `PUBLIC_URL`.
    let home = match template {
        "panel.html" => "slack",
        _ => "../../../slack",
    };
    match render(template, title, home, page) {
        Ok(html) => response
            .insert_header(ContentType::html())
            .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
            .insert_header((REFERRER_POLICY, "no-referrer"))
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(html),
        Err(error) => {
            failing(StatusCode::INTERNAL_SERVER_ERROR).body(format!("{template}: {error}"))
        }
    }
}

/// Renders the page first and then the frame around it, so that the two share no template variables.
fn render(
    template: &str,
    title: &str,
    home: &str,
    page: &impl Serialize,
) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    let inside = environment
        .get_template(template)?
        .render(context! { page => page, home => home })?;
    environment.get_template("frame.html")?.render(context! {
        title => title,
        style => STYLE,
        home => home,
        inside => Value::from_safe_string(inside),
    })
}
