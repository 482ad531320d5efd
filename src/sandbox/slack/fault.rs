//! The faults that the sandbox can inject, and those that are set.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::endpoint::Endpoint;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 429.
    RateLimited { retry_after: bool, body: bool },
    /// 500 with an HTML page.
    ServerError,
    /// 200 with an HTML page.
    Html,
    /// The regular response, cut in half.
    Truncated,
    /// `{"ok":false}` and no error.
    NotOk,
    /// `{"ok":false,"error":…}`.
    Error(Cow<'static, str>),
    /// 302 to a URL that clients must not request.
    Redirect,
    /// Ten seconds without a byte, then the connection is closed.
    Silence,
    /// The connection is closed before the first byte.
    Reset,
    /// The regular response, padded to 10 MB.
    Oversize,
    /// The regular response, with a flawed ID token.
    IdToken(Flaw),
}

/// Flaws of an ID token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    WrongAudience,
    WrongIssuer,
    WrongNonce,
    /// Unsigned, with `alg: none`.
    AlgNone,
    /// Signed with the client secret.
    Hs256,
    Expired,
    UnknownKid,
    /// Signed over other data.
    BadSignature,
}

/// The faults with their names and descriptions. `error:<name>` is also valid.
pub(super) const NAMED: &[(&str, Fault, &str)] = &[
    (
        "rate_limited",
        Fault::RateLimited {
            retry_after: true,
            body: true,
        },
        "429 with Retry-After",
    ),
    (
        "rate_limited_without_body",
        Fault::RateLimited {
            retry_after: true,
            body: false,
        },
        "429, no body",
    ),
    (
        "rate_limited_without_retry_after",
        Fault::RateLimited {
            retry_after: false,
            body: true,
        },
        "429, no Retry-After",
    ),
    (
        "rate_limited_bare",
        Fault::RateLimited {
            retry_after: false,
            body: false,
        },
        "429, neither",
    ),
    ("server_error", Fault::ServerError, "500"),
    ("html", Fault::Html, "200, but HTML"),
    ("truncated", Fault::Truncated, "JSON cut in half"),
    ("not_ok", Fault::NotOk, "not ok, no error"),
    ("redirect", Fault::Redirect, "302 elsewhere"),
    ("silence", Fault::Silence, "10 s of silence"),
    ("reset", Fault::Reset, "connection lost"),
    ("oversize", Fault::Oversize, "10 MB body"),
    (
        "id_token_wrong_aud",
        Fault::IdToken(Flaw::WrongAudience),
        "wrong aud",
    ),
    (
        "id_token_wrong_iss",
        Fault::IdToken(Flaw::WrongIssuer),
        "wrong iss",
    ),
    (
        "id_token_wrong_nonce",
        Fault::IdToken(Flaw::WrongNonce),
        "wrong nonce",
    ),
    (
        "id_token_alg_none",
        Fault::IdToken(Flaw::AlgNone),
        "alg none",
    ),
    ("id_token_hs256", Fault::IdToken(Flaw::Hs256), "alg HS256"),
    ("id_token_expired", Fault::IdToken(Flaw::Expired), "expired"),
    (
        "id_token_unknown_kid",
        Fault::IdToken(Flaw::UnknownKid),
        "unknown kid",
    ),
    (
        "id_token_bad_signature",
        Fault::IdToken(Flaw::BadSignature),
        "bad signature",
    ),
];

const ERROR_PREFIX: &str = "error:";

/// In characters; Slack's longest has half as many.
const MAX_ERROR_CHARS: usize = 100;

impl Fault {
    /// `{"ok":false,"error":<name>}`
    pub fn error(name: &'static str) -> Self {
        Self::Error(Cow::Borrowed(name))
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        if let Some(error) = name.strip_prefix(ERROR_PREFIX) {
            let is_short = (1..=MAX_ERROR_CHARS).contains(&error.chars().count());
            return is_short.then(|| Self::Error(Cow::Owned(error.to_owned())));
        }
        NAMED
            .iter()
            .find(|(known, ..)| *known == name)
            .map(|(_, fault, _)| fault.clone())
    }

    pub(super) fn name(&self) -> String {
        if let Self::Error(error) = self {
            return format!("{ERROR_PREFIX}{error}");
        }
        NAMED
            .iter()
            .find(|(_, fault, _)| fault == self)
            .map_or_else(String::new, |(name, ..)| (*name).to_owned())
    }
}

/// A fault that is set.
#[derive(Debug, Clone)]
pub(super) struct ActiveFault {
    pub endpoint: Endpoint,
    pub fault: Fault,
    /// The remaining calls, at least one.
    pub calls: u32,
}

/// At most one for each endpoint.
pub(super) struct Faults {
    active: Mutex<Vec<ActiveFault>>,
    /// Changes when all faults are cleared.
    cleared: watch::Sender<()>,
}

impl Faults {
    pub(super) fn new() -> Self {
        Self {
            active: Mutex::default(),
            cleared: watch::Sender::new(()),
        }
    }

    pub(super) fn set(&self, endpoint: Endpoint, fault: Fault, calls: u32) {
        let mut active = self.lock();
        active.retain(|other| other.endpoint != endpoint);
        if calls > 0 {
            active.push(ActiveFault {
                endpoint,
                fault,
                calls,
            });
        }
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
        self.cleared.send_replace(());
    }

    /// Completes at the first `clear` after this call, even if it is awaited later.
    pub(super) fn cleared(&self) -> impl Future<Output = ()> + use<> {
        let mut cleared = self.cleared.subscribe();
        async move {
            // An error means that the sandbox was dropped, which ends the wait as well.
            let _ = cleared.changed().await;
        }
    }

    pub(super) fn list(&self) -> Vec<ActiveFault> {
        self.lock().clone()
    }

    /// The fault for this call, which counts it down.
    pub(super) fn take(&self, endpoint: Endpoint) -> Option<Fault> {
        let mut active = self.lock();
        let at = active.iter().position(|other| other.endpoint == endpoint)?;
        let found = active.get_mut(at)?;
        found.calls -= 1;
        if found.calls > 0 {
            return Some(found.fault.clone());
        }
        Some(active.swap_remove(at).fault)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ActiveFault>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
