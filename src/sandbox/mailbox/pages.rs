//! The mailbox's HTML pages, without scripts and without resources from other hosts.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, REFERRER_POLICY,
};
use actix_web::web::{Data, Path};
use data_encoding::BASE64;
use minijinja::{Environment, Value, context};
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::received::{Received, ReceivedMail};

const STYLE: &str = include_str!("pages/style.css");

const TEMPLATES: [(&str, &str); 3] = [
    ("frame.html", include_str!("pages/frame.html")),
    ("list.html", include_str!("pages/list.html")),
    ("mail.html", include_str!("pages/mail.html")),
];

/// Allows only our style sheet, by its hash, and the frame with the e-mail.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64.encode(digest(&SHA256, STYLE.as_bytes()).as_ref());
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; frame-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
});

/// The e-mail in the frame cannot run scripts or load resources. Pages opened by its links are not sandboxed.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                           frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

/// An e-mail as the pages show it.
#[derive(Serialize)]
struct Shown<'a> {
    number: u64,
    from: String,
    to: &'a str,
    subject: &'a str,
    date: String,
    text: &'a str,
    source: &'a str,
}

impl<'a> Shown<'a> {
    fn of(received: &'a ReceivedMail) -> Self {
        let ReceivedMail {
            number,
            mail,
            source,
        } = received;
        Self {
            number: *number,
            from: mail.from.to_string(),
            to: mail.to.as_str(),
            subject: &mail.subject,
            date: mail.date.format("%-d %B %Y, %H:%M:%S UTC").to_string(),
            text: &mail.text,
            source,
        }
    }
}

pub(super) async fn list(received: Data<Received>) -> HttpResponse {
    let mails = received.list();
    let shown: Vec<Shown<'_>> = mails.iter().map(|mail| Shown::of(mail)).collect();
    page("list.html", "All e-mail", &shown)
}

pub(super) async fn mail(received: Data<Received>, number: Path<u64>) -> HttpResponse {
    match received.find(*number) {
        Some(found) => page("mail.html", &found.mail.subject, &Shown::of(&found)),
        None => missing(),
    }
}

/// The e-mail's own HTML, for the frame.
pub(super) async fn html(received: Data<Received>, number: Path<u64>) -> HttpResponse {
    let Some(found) = received.find(*number) else {
        return missing();
    };
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, MAIL_POLICY))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(found.mail.html.clone())
}

/// The source, as sent to a server.
pub(super) async fn source(received: Data<Received>, number: Path<u64>) -> HttpResponse {
    match received.find(*number) {
        Some(found) => HttpResponse::Ok()
            .insert_header(ContentType::plaintext())
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(found.source.clone()),
        None => missing(),
    }
}

fn missing() -> HttpResponse {
    HttpResponse::build(StatusCode::NOT_FOUND).finish()
}

fn page(template: &str, title: &str, page: &impl Serialize) -> HttpResponse {
    // Relative, so that it is right under any path of `PUBLIC_URL`.
    let home = match template {
        "list.html" => "mailbox",
        _ => "../mailbox",
    };
    match render(template, title, home, page) {
        Ok(html) => HttpResponse::Ok()
            .insert_header(ContentType::html())
            .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
            .insert_header((REFERRER_POLICY, "no-referrer"))
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(html),
        Err(error) => {
            tracing::error!(%error, template, "failed to render a page of the mailbox");
            HttpResponse::build(StatusCode::INTERNAL_SERVER_ERROR).finish()
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
