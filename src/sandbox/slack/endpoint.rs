//! The Slack endpoints that can be made to fail.

use std::fmt;

/// `Elsewhere` is the target of the fault `redirect`, which a careful client never calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    OauthAccess,
    OpenIdToken,
    OpenIdUserInfo,
    OpenIdKeys,
    UsersInfo,
    Elsewhere,
}

impl Endpoint {
    /// The endpoints that can fail, in the order of the panel.
    pub const FALLIBLE: [Self; 5] = [
        Self::OauthAccess,
        Self::UsersInfo,
        Self::OpenIdToken,
        Self::OpenIdUserInfo,
        Self::OpenIdKeys,
    ];

    /// Slack's name of the method; the name of the keys endpoint is our own.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OauthAccess => "oauth.v2.access",
            Self::OpenIdToken => "openid.connect.token",
            Self::OpenIdUserInfo => "openid.connect.userInfo",
            Self::OpenIdKeys => "openid.connect.keys",
            Self::UsersInfo => "users.info",
            Self::Elsewhere => "elsewhere",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::FALLIBLE
            .into_iter()
            .find(|endpoint| endpoint.as_str() == name)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How often each endpoint was called.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<(Endpoint, u64)>);

impl Calls {
    pub(super) fn of(&self, endpoint: Endpoint) -> u64 {
        self.0
            .iter()
            .find(|(counted, _)| *counted == endpoint)
            .map_or(0, |(_, calls)| *calls)
    }

    pub(super) fn count(&mut self, endpoint: Endpoint) {
        match self.0.iter_mut().find(|(counted, _)| *counted == endpoint) {
            Some((_, calls)) => *calls += 1,
            None => self.0.push((endpoint, 1)),
        }
    }
}
