//! The parts of Slack's API that a sign-in needs.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use url::Url;

use crate::domain::{SignInFailure, SlackPerson};

/// An authorization request.
#[derive(Debug, Clone, Copy)]
pub struct Authorize<'a> {
    pub redirect_uri: &'a Url,
    pub state: &'a str,
    /// Returned in the ID token, if there is one.
    pub nonce: &'a str,
    /// The workspace to offer first; Slack does not enforce it.
    pub team: Option<&'a str>,
}

/// What the code is exchanged with.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    pub code: &'a str,
    /// The same as in the authorization request.
    pub redirect_uri: &'a Url,
    pub nonce: &'a str,
    pub now: DateTime<Utc>,
}

/// A user who granted access.
pub struct Arrival {
    pub person: SlackPerson,
    pub workspace_name: WorkspaceName,
}

/// The name of the user's workspace.
pub enum WorkspaceName {
    Told(Option<String>),
    /// Slack limits the rate of this call, so it is only made for a new organization.
    ToAsk(UserToken),
}

/// The user's access token at Slack; dropped after use.
pub struct UserToken(pub SecretString);

/// Slack's API with our own types. Slack's error texts never leave the adapter.
pub trait SlackApi: Send + Sync + 'static {
    fn authorize_url(&self, authorize: Authorize<'_>) -> Url;

    /// Exchanges the code for the user's profile, within ten seconds.
    fn exchange<'a>(
        &'a self,
        exchange: Exchange<'a>,
    ) -> BoxFuture<'a, Result<Arrival, SignInFailure>>;

    /// The name of the workspace that the token belongs to.
    fn workspace_name(
        &self,
        token: UserToken,
    ) -> BoxFuture<'_, Result<Option<String>, SignInFailure>>;
}
