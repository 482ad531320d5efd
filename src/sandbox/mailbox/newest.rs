//! `GET /dev/mailbox/newest`: the newest e-mail as JSON, waiting for it if asked to.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::received::{Received, ReceivedMail};

/// In seconds; proxies and clients often give up after a minute.
const LONGEST_WAIT: u64 = 30;

#[derive(Deserialize)]
pub(super) struct Wanted {
    /// The recipient; any recipient if missing.
    to: Option<String>,
    /// Only e-mails with a higher number count.
    #[serde(default)]
    after: u64,
    /// How many seconds to wait.
    #[serde(default)]
    wait: u64,
}

pub(super) async fn newest(received: Data<Received>, wanted: Query<Wanted>) -> HttpResponse {
    let to = wanted.to.as_deref().map(str::to_ascii_lowercase);
    let wait = Duration::from_secs(wanted.wait.min(LONGEST_WAIT));
    let newest = received.wait_for_newest(to.as_deref(), wanted.after);
    match timeout(wait, newest).await {
        Ok(found) => HttpResponse::Ok().json(as_json(&found)),
        Err(_) => HttpResponse::build(StatusCode::NOT_FOUND).finish(),
    }
}

fn as_json(ReceivedMail { number, mail, .. }: &ReceivedMail) -> serde_json::Value {
    // Our templates put the link on a line of its own.
    let link = mail
        .text
        .lines()
        .find(|line| line.starts_with("http") && line.contains("?token="));
    json!({
        "id": number,
        "messageId": format!("<{}@{}>", mail.id, mail.host),
        "date": mail.date,
        "from": mail.from.to_string(),
        "to": mail.to.as_str(),
        "subject": mail.subject,
        "link": link,
        "text": mail.text,
        "html": mail.html,
    })
}
