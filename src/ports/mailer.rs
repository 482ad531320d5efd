//! Mail on its way out.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use crate::domain::ids::EmailId;
use crate::domain::{Email, MailSender};

/// A mail as its recipient shall see it. It may hold a one-time token, so it cannot be printed.
#[derive(Clone)]
pub struct Mail {
    /// Of the letter it was made from; a second copy of the mail has the same.
    pub id: EmailId,
    /// Where the id was given: the right side of the `Message-ID` (RFC 5322 §3.6.4).
    pub host: String,
    /// When the letter was written.
    pub date: DateTime<Utc>,
    pub from: MailSender,
    pub to: Email,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Why a mail was not taken: for the log and the database, so without addresses and without the server's words,
/// which repeat them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendFailure {
    /// Another time it may go well.
    #[error("{0}")]
    Transient(String),
    /// This mail will never be taken.
    #[error("{0}")]
    Permanent(String),
}

/// Hands mail over, within a minute and a half.
pub trait Mailer: Send + Sync + 'static {
    /// `Ok` once somebody else answers for the mail.
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), SendFailure>>;
}
