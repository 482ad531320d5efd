//! `GET /dev/mailbox/newest`: the newest mail as JSON, now or as soon as it is there.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::received::{Received, ReceivedMail};

/// In seconds: proxies and clients give up after a minute.
const LONGEST_WAIT: u64 = 30;

#[derive(Deserialize)]
pub struct Wanted {
    /// Whose mail; anybody's when missing.
    to: Option<String>,
    /// The number of a mail that was seen already.
    #[serde(default)]
    after: u64,
    /// Seconds.
    #[serde(default)]
    wait: u64,
}

pub async fn newest(received: Data<Received>, wanted: Query<Wanted>) -> HttpResponse {
    let to = wanted.to.as_deref().map(str::to_ascii_lowercase);
    let wait = Duration::from_secs(wanted.wait.min(LONGEST_WAIT));
    let newest = received.wait_for_newest(to.as_deref(), wanted.after);
    match timeout(wait, newest).await {
        Ok(found) => HttpResponse::Ok().json(as_json(&found)),
        Err(_) => HttpResponse::build(StatusCode::NOT_FOUND).finish(),
    }
}

fn as_json(ReceivedMail { number, mail, .. }: &ReceivedMail) -> serde_json::Value {
    // The link of a letter is on a line of its own in its text.
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
