//! The `state` that Slack returns, encrypted so that clients can neither read nor forge it.

use serde::{Deserialize, Serialize};

use crate::domain::{CodeChallenge, SessionId, SlackStateId, UserId};
use crate::service::slack::BrowserKey;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::service) struct State {
    pub id: SlackStateId,
    pub return_url: String,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub binding: Binding,
    /// The requested workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The slug of the organization to sign in to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// What the sign-in is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::service) enum Kind {
    #[serde(rename = "signin")]
    SignIn,
    /// To link an identity to a signed-in user.
    Link {
        user_id: UserId,
        session_id: SessionId,
    },
    /// To prove again who the user of a session is.
    Reauthenticate {
        user_id: UserId,
        session_id: SessionId,
    },
}

/// Binds a sign-in to the browser or client that began it, so that an attacker cannot make a victim complete theirs.
/// With neither, the client must compare the state that it got with the one that is returned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::service) struct Binding {
    /// The hash of the browser's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    browser: Option<String>,
    /// Which the client's verifier must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<String>,
}

impl Binding {
    pub(super) fn new(
        browser: Option<&BrowserKey>,
        code_challenge: Option<&CodeChallenge>,
    ) -> Self {
        Self {
            browser: browser.map(|key| key.hash().as_str().to_owned()),
            code_challenge: code_challenge.map(|challenge| challenge.as_str().to_owned()),
        }
    }

    pub(super) fn is_to_a_browser(&self) -> bool {
        self.browser.is_some()
    }

    /// Whether this may be the browser that began the sign-in.
    pub(super) fn admits(&self, browser: Option<&str>) -> bool {
        let Some(bound) = &self.browser else {
            return true;
        };
        browser
            .and_then(BrowserKey::parse)
            .is_some_and(|key| key.hash().as_str() == bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bound_browser_is_admitted() {
        let (ours, theirs) = (BrowserKey::new([1; 32]), BrowserKey::new([2; 32]));
        let bound = Binding::new(Some(&ours), None);
        assert!(bound.admits(Some(ours.expose())));
        for other in [None, Some(""), Some("x"), Some(theirs.expose())] {
            assert!(!bound.admits(other), "{other:?}");
        }
        assert!(!bound.admits(Some(ours.hash().as_str())));
        assert!(Binding::default().admits(None));
    }
}
