//! Tells our session tokens from those of other systems.

use crate::crypto::foreign_session;
use crate::service::Services;

impl Services {
    /// Whether another system may have issued this session token.
    pub fn is_foreign_session(&self, token: &str) -> bool {
        foreign_session::is_foreign(token, &self.tokens.keys())
    }
}
