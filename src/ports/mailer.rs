//! Sending e-mails.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use crate::domain::ids::EmailId;
use crate::domain::{Email, MailSender};

/// A rendered e-mail. It may contain a one-time token, so it cannot be printed.
#[derive(Clone)]
pub struct Mail {
    /// The id in the outbox; a second copy of the e-mail has the same one.
    pub id: EmailId,
    /// The right side of the `Message-ID` (RFC 5322 §3.6.4).
    pub host: String,
    /// When the e-mail was queued.
    pub date: DateTime<Utc>,
    pub from: MailSender,
    pub to: Email,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Why an e-mail was not accepted. It is logged and stored, so it contains no addresses and none of the server's
/// text, which may repeat them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendFailure {
    /// A later attempt may succeed.
    #[error("{0}")]
    Transient(String),
    /// The e-mail will never be accepted.
    #[error("{0}")]
    Permanent(String),
}

/// Hands over e-mails to a server, each within 90 seconds.
pub trait Mailer: Send + Sync + 'static {
    /// Returns `Ok` once the server has taken responsibility for the e-mail.
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), SendFailure>>;
}
