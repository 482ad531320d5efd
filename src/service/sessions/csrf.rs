//! Tokens that show that a form came from our page.

use crate::crypto::csrf;
use crate::domain::lifetimes;
use crate::service::Services;

impl Services {
    pub fn new_csrf_token(&self) -> String {
        let expires_at = self.now() + lifetimes::CSRF_TOKEN;
        csrf::issue(expires_at, self.random(), &self.tokens.keyring())
    }

    /// Whether we have signed the token and it has not expired.
    pub fn is_csrf_token(&self, token: &str) -> bool {
        csrf::verify(token, self.now(), &self.tokens.keyring()).is_some()
    }

    /// Whether the token stays valid long enough for a form that is shown now.
    pub fn is_lasting_csrf_token(&self, token: &str) -> bool {
        let now = self.now();
        csrf::verify(token, now, &self.tokens.keyring())
            .is_some_and(|expires_at| now + lifetimes::CSRF_TOKEN / 2 < expires_at)
    }
}
