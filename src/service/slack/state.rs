//! What travels to Slack and back as `state`: sealed, so that nobody reads or makes one.

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
    /// The workspace that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// What the sign-in is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::service) enum Kind {
    #[serde(rename = "signin")]
    SignIn,
    /// To attach an identity to somebody who is signed in.
    Link {
        user_id: UserId,
        session_id: SessionId,
    },
}

/// Who must hold what, so that nobody ends up in a sign-in that somebody else began. With neither, the
/// client compares the state that it got with the one that comes back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::service) struct Binding {
    /// The hash of the browser's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    browser: Option<String>,
    /// What the client's verifier must fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<String>,
}

impl Binding {
    pub fn new(browser: Option<&BrowserKey>, code_challenge: Option<&CodeChallenge>) -> Self {
        Self {
            browser: browser.map(|key| key.hash().as_str().to_owned()),
            code_challenge: code_challenge.map(|challenge| challenge.as_str().to_owned()),
        }
    }

    pub fn is_to_a_browser(&self) -> bool {
        self.browser.is_some()
    }

    /// Whether the browser that came back may be the one that began.
    pub fn admits(&self, browser: Option<&str>) -> bool {
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
    fn a_bound_browser_alone_is_admitted() {
        let (ours, other) = (BrowserKey::new([1; 32]), BrowserKey::new([2; 32]));
        let bound = Binding::new(Some(&ours), None);
        assert!(bound.admits(Some(ours.expose())));
        for stranger in [None, Some(""), Some("x"), Some(other.expose())] {
            assert!(!bound.admits(stranger), "{stranger:?}");
        }
        assert!(!bound.admits(Some(ours.hash().as_str())));
        assert!(Binding::default().admits(None));
    }
}
