//! The key in a browser's cookie that binds a sign-in with Slack to that browser.

use crate::crypto::opaque::{Opaque, OpaqueHash};
use crate::service::Services;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserKey(Opaque);

impl BrowserKey {
    /// `random` must come from a cryptographic source.
    pub fn new(random: [u8; 32]) -> Self {
        Self(Opaque::new(random))
    }

    /// The key in a cookie; `None` for a text that is not a key.
    pub fn parse(text: &str) -> Option<Self> {
        Opaque::parse(text).map(Self)
    }

    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    pub(super) fn hash(&self) -> OpaqueHash {
        self.0.hash()
    }
}

impl Services {
    /// A key for a browser that has none.
    pub fn new_browser_key(&self) -> BrowserKey {
        BrowserKey::new(self.random())
    }
}
