//! Webhooks, without their secrets.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use url::{Host, Url};

use super::names::WebhookName;
use super::public_address::is_public;
use super::typed::trimmed;
use super::violation::ValidationError;
use super::webhook_event::ChosenEvents;
use super::{OrganizationId, UserId, WebhookEventId, WebhookId};

/// How many webhooks an organization may have.
pub const MAX_WEBHOOKS: i64 = 20;

/// In bytes, as sent.
const MAX_URL: usize = 2048;

/// Where an organization is told what happens to its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub organization_id: OrganizationId,
    /// The admin with whose role it ends.
    pub owner_id: UserId,
    pub name: Option<WebhookName>,
    pub url: WebhookUrl,
    pub events: ChosenEvents,
    pub created_at: DateTime<Utc>,
    /// Since when every try has failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// When and why it was switched off.
    pub disabled: Option<(DateTime<Utc>, SwitchedOff)>,
}

/// Why a webhook is told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchedOff {
    ByAnAdmin,
    /// The receiver answered 410.
    Gone,
    /// Nothing was delivered while an event was tried until it was given up.
    Failing,
}

impl SwitchedOff {
    const ALL: [Self; 3] = [Self::ByAnAdmin, Self::Gone, Self::Failing];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ByAnAdmin => "by_an_admin",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == word)
    }
}

/// An event for a webhook, and how its delivery goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The `webhook-id`.
    pub id: WebhookEventId,
    /// By its name, because a newer version may have written it.
    pub event: String,
    pub at: DateTime<Utc>,
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i32,
    /// The status of the last answer.
    pub last_status: Option<i32>,
    /// Why the last try failed.
    pub last_error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    Waiting { next_attempt_at: DateTime<Utc> },
    Delivered(DateTime<Utc>),
    GivenUp(DateTime<Utc>),
}

/// An absolute URL without credentials and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

impl WebhookUrl {
    /// # Errors
    /// `invalid_url`, `too_long`, or `credentials_in_url`.
    pub fn parse(text: &str) -> Result<Self, ValidationError> {
        let refused = |code, why| Err(ValidationError::new(code, why));
        let Ok(mut url) = Url::parse(trimmed(text)) else {
            let why = "Please enter an absolute URL such as https://example.com/hooks.";
            return refused("invalid_url", why);
        };
        if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none_or(str::is_empty) {
            return refused(
                "invalid_url",
                "Please enter a URL that starts with https://.",
            );
        }
        if !url.username().is_empty() || url.password().is_some() {
            let why = "Please leave out user name and password: verify the signature instead.";
            return refused("credentials_in_url", why);
        }
        url.set_fragment(None);
        if url.as_str().len() > MAX_URL {
            return refused("too_long", "Please use at most 2048 characters.");
        }
        Ok(Self(url))
    }

    /// # Errors
    /// When the stored text is no such URL.
    pub fn from_stored(text: &str) -> Result<Self, ValidationError> {
        Self::parse(text)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn url(&self) -> &Url {
        &self.0
    }

    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Where it leads, as far as the text tells: a name has to be looked up.
    pub fn place(&self) -> Place<'_> {
        match self.0.host() {
            Some(Host::Ipv4(address)) => Place::of(address.into()),
            Some(Host::Ipv6(address)) => Place::of(address.into()),
            Some(Host::Domain(name)) => Place::Named(name),
            None => Place::NotPublic,
        }
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// See [`WebhookUrl::place`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    Public,
    NotPublic,
    Named(&'a str),
}

impl Place<'_> {
    fn of(address: IpAddr) -> Self {
        if is_public(address) {
            Self::Public
        } else {
            Self::NotPublic
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_absolute_http_without_credentials() {
        let code = |text: &str| WebhookUrl::parse(text).unwrap_err().code;
        for text in [
            "",
            "example.com",
            "/hooks",
            "ftp://example.com",
            "https://",
            "file:///etc/passwd",
        ] {
            assert_eq!(code(text), "invalid_url", "{text}");
        }
        for text in [
            "https://ada@example.com",
            "https://:x@example.com/",
            "https://ada:x@example.com",
        ] {
            assert_eq!(code(text), "credentials_in_url", "{text}");
        }
        assert_eq!(
            code(&format!("https://example.com/{}", "a".repeat(2048))),
            "too_long"
        );
        let url = WebhookUrl::parse(" https://example.com:8443/hooks?a=b#c ").unwrap();
        assert_eq!(url.as_str(), "https://example.com:8443/hooks?a=b");
    }

    #[test]
    fn every_spelling_of_an_address_is_seen_as_one() {
        let place = |text: &str| match WebhookUrl::parse(text).unwrap().place() {
            Place::Public => "public",
            Place::NotPublic => "not public",
            Place::Named(_) => "a name",
        };
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "169.254.169.254",
            "①②⑦.0.0.1",
            "127.0.0.1.",
        ] {
            assert_eq!(place(&format!("https://{host}/")), "not public", "{host}");
        }
        assert_eq!(place("https://1.1.1.1/"), "public");
        assert_eq!(place("https://[2606:4700::1111]/"), "public");
        assert_eq!(place("https://localhost/"), "a name");
    }
}
