//! Slack, as far as a sign-in needs it.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use url::Url;

use crate::domain::{SignInFailure, SlackPerson};

/// Where a person says yes or no.
#[derive(Debug, Clone, Copy)]
pub struct Authorize<'a> {
    pub redirect_uri: &'a Url,
    pub state: &'a str,
    /// Comes back in the id_token, where there is one.
    pub nonce: &'a str,
    /// Which workspace to offer first: a hint that Slack does not enforce.
    pub team: Option<&'a str>,
}

/// What Slack sent the person back with.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    pub code: &'a str,
    /// The same as at the beginning.
    pub redirect_uri: &'a Url,
    pub nonce: &'a str,
    pub now: DateTime<Utc>,
}

/// Somebody who said yes.
pub struct Arrival {
    pub person: SlackPerson,
    pub workspace_name: WorkspaceName,
}

/// The name of the person's workspace.
pub enum WorkspaceName {
    Told(Option<String>),
    /// Slack rations the answer, so it is asked only for an organization that is new.
    ToAsk(UserToken),
}

/// The person's own token at Slack: used, then dropped.
pub struct UserToken(pub SecretString);

/// Slack's answers, in our words. Nothing of what it wrote leaves the adapter.
pub trait SlackApi: Send + Sync + 'static {
    fn authorize_url(&self, authorize: Authorize<'_>) -> Url;

    /// Trades the code for the person it stands for, within ten seconds.
    fn exchange<'a>(
        &'a self,
        exchange: Exchange<'a>,
    ) -> BoxFuture<'a, Result<Arrival, SignInFailure>>;

    /// The name of the token's workspace.
    fn workspace_name(
        &self,
        token: UserToken,
    ) -> BoxFuture<'_, Result<Option<String>, SignInFailure>>;
}
