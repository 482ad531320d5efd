//! Sending events to webhooks.

use futures_util::future::BoxFuture;

use crate::domain::WebhookUrl;

/// A POST with a JSON body, and the headers of Standard Webhooks.
pub struct SignedRequest<'a> {
    pub url: &'a WebhookUrl,
    /// `webhook-id`
    pub id: String,
    /// `webhook-timestamp`, in seconds since 1970.
    pub timestamp: i64,
    /// `webhook-signature`
    pub signature: String,
    /// What was signed, byte for byte.
    pub body: String,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The receiver answered with this status.
    Status {
        status: u16,
        /// Seconds, if it says when to try again.
        retry_after: Option<u32>,
    },
    /// It did not answer. The reason names no address, because admins of an organization read it.
    Nothing(&'static str),
}

/// Why nothing is sent to a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inadmissible {
    NotEncrypted,
    /// Its host is no name of the public internet, or leads elsewhere as well.
    NotPublic,
}

/// Sends to public addresses, unless the operator allows others, each time within 15 seconds.
pub trait WebhookSender: Send + Sync + 'static {
    /// Whether a request to this URL would be sent.
    ///
    /// # Errors
    /// Says why not.
    fn admit<'a>(&'a self, url: &'a WebhookUrl) -> BoxFuture<'a, Result<(), Inadmissible>>;

    /// Connects only to addresses that were checked, and follows no redirect.
    fn send<'a>(&'a self, request: &'a SignedRequest<'a>) -> BoxFuture<'a, Answer>;
}
